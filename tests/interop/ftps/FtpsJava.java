import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.net.Socket;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import java.security.cert.X509Certificate;
import org.apache.commons.net.DefaultSocketFactory;
import org.apache.commons.net.ftp.FTP;
import org.apache.commons.net.ftp.FTPFile;
import org.apache.commons.net.ftp.FTPSClient;

/**
 * Commons Net's FTPSClient, as it is, or with data connections that resume: FtpsJava plain|resume PORT VERSION COUNT.
 * The scenario; see ../ftps.py.
 */
public final class FtpsJava {
    private FtpsJava() {
    }

    /** Takes every certificate. */
    private static final class TrustingManager implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    /** Java looks for a session by host and port, and a data connection has another port. These claim to have the same. */
    private static final class OnePortFactory extends DefaultSocketFactory {
        private final int port;

        OnePortFactory(int port) {
            this.port = port;
        }

        @Override
        public Socket createSocket() {
            return new Socket() {
                @Override
                public int getPort() {
                    return port;
                }
            };
        }
    }

    /** Connects in clear, and then begins TLS as if it were to the control connection's port. */
    private static final class ResumingClient extends FTPSClient {
        private final SSLContext context;
        private final String version;

        ResumingClient(SSLContext context, String version) {
            super(false, context);
            this.context = context;
            this.version = version;
        }

        @Override
        public void execPROT(String prot) throws IOException {
            super.execPROT(prot);
            setSocketFactory(new OnePortFactory(_socket_.getPort()));
        }

        @Override
        protected Socket _openDataConnection_(String command, String argument) throws IOException {
            Socket clear = super._openDataConnection_(command, argument);
            if (clear == null) {
                return null;
            }
            SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(clear, "127.0.0.1", 0, true);
            socket.setEnabledProtocols(new String[] {version});
            socket.setUseClientMode(true);
            socket.startHandshake();
            return socket;
        }
    }

    private static void must(boolean isDone, FTPSClient ftp) {
        if (!isDone) {
            System.err.println(ftp.getReplyString());
            System.exit(1);
        }
    }

    private static void list(FTPSClient ftp, String name) throws IOException {
        FTPFile[] files = ftp.listFiles();
        must(ftp.getReplyCode() == 226, ftp);
        try (PrintWriter out = new PrintWriter(name)) {
            for (FTPFile file : files) {
                out.println(file.getName());
            }
        }
    }

    private static FTPSClient enter(String kind, int port, String version) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new TrustingManager()}, null);
        FTPSClient ftp = kind.equals("resume") ? new ResumingClient(context, version) : new FTPSClient(false, context);
        ftp.setEnabledProtocols(new String[] {version});
        ftp.setEndpointCheckingEnabled(false);
        ftp.setDefaultTimeout(20000);
        ftp.connect("127.0.0.1", port);
        must(ftp.login(System.getenv("FTPS_USER"), System.getenv("FTPS_PASSWORD")), ftp);
        ftp.execPBSZ(0);
        ftp.execPROT("P");
        ftp.enterLocalPassiveMode();
        must(ftp.setFileType(FTP.BINARY_FILE_TYPE), ftp);
        return ftp;
    }

    public static void main(String[] words) throws Exception {
        int count = Integer.parseInt(words[3]);
        FTPSClient ftp = enter(words[0], Integer.parseInt(words[1]), "TLSv" + words[2]);
        list(ftp, "list");
        for (int i = 0; i < count; i++) {
            try (InputStream in = new FileInputStream("up/f" + i)) {
                must(ftp.storeFile("f" + i, in), ftp);
            }
        }
        for (int i = 0; i < count; i++) {
            try (OutputStream out = new FileOutputStream("down/f" + i)) {
                must(ftp.retrieveFile("f" + i, out), ftp);
            }
        }
        ftp.setRestartOffset(new File("down/half").length());
        try (OutputStream out = new FileOutputStream("down/half", true)) {
            must(ftp.retrieveFile("half", out), ftp);
        }
        InputStream big = ftp.retrieveFileStream("big");
        must(big != null && big.read() >= 0, ftp);
        big.close();
        // The reply of a download that was given up.
        must(!ftp.completePendingCommand(), ftp);
        list(ftp, "list2");
        ftp.quit();
        ftp.disconnect();
    }
}
