"""The servers: where the peers come from, how each is configured, started and stopped.

All serve one directory to anonymous clients, or let a user with a hashed password read and write his home, in which
they enclose him.  They write a transfer log, have no limits that a case would meet, and ask nobody for names.  Whatever a
case does not touch stays at the server's own default; so do pyftpdlib's passive ports, of which it would copy the whole
list for every transfer.
"""
import ftplib
import hashlib
import pathlib
import signal
import socket
import subprocess
import time

from driver import machine

PASSIVE = (15000, 39999)    # pure-ftpd admits half as many sessions as it has passive ports
SESSIONS = 20000
PACKAGES = ["vsftpd", "pure-ftpd", "proftpd-core", "proftpd-mod-crypto", "python3-pyftpdlib"]
# What these packages need beyond a minimal system.
LIBRARIES = ["libwrap0", "libnsl2", "libtirpc3", "libhiredis0.14", "libmemcached11",
             "libmemcachedutil2", "libhashkit2", "libsasl2-2", "libpcre2-posix3", "libsodium23",
             "python3-openssl", "python3-cryptography", "python3-cffi-backend"]

VSFTPD = """\
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=YES
local_enable=NO
anon_root={root}
xferlog_enable=YES
xferlog_file={run}/xferlog
secure_chroot_dir={run}/empty
pasv_min_port={first}
pasv_max_port={last}
max_clients=0
max_per_ip=0
idle_session_timeout=3600
ascii_download_enable=YES
"""

PROFTPD = """\
ServerType standalone
ServerName bench
DefaultAddress 127.0.0.1
Port {port}
UseIPv6 off
User nobody
Group nogroup
UseReverseDNS off
WtmpLog off
RequireValidShell off
MaxInstances {sessions}
PassivePorts {first} {last}
TimeoutIdle 3600
TimeoutNoTransfer 3600
TransferLog {run}/xferlog
SystemLog {run}/system.log
ScoreboardFile {run}/scoreboard
PidFile {run}/pid
<IfModule mod_delay.c>
  DelayTable {run}/delay
</IfModule>
<Anonymous {root}>
  User ftp
  Group nogroup
  UserAlias anonymous ftp
  RequireValidShell off
</Anonymous>
"""

PYFTPDLIB = """\
import logging
import sys
sys.path.insert(0, {packages!r})
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
logging.basicConfig(filename={run!r} + "/xferlog", level=logging.INFO)
authorizer = DummyAuthorizer()
authorizer.add_anonymous({root!r})
FTPHandler.authorizer = authorizer
FTPHandler.timeout = 3600
server = FTPServer(("127.0.0.1", {port}), FTPHandler)
server.max_cons = {sessions}
server.max_cons_per_ip = 0
server.serve_forever()
"""

DEFTPD = """\
listen = {{"127.0.0.1:{port}"}}
passive_ports = "{first}-{last}"
max_sessions = {sessions}
max_sessions_per_address = {sessions}
idle_timeout = 3600
anonymous {{ enabled = yes root = "{root}" user = "ftp" }}
log {{ transfers = "{run}/xferlog" events = "{run}/events" }}
"""

PURE_FTPD = ["{cache}/usr/sbin/pure-ftpd", "-S", "127.0.0.1,{port}", "-4", "-e", "-A", "-H",
             "-p", "{first}:{last}", "-c", "{sessions}", "-C", "{sessions}", "-I", "60",
             "-L", "1000000:8", "-f", "none", "-O", "clf:{run}/xferlog"]

# The same servers for users with a password, which each finds hashed where the machine's or its own users are.
USER_VSFTPD = """\
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=NO
local_enable=YES
write_enable=YES
local_umask=022
chroot_local_user=YES
allow_writeable_chroot=YES
pam_service_name=deftpd-bench
xferlog_enable=YES
xferlog_file={run}/xferlog
secure_chroot_dir={run}/empty
pasv_min_port={first}
pasv_max_port={last}
max_clients=0
max_per_ip=0
idle_session_timeout=3600
"""

USER_PROFTPD = PROFTPD[:PROFTPD.index("<Anonymous")] + """\
AuthOrder mod_auth_file.c
AuthUserFile {run}/users
DefaultRoot ~
AllowOverwrite on
"""

USER_PYFTPDLIB = PYFTPDLIB.replace("import sys\n", """\
import ctypes
import sys
library = ctypes.CDLL("libcrypt.so.1")
library.crypt.restype = ctypes.c_char_p
""").replace("""\
authorizer = DummyAuthorizer()
authorizer.add_anonymous({root!r})
""", """\
from pyftpdlib.authorizers import AuthenticationFailed
class Authorizer(DummyAuthorizer):
    def validate_authentication(self, username, password, handler):
        stored = self.user_table.get(username, dict(pwd="*"))["pwd"]
        if library.crypt(password.encode(), stored.encode()) != stored.encode():
            raise AuthenticationFailed
authorizer = Authorizer()
authorizer.add_user({user!r}, {secret!r}, {root!r}, perm="elradfmwMT")
""")

USER_DEFTPD = """\
listen = {{"127.0.0.1:{port}"}}
passive_ports = "{first}-{last}"
max_sessions = {sessions}
max_sessions_per_address = {sessions}
login_timeout = 600
idle_timeout = 3600
virtual_users {{ file = "{run}/users" user = "" }}
log {{ transfers = "{run}/xferlog" events = "{run}/events" }}
"""

USER_PURE_FTPD = [word for word in PURE_FTPD if word != "-e"] + ["-E", "-l", "unix"]

# What is added to either configuration, and to the command, where commands and data are encrypted. Each takes the version and
# the cipher that the client wants: TLS 1.3 with AES-256-GCM.
TLS = {
    "deftpd": ("""\
tls {{ certificate = "{pair}" }}
""", []),
    "vsftpd": ("""\
ssl_enable=YES
allow_anon_ssl=YES
force_local_logins_ssl=NO
force_local_data_ssl=NO
rsa_cert_file={pair}
rsa_private_key_file={pair}
""", []),
    "pure-ftpd": (None, ["-Y", "1", "-2", "{pair}"]),
    "proftpd": ("""\
ModulePath {cache}/usr/lib/proftpd
LoadModule mod_tls.c
<IfModule mod_tls.c>
  TLSEngine on
  TLSProtocol TLSv1.2 TLSv1.3
  TLSRSACertificateFile {pair}
  TLSRSACertificateKeyFile {pair}
  TLSVerifyClient off
</IfModule>
""", []),
    "pyftpdlib": (None, []),
    "bare": (None, ["{pair}"]),
}


def with_tls(name, text, command):
    """A configuration and a command with TLS."""
    more, words = TLS[name]
    if name == "pyftpdlib":
        text = text.replace("import FTPHandler", "import TLS_FTPHandler as FTPHandler")
        text = text.replace("FTPHandler.timeout", "FTPHandler.certfile = {pair!r}\nFTPHandler.timeout")
    return (text + more if more else text), command + words


DEFTPD_COMMAND = ["{build}/bin/deftpd", "-c", "{config}"]
VSFTPD_COMMAND = ["{cache}/usr/sbin/vsftpd", "{config}"]
PROFTPD_COMMAND = ["{cache}/usr/sbin/proftpd", "-n", "-c", "{config}"]
PYFTPDLIB_COMMAND = ["/usr/bin/python3", "-B", "{config}"]
BARE_COMMAND = ["{build}/tests/bench/ftpbare", "{port}", "{root}"]

# name: port, what it can list; text of the configuration file and command for guests; both for users
TABLE = {
    "deftpd": (2121, ["LIST", "MLSD"], DEFTPD, DEFTPD_COMMAND, USER_DEFTPD, DEFTPD_COMMAND),
    "vsftpd": (2122, ["LIST"], VSFTPD, VSFTPD_COMMAND, USER_VSFTPD, VSFTPD_COMMAND),
    "pure-ftpd": (2123, ["LIST", "MLSD"], None, PURE_FTPD, None, USER_PURE_FTPD),
    "proftpd": (2124, ["LIST", "MLSD"], PROFTPD, PROFTPD_COMMAND, USER_PROFTPD, PROFTPD_COMMAND),
    "pyftpdlib": (2125, ["LIST", "MLSD"], PYFTPDLIB, PYFTPDLIB_COMMAND, USER_PYFTPDLIB,
                  PYFTPDLIB_COMMAND),
    "bare": (2126, ["LIST", "MLSD"], None, BARE_COMMAND, None, BARE_COMMAND),
}
PEERS = [name for name in TABLE if name not in ("deftpd", "bare")]


def fetch(cache):
    """Unpack the peers' packages, which cannot be installed side by side, below a directory; once."""
    root = cache / "root"
    complete, wanted = cache / "complete", " ".join(PACKAGES + LIBRARIES)
    if complete.exists() and complete.read_text() == wanted:
        return root
    machine.need("apt-get", "dpkg")
    root.mkdir(parents=True, exist_ok=True)
    download = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download",
                *PACKAGES, *LIBRARIES]
    print("bench: fetching", *PACKAGES, flush=True)
    if subprocess.run(download, cwd=cache, capture_output=True).returncode != 0:
        subprocess.run(["apt-get", "-q", "update"], check=True, capture_output=True)
        subprocess.run(download, cwd=cache, check=True, stdout=subprocess.DEVNULL)
    for package in sorted(cache.glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, root], check=True)
        package.unlink()
    complete.write_text(wanted)
    return root


def library_folders(root):
    return sorted({path.parent for pattern in ("lib/*/lib*.so*", "usr/lib/*/lib*.so*")
                   for path in root.glob(pattern)})


class Resuming(ftplib.FTP_TLS):
    """A client as some servers want it: data connections resume."""

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        return self.context.wrap_socket(conn, session=self.sock.session), size


class Server:
    """One server while it runs, in a control group and a network of its own."""

    count = 0

    def __init__(self, name, places, user=None, has_tls=False):
        """user: of machine.User, who logs in and writes; None: guests, who read the data."""
        self.name = name
        self.user = user
        port, self.lists, *variants = TABLE[name]
        self.port = port
        self.config_text, self.command = variants[2:] if user else variants[:2]
        self.has_tls = has_tls
        if has_tls:
            self.config_text, self.command = with_tls(name, self.config_text, self.command)
        self.values = {
            "port": port, "first": PASSIVE[0], "last": PASSIVE[1], "sessions": SESSIONS,
            "root": str(user.home if user else places["data"]),
            "user": user.name if user else "", "secret": user.secret if user else "", "cache": str(places["cache"]),
            "build": str(places["build"]), "pair": str(places["pair"]),
            "packages": str(places["cache"] / "usr/lib/python3/dist-packages"),
        }
        self.run = None
        self.group = None
        self.process = None
        self.base = places["run"]
        self.data = places["data"]
        self.check = places["check"]

    def start(self):
        Server.count += 1
        self.run = self.base / f"{self.name}-{Server.count}"
        (self.run / "empty").mkdir(parents=True)
        values = {**self.values, "run": str(self.run), "config": str(self.run / "config")}
        if self.config_text:
            (self.run / "config").write_text(self.config_text.format(**values))
        if self.user:
            self.user.clear_home()
            users = self.run / "users"
            users.touch(mode=0o600)
            users.write_text(self.user.passwd_line(self.user.secret) + "\n")
        machine.fresh_network()
        self.group = machine.Group(f"{self.base.parent.name}-{Server.count}")
        with open(self.run / "output", "wb") as output:
            self.process = subprocess.Popen(
                [word.format(**values) for word in self.command], stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, preexec_fn=self.group.enter, cwd="/")
        self.group.root_pid = self.process.pid
        self.verify()

    def output(self):
        return (self.run / "output").read_text(errors="replace")[-500:].strip()

    def connect(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                return self.login()
            except (OSError, EOFError, ftplib.Error) as error:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(f"{self.name} does not serve: {error}; {self.output()}")
                time.sleep(0.02)

    def login(self):
        client = Resuming(timeout=10) if self.has_tls else ftplib.FTP(timeout=10)
        try:
            client.connect("127.0.0.1", self.port)
            client.login(*((self.user.name, self.user.password) if self.user else ()))
            if self.has_tls:
                client.prot_p()
        except BaseException:
            client.close()
            raise
        return client

    def verify(self):
        """A server that sends wrong bytes is not measured; this also warms it."""
        for _ in range(3):
            client = self.connect()
            client.af = socket.AF_INET6     # makes the library ask by EPSV, as the load does
            if self.user:
                with open(self.data / "check", "rb") as check:
                    client.storbinary("STOR check", check)
            digest = hashlib.sha256()
            client.retrbinary("RETR check", digest.update)
            client.quit()
            if digest.digest() != self.check:
                raise RuntimeError(f"{self.name} has sent a file wrongly")
        if self.user:
            (self.user.home / "check").unlink()

    def stop(self):
        """Returns a complaint, or None."""
        complaint = None
        if self.process.poll() is not None:
            complaint = f"has ended by itself with {self.process.returncode}: {self.output()}"
        else:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                complaint = "does not end on SIGTERM within 10 s"
        time.sleep(0.05)
        left = len(self.group.pids()) if self.group.folders else 0
        if complaint is None and self.name == "deftpd" and left > 0:
            complaint = f"leaves {left} processes behind"
        self.group.kill()
        self.process.wait()
        return complaint
