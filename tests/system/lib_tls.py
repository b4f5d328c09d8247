"""lib_tls: the client's side of TLS with all bytes in the test's hands, clients that speak it, and certificates to try it with.

Only the standard library is needed, and openssl(1), which makes the certificates. What Python's ssl cannot say, tls_peer.c does.
"""

import os
import re
import select
import shutil
import socket
import ssl
import subprocess
import time

from lib_daemon import programs_directory, skip, slowness
from lib_system import Client, check, read_all
from lib_users import PASSWORD, UserClient, UserDaemon

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
STEP = 1 << 18
FAR = 10 * 365 * 86400
DAY = 86400
KEYS = {"ec": ("ec", "ec_paramgen_curve:P-256"), "rsa": ("rsa", "rsa_keygen_bits:2048"), "weak": ("rsa", "rsa_keygen_bits:1024")}
# What `openssl ca` wants to be told.
CA_CONFIGURATION = """[ca]
default_ca = own
[own]
database = {place}/index
new_certs_dir = {place}
serial = {place}/serial
crlnumber = {place}/crlnumber
default_md = sha256
default_days = 30
default_crl_days = 30
unique_subject = no
policy = any
copy_extensions = none
[any]
commonName = optional
[leaf]
{leaf}
"""


def need_tls():
    """Skip the test where certificates cannot be made."""
    if shutil.which("openssl") is None:
        skip("openssl is not installed")


def openssl(*words, text=None):
    """Run openssl(1), which must succeed; returns what it prints."""
    done = subprocess.run(["openssl", *words], check=False, capture_output=True, text=True, input=text)
    check(done.returncode == 0, f"openssl {' '.join(words)}: {done.stderr}")
    return done.stdout


class Pair:
    """A certificate and its key: their files."""

    def __init__(self, place, name):
        self.name = name
        self.certificate = os.path.join(place, name + ".crt")
        self.key = os.path.join(place, name + ".key")

    def der(self):
        """The certificate as it travels."""
        with open(self.certificate, encoding="ascii") as stream:
            text = stream.read()
        return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERT"):text.index("-----END CERT")] + "-----END CERTIFICATE-----\n")

    def options(self):
        """What makes a daemon use it."""
        return [f"tls.certificate={self.certificate}", f"tls.private_key={self.key}"]


class Certificates:
    """Certificates in one directory."""

    def __init__(self, place):
        self.place = place
        os.makedirs(place, exist_ok=True)
        self.made = {}

    def own(self, name, *names, kind="ec", days=30):
        """One that signs itself, for these host names and addresses."""
        pair = self.made[name] = Pair(self.place, name)
        key, option = KEYS[kind]
        openssl("req", "-x509", "-newkey", key, "-pkeyopt", option, "-nodes", "-keyout", pair.key, "-out", pair.certificate,
                "-days", str(days), "-subj", "/CN=" + (names or ("localhost",))[0], "-addext", "subjectAltName=" + self.alternatives(names))
        os.chmod(pair.key, 0o600)
        return pair

    @staticmethod
    def alternatives(names):
        """subjectAltName of these: host names, addresses, or with a type: "email:a@b"."""
        def typed(name):
            if re.match(r"(email|URI|DNS|IP|otherName|dirName):", name):
                return name
            return ("IP:" if re.fullmatch(r"[0-9.]+|.*:.*", name) else "DNS:") + name
        return ",".join(typed(name) for name in names or ("localhost", "127.0.0.1"))

    def issued(self, name, *names, issuer="ca", kind="ec", begins=-DAY, ends=30 * DAY, usage="serverAuth", alternatives=None, is_ca=False,
               subject=None):
        """One that a CA of ours has signed. begins, ends: seconds from now. alternatives: as for openssl, instead of names."""
        if issuer not in self.made:
            self.own(issuer, issuer, days=3650)
        pair, ca = Pair(self.place, name), self.made[issuer]
        self.made[name] = pair
        key, option = KEYS[kind]
        request = os.path.join(self.place, name + ".csr")
        openssl("req", "-new", "-newkey", key, "-pkeyopt", option, "-nodes", "-keyout", pair.key, "-out", request,
                "-subj", "/CN=" + (subject or (names or (name,))[0]))
        os.chmod(pair.key, 0o600)
        leaf = "basicConstraints = critical,CA:" + ("TRUE" if is_ca else "FALSE") + "\n"
        if usage and not is_ca:
            leaf += f"extendedKeyUsage = {usage}\n"
        alternatives = alternatives or (self.alternatives(names) if names else None)
        if alternatives:
            leaf += "subjectAltName = " + alternatives + "\n"
        openssl("ca", "-batch", "-notext", "-config", self.configure(leaf), "-cert", ca.certificate, "-keyfile", ca.key, "-in", request,
                "-out", pair.certificate, "-extensions", "leaf", "-startdate", self.date(begins), "-enddate", self.date(ends))
        return pair

    def configure(self, leaf=""):
        """Write the configuration of `openssl ca`; returns its path."""
        path = os.path.join(self.place, "ca.conf")
        with open(path, "w", encoding="ascii") as stream:
            stream.write(CA_CONFIGURATION.format(place=self.place, leaf=leaf))
        open(os.path.join(self.place, "index"), "a", encoding="ascii").close()
        for name in ("serial", "crlnumber"):
            if not os.path.exists(os.path.join(self.place, name)):
                with open(os.path.join(self.place, name), "w", encoding="ascii") as stream:
                    stream.write("1000\n")
        return path

    @staticmethod
    def date(seconds):
        """So many seconds from now, as openssl wants it."""
        return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))

    def revoke(self, *names, issuer="ca"):
        """A list of revoked certificates; returns its path."""
        ca, path = self.made[issuer], os.path.join(self.place, issuer + ".crl")
        common = ["-config", self.configure(), "-cert", ca.certificate, "-keyfile", ca.key]
        for name in names:
            openssl("ca", *common, "-revoke", self.made[name].certificate)
        openssl("ca", *common, "-gencrl", "-out", path)
        return path


def context_of(version=None, certificate=None, alpn=(), ciphers=None):
    """A client that trusts everybody; tests compare the certificate themselves. version: "1.2" or "1.3"; None: both."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = VERSIONS[version]
    if certificate:
        context.load_cert_chain(certificate.certificate, certificate.key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if ciphers:
        context.set_ciphers(ciphers)
    return context


class TlsLink:
    """
    TLS over a connected socket. Looks like a socket for who wants one; but what is encrypted, when it is sent and how it
    ends is in the caller's hands. `end` tells how the server's side has ended: "close_notify", "cut", "reset" or an alert.
    """

    def __init__(self, link, context, name=None, session=None):
        self.link = link
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name, session=session)
        self.plain = b""
        self.end = None
        self.timeout = link.gettimeout()
        self.has_notified = False

    # the handshake

    def start(self):
        """The ClientHello, not sent yet; returns itself."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self

    def handshake(self, timeout=None):
        """All of it; returns itself. ssl.SSLError or OSError if it fails; its alert has been sent then."""
        deadline = time.monotonic() + (timeout or self.timeout or 10)
        while True:
            try:
                self.tls.do_handshake()
                self.flush()
                return self
            except ssl.SSLWantReadError:
                self.flush()
                if not self.receive(deadline - time.monotonic()):
                    raise socket.timeout("the TLS handshake takes too long") from None
            except ssl.SSLError:
                self.flush_quietly()
                raise

    def take(self):
        """What was encrypted and not sent; it is the caller's to send."""
        return self.outgoing.read()

    def flush(self):
        """Send what was encrypted."""
        data = self.take()
        if data:
            self.link.sendall(data)

    def flush_quietly(self):
        """The same, if the server still listens."""
        try:
            self.flush()
        except OSError:
            pass

    def receive(self, timeout):
        """Wait for bytes of the connection. False: none came in time. The end counts as something."""
        if self.end == "reset" or not select.select([self.link], [], [], max(timeout, 0))[0]:
            return False
        try:
            data = self.link.recv(STEP)
        except ConnectionResetError:
            self.end = "reset"
            data = b""
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()
        return True

    # data

    def poll(self, timeout, size=STEP):
        """Wait until there is something to read, or the end. False: neither in time."""
        deadline = time.monotonic() + timeout
        while not self.plain and not self.end:
            try:
                self.plain = self.tls.read(size)
                if not self.plain:
                    self.end = "close_notify"
            except ssl.SSLWantReadError:
                self.flush_quietly()
                if not self.receive(deadline - time.monotonic()) and not self.end:
                    return False
            except ssl.SSLZeroReturnError:
                self.end = "close_notify"
            except ssl.SSLEOFError:
                self.end = "cut"
            except ssl.SSLError as error:
                self.end = error.reason or str(error)
                self.flush_quietly()
        return True

    def recv(self, size):
        """As socket.recv(); b"" at every end."""
        if not self.poll(self.timeout if self.timeout is not None else 3600):
            raise socket.timeout("nothing came")
        data, self.plain = self.plain[:size], self.plain[size:]
        return data

    def send(self, data, flags=0):
        """As socket.send(); flags are for the encrypted bytes."""
        self.tls.write(data)
        self.link.send(self.take(), flags)
        return len(data)

    def sendall(self, data):
        """As socket.sendall()."""
        view = memoryview(data)
        for at in range(0, len(view), STEP):
            self.tls.write(view[at:at + STEP])
            self.flush()

    # the end

    def notify(self):
        """Send our close_notify."""
        if self.has_notified:
            return
        self.has_notified = True
        try:
            self.tls.unwrap()
        except (ssl.SSLError, OSError):
            pass
        self.flush_quietly()

    def clear(self, timeout=5.0):
        """
        TLS ends, the connection goes on: our close_notify, and the server's. Returns what came in clear behind that; None
        if it did not end so.
        """
        self.notify()
        while self.poll(timeout) and not self.end:
            self.plain = b""
        return self.incoming.read() if self.end == "close_notify" else None

    def shutdown(self, how):
        """As socket.shutdown(), without close_notify: the connection is cut."""
        self.link.shutdown(how)

    def close(self):
        """In order."""
        if self.link.fileno() >= 0:
            self.notify()
            self.link.close()

    def cut(self):
        """Close the connection without a word."""
        self.link.close()

    def setsockopt(self, *arguments):
        """Of the connection."""
        self.link.setsockopt(*arguments)

    def settimeout(self, timeout):
        """As socket.settimeout()."""
        self.timeout = timeout
        self.link.settimeout(timeout)

    def gettimeout(self):
        """As socket.gettimeout()."""
        return self.timeout

    def fileno(self):
        """Of the connection."""
        return self.link.fileno()

    def getsockname(self):
        """Of the connection."""
        return self.link.getsockname()

    def getpeername(self):
        """Of the connection."""
        return self.link.getpeername()

    def session(self):
        """What a further connection can resume: the last ticket, or the session of TLS 1.2."""
        return self.tls.session

    def is_resumed(self):
        """Whether the handshake has resumed one."""
        return self.tls.session_reused

    def version(self):
        """ "TLSv1.2" or "TLSv1.3". """
        return self.tls.version()

    def shows(self, pair):
        """Whether the server has shown this certificate."""
        return self.tls.getpeercert(binary_form=True) == pair.der()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()


def poll(link, timeout):
    """Whether a socket or a TlsLink has something to read, or its end, in time."""
    if isinstance(link, TlsLink):
        return link.poll(timeout)
    return bool(select.select([link], [], [], max(timeout, 0))[0])


def records(data):
    """Split what TLS sends into its records."""
    found = []
    while data:
        size = 5 + int.from_bytes(data[3:5], "big")
        found.append(data[:size])
        data = data[size:]
    return found


class TlsDaemon(UserDaemon):
    """A daemon with a certificate, "server", and users."""

    def __init__(self, directory=None, options=(), pair=None, **how):
        super().__init__(directory, options=["max_sessions_per_address=0", "logins.max_delay=0", *options], **how)
        self.certificates = Certificates(os.path.join(self.place, "tls"))
        os.chmod(self.certificates.place, 0o700)
        self.pair = pair or self.certificates.own("server")
        given = {option.split("=", 1)[0] for option in self.options}
        self.options += [option for option in self.pair.options() if option.split("=", 1)[0] not in given]


class TlsClient(UserClient):
    """A client that begins TLS, logs in, and encrypts its data, unless it is told otherwise."""

    def __init__(self, daemon, user=None, password=PASSWORD, version=None, context=None, name=None, certificate=None, has_login=True,
                 is_private=True, has_resumption=True, is_implicit=False, **how):
        Client.__init__(self, daemon, **how)
        self.context = context or context_of(version, certificate)
        self.name = name
        self.is_private = False
        self.has_resumption = has_resumption
        if is_implicit:
            self.secure()
        check(self.reply()[0] == 220, "no 220")
        if not is_implicit:
            self.ask("AUTH TLS", 234)
            self.secure()
        if has_login:
            self.enter(user, password)
        if is_private:
            self.protect()

    def secure(self):
        """The handshake."""
        self.link = TlsLink(self.link, self.context, self.name).handshake()
        self.bytes = b""

    def enter(self, user=None, password=PASSWORD):
        """Log in."""
        self.ask("USER " + (user or "anonymous"), 331, 232)
        self.ask("PASS " + (password if user else "test@example.com"), 230)
        self.ask("TYPE I", 200)

    def begin_anew(self):
        """REIN, which ends TLS (RFC 4217 13), and TLS again."""
        self.ask("REIN", 220)
        rest = self.link.clear()
        check(rest == b"", f"TLS does not end with REIN: {rest!r}")
        self.link = self.link.link
        self.is_private = False
        self.ask("AUTH TLS", 234)
        self.secure()

    def protect(self):
        """Data are encrypted from now on."""
        self.ask("PBSZ 0", 200)
        self.ask("PROT P", 200)
        self.is_private = True

    def wrap(self, link, session="own"):
        """The handshake on a data connection, which tries to resume the control connection's session, or the given one."""
        if session == "own":
            session = self.link.session() if self.has_resumption else None
        return TlsLink(link, self.context, self.name, session).handshake()

    def begin(self, command):
        """Begin a download by EPSV; returns the data connection."""
        link = super().begin(command)
        return self.wrap(link) if self.is_private else link

    def start(self, command, rest=0):
        """Begin an upload; returns the data connection, or None, and the last reply."""
        link, code, text = super().start(command, rest)
        if link is not None and self.is_private:
            link = self.wrap(link)
        return link, code, text

    def fetch(self, command):
        """A whole transfer that succeeds, and ends as TLS demands; returns its bytes."""
        link = self.begin(command)
        data = read_all(link)
        code, text = self.reply()
        check(code == 226, f"{command}: 226 expected, got {text!r}")
        check(not self.is_private or link.end == "close_notify", f"{command} ends with {link.end}")
        return data


def tls_peer(link, *words, timeout=60):
    """Let tls_peer.c speak TLS on a connection, as far as TLS has not begun; returns what it prints, by its first words."""
    program = os.path.join(programs_directory(), "tls_peer")
    os.set_blocking(link.fileno(), True)
    done = subprocess.run([program, str(link.fileno()), *words], check=False, capture_output=True, text=True, pass_fds=[link.fileno()],
                          timeout=timeout * slowness())
    os.set_blocking(link.fileno(), link.gettimeout() is None)
    check(done.returncode == 0, f"tls_peer {words}: status {done.returncode}, {done.stderr}")
    return dict((line.split(" ", 1) + [""])[:2] for line in done.stdout.splitlines())
