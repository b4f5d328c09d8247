"""Python's ftplib over TLS: as it is, or resuming the session of the control connection as its users help themselves.

    ftps_python.py plain|resume PORT VERSION COUNT
"""

import ftplib
import os
import ssl
import sys


class Resuming(ftplib.FTP_TLS):
    """Data connections with the newest session of the control connection."""

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        return self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session), size


def main(kind, port, version, count):
    """The scenario; see ../ftps.py."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = {
        "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
    ftp = (Resuming if kind == "resume" else ftplib.FTP_TLS)(context=context, timeout=20)
    ftp.connect("127.0.0.1", int(port))
    ftp.login(os.environ["FTPS_USER"], os.environ["FTPS_PASSWORD"])
    ftp.prot_p()
    with open("list", "w", encoding="utf-8") as text:
        ftp.retrlines("LIST", lambda line: text.write(line + "\n"))
    for i in range(count):
        with open(f"up/f{i}", "rb") as file:
            ftp.storbinary(f"STOR f{i}", file)
    for i in range(count):
        with open(f"down/f{i}", "wb") as file:
            ftp.retrbinary(f"RETR f{i}", file.write)
    with open("down/half", "ab") as file:
        ftp.retrbinary("RETR half", file.write, rest=file.tell())
    ftp.voidcmd("TYPE I")
    conn = ftp.transfercmd("RETR big")
    conn.recv(1000)
    ftp.putcmd("ABOR")
    try:
        while conn.recv(65536):
            pass
    except OSError:
        pass
    conn.close()
    for _ in range(2):  # 426 of the transfer, 226 of ABOR
        ftp.getmultiline()
    with open("list2", "w", encoding="utf-8") as text:
        ftp.retrlines("LIST", lambda line: text.write(line + "\n"))
    ftp.quit()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
