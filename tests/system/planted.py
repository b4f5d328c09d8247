#!/usr/bin/env python3
"""planted: files that the C library would load code or names from, and files by which other servers are told rules, planted in the
anonymous root or by a user in his home, are never opened and change nothing, whatever a client does, except when the client fetches
them (DESIGN.md section 3, rule 6; SECURITY.md A3 and F4). What the machine itself lets users plant is told (F6)."""

import ctypes
import os
import ssl
import struct
import sys
import time

from lib_daemon import Daemon
from lib_system import Client, TestFailure, check, connect, is_ready, need_root, run, settle
from lib_tls import TlsClient, TlsDaemon, context_of, need_tls
from lib_users import UserClient, read

IN_ACCESS, IN_OPEN = 0x1, 0x20
IN_NONBLOCK = 0o4000
EVENT = struct.Struct("iIII")
LIBRARIES = "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "lib64", "lib", "usr/lib"
WORD = "said by a planted file"
RULES = {".ftpaccess": "<Limit ALL>\n DenyAll\n</Limit>\nDisplayLogin .message\nUmask 777\n", ".htaccess": "Require all denied\n", ".ftpquota": "1 1\n",
         ".message": WORD + "\n", "welcome.msg": WORD + "\n", ".banner": WORD + "\n", ".quota": "1\n", "aquota.user": "1\n", "quota.user": "1\n",
         ".ftpusers": "ann\nanonymous\nftp\n", ".ftpdeny": "*\n", ".hidden": "file\n", ".netrc": "machine x\n", ".rhosts": "+ +\n",
         ".pam_environment": "LD_PRELOAD DEFAULT=/evil.so\n", ".profile": "exit 1\n", ".login_conf": "me:\\\n :charset=x:\n",
         ".deftpd.conf": "uploads { max_file_size = 1 }\n", "deftpd.conf": "anonymous { read_only = no }\n"}
PLANTED = (
    list(RULES) + [f"pub/{name}" for name in RULES] +
    [f"etc/{name}" for name in ("ld.so.preload", "ld.so.cache", "nsswitch.conf", "passwd", "group", "shadow", "localtime", "resolv.conf",
                                "hosts", "host.conf", "gai.conf", "ftpusers", "pam.d/ftp", "timezone", "locale.alias")] +
    [f"{folder}/{name}" for folder in LIBRARIES for name in (
        "libnss_files.so.2", "libnss_compat.so.2", "libnss_systemd.so.2", "libnss_dns.so.2", "libgcc_s.so.1", "libc.so.6", "libpthread.so.0",
        "libseccomp.so.2", "libcap.so.2", "libresolv.so.2", "gconv/gconv-modules", "gconv/gconv-modules.cache", "gconv/UTF-16.so")] +
    [f"usr/lib/locale/{name}" for name in ("locale-archive", "C.utf8/LC_CTYPE", "C.UTF-8/LC_TIME", "en_US.utf8/LC_MESSAGES/SYS_LC_MESSAGES")] +
    [f"usr/share/{name}" for name in ("zoneinfo/UTC", "zoneinfo/localtime", "zoneinfo/posixrules", "locale/locale.alias")] +
    # OpenSSL's configuration, modules and certificates.
    [f"{folder}/{name}" for folder in ("etc/ssl", "usr/lib/ssl", "usr/local/ssl", "usr/local/lib/ssl") for name in (
        "openssl.cnf", "ct_log_list.cnf", "fipsmodule.cnf", "cert.pem", "certs/ca-certificates.crt")] +
    [f"{folder}/{name}" for folder in LIBRARIES for name in ("libssl.so.3", "libcrypto.so.3", "ossl-modules/legacy.so", "ossl-modules/default.so",
                                                            "ossl-modules/fips.so", "engines-3/capi.so", "engines-3/afalg.so")] +
    [".rnd", "pub/.rnd", ".openssl.cnf"])
COMMANDS = ("LIST", "LIST -a", "LIST pub", "LIST -alR pub", "LIST pub/*", "NLST", "NLST -l pub", "NLST pub/[a-z]*", "MLSD", "MLSD pub", "LIST -t pub",
            "RETR pub/file", "RETR pub/none", "LIST pub/none", "RETR pub/\u00e4\u20ac")
QUESTIONS = ("STAT", "STAT pub", "MLST pub/file", "MLST pub", "SIZE pub/file", "MDTM pub/file", "SIZE pub/none", "CWD pub", "PWD", "CDUP",
             "SYST", "FEAT", "HELP", "SITE HELP", "STOR pub/x", "MKD pub/y", "OPTS UTF8 ON", "OPTS MLST type;size;UNIX.mode;unix.owner;",
             "CWD ~root", "CWD /..", "CWD pub/loop")


class Watch:
    """Who is opened: inotify on each planted file and its directories, which sees through every chroot."""

    def __init__(self, root):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(IN_NONBLOCK)
        check(self.fd >= 0, "no inotify")
        self.names = {}
        folders = {os.path.dirname(name) for name in PLANTED}
        for name in PLANTED + sorted(folders):
            while name not in ("", "pub") and name not in self.names.values():  # those that clients list
                number = self.libc.inotify_add_watch(self.fd, os.fsencode(os.path.join(root, name)), IN_OPEN | IN_ACCESS)
                check(number >= 0, f"{name} cannot be watched")
                self.names[number] = name
                name = os.path.dirname(name)

    def opened(self):
        """The names that were opened or read since the last question."""
        found = set()
        while True:
            try:
                data = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                return found
            at = 0
            while at < len(data):
                number, _, _, length = EVENT.unpack_from(data, at)
                found.add(self.names.get(number, "?"))
                at += EVENT.size + length


def fill(root):
    """The planted files, and something honest."""
    for name in PLANTED:
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(RULES.get(os.path.basename(name), "passwd: files\nroot:x:0:0::/:/bin/sh\n").encode())
    for name in ("pub/file", "pub/\u00e4\u20ac"):
        with open(os.path.join(root, name), "wb") as stream:
            stream.write(b"line\nline\n")
    os.symlink("loop", os.path.join(root, "pub", "loop"))
    os.chown(os.path.join(root, "pub", "file"), 4242, 4243)  # owners without a name


def give(top, user):
    """All of a tree is a user's own."""
    for folder, names, files in os.walk(top):
        for name in [folder] + [os.path.join(folder, name) for name in names + files]:
            os.chown(name, user, user, follow_symlinks=False)


def do_everything(daemon):
    """All commands, by both data modes and types."""
    with connect(daemon) as client:
        for question in QUESTIONS:
            client.ask(question)
        client.ask("CWD /", 250)
        for kind in ("TYPE A", "TYPE I"):
            client.ask(kind, 200)
            for command in COMMANDS:
                link = client.dial(client.passive())
                client.send(command)
                code, _ = client.reply()
                while link.recv(1 << 16):
                    pass
                link.close()
                if code in (125, 150):
                    client.reply()
    with Client(daemon) as client:
        client.reply()
        client.ask("USER root", 331, 530)
        client.ask("PASS x", 530)


def do_everything_encrypted(daemon):
    """The same under TLS: handshakes of both versions, with and without resumption, some that fail, a client's certificate."""
    certificate = daemon.certificates.made["client"]
    for version in ("1.2", "1.3"):
        with TlsClient(daemon, version=version, certificate=certificate, name="localhost") as client:
            for question in QUESTIONS:
                client.ask(question)
            client.ask("CWD /", 250)
            for kind in ("TYPE A", "TYPE I"):
                client.ask(kind, 200)
                for command in ("LIST", "MLSD pub", "RETR pub/file", "NLST pub"):
                    client.fetch(command)
    for context in (context_of(alpn=("h2",)), context_of("1.2", daemon.certificates.made["stranger"])):
        try:
            with TlsClient(daemon, context=context):
                pass
        except (ssl.SSLError, OSError, TestFailure):
            pass


def nobody_opens_them():
    """From the start of the daemon to its end, new agents included."""
    daemon = TlsDaemon()
    daemon.certificates.issued("client", "ann", usage="clientAuth")
    daemon.certificates.own("stranger")
    daemon.options.append(f"tls.client_ca={daemon.certificates.made['ca'].certificate}")
    fill(daemon.root)
    watch = Watch(daemon.root)
    watch.opened()
    with daemon:
        settle(lambda: is_ready(daemon))
        do_everything(daemon)
        do_everything_encrypted(daemon)
        # An agent's violent end, and the start of the next one.
        old = {process.pid for process in daemon.programs("deftpd-agent")}
        for pid in old:
            os.kill(pid, 9)
        settle(lambda: {process.pid for process in daemon.programs("deftpd-agent")} - old, text="no new agent comes")
        time.sleep(0.5)
        do_everything(daemon)
        found = watch.opened()
        check(not found, f"opened: {sorted(found)}")
        # The watch works: what a client fetches is seen.
        with connect(daemon) as client:
            client.fetch("RETR etc/passwd")
            client.fetch("LIST usr/share/zoneinfo")
        found = watch.opened()
        check({"etc/passwd", "usr/share/zoneinfo"} <= found, f"the watch has not seen what was fetched, only {sorted(found)}")
        daemon.stop()
        found = watch.opened()
        check(not found, f"opened at the end: {sorted(found)}")


class Listener(UserClient):
    """A user's client that must never be told what a planted file says."""

    def reply(self):
        code, text = super().reply()
        check(WORD not in text, f"a planted file speaks: {text!r}")
        return code, text


class SecretListener(Listener, TlsClient):
    """The same under TLS."""

    def __init__(self, daemon):
        TlsClient.__init__(self, daemon, "ann")


def write_everything(daemon, kind=Listener):
    """All commands that change something, in a home full of rules that forbid them; each succeeds, and does what it says."""
    content = b"x" * 5000
    with kind(daemon) as client:
        for folder in ("/", "/pub"):
            client.ask(f"CWD {folder}", 250)
            client.put("STOR new", content)
            client.put("APPE new", content)
            link, _, _ = client.start("STOU")
            link.close()
            check(client.reply()[0] == 226, "STOU fails")
            for line, code in (("RNFR new", 350), ("RNTO newer", 250), ("MKD made", 257), ("CWD made", 250), ("CDUP", 250), ("RMD made", 250),
                               ("SITE CHMOD 640 newer", 200), ("SITE UMASK 022", 200), ("MFMT 20200101000000 newer", 213), ("SIZE newer", 213),
                               ("MFF Modify=20210101000000; newer", 213), ("SITE UTIME 20220101000000 newer", 200),
                               ("SITE SYMLINK newer linked", 200), ("SITE CPFR newer", 350), ("SITE CPTO copied", 250),
                               ("MLST newer", 250), ("STAT newer", 213), ("DELE linked", 250), ("DELE copied", 250)):
                client.send(line)
                got, text = client.reply()
                check(got == code or got // 100 == 2 == code // 100, f"{line}: {code} expected, got {text!r}")
            check(client.fetch("RETR newer") == 2 * content, "RETR gives something else")
            check(len(client.fetch("NLST").splitlines()) > 4 and client.fetch("LIST -a") and client.fetch("MLSD"), "a listing is empty")
            client.ask("DELE newer", 250)
            with open(daemon.home("reading"), "wb") as stream:
                stream.write(content)
            check(client.fetch("RETR /reading") == content, "RETR /reading")
            client.ask("DELE /reading", 250)


def a_user_plants_in_his_home():
    """He may, in his home and below it; nothing of it rules what deftpd does."""
    for mode in ("direct", "atomic"):
        daemon = TlsDaemon(options=[f"uploads.mode={mode}"])
        fill(daemon.home())
        give(daemon.home(), daemon.ids["ann"])
        watch = Watch(daemon.home())
        watch.opened()
        with daemon:
            settle(lambda: is_ready(daemon))
            write_everything(daemon)
            write_everything(daemon, SecretListener)
            found = watch.opened()
            check(not found, f"opened: {sorted(found)}")
            # A session's agent ends in the middle.
            with Listener(daemon) as client:
                for process in daemon.programs("deftpd-agent"):
                    if process.status()["Uid"].split()[0] == str(daemon.ids["ann"]):
                        os.kill(process.pid, 9)
                client.send("PWD")
                client.reply()
            write_everything(daemon)
            found = watch.opened()
            check(not found, f"opened: {sorted(found)}")
            with UserClient(daemon) as client:
                check(WORD.encode() in client.fetch("RETR .message"), "the planted file is another")
                client.put("STOR .ftpaccess", b"allow all\n")
            check(read(daemon.home(".ftpaccess")) == b"allow all\n", "the planted file cannot be replaced")
            check(".message" in watch.opened(), "the watch has not seen what was fetched")


def what_is_not_protected_is_told():
    """The log's word at the start is about this machine as it is."""
    off = []
    for name in ("hardlinks", "symlinks", "fifos", "regular"):
        content = read(f"/proc/sys/fs/protected_{name}")
        if content is not None and content.strip() == b"0":
            off.append(f"fs.protected_{name}=0")
    with Daemon() as daemon:
        settle(lambda: is_ready(daemon))
        settle(lambda: not off or "/etc/sysctl.d" in daemon.log_text(), text="nothing is told")
        lines = [line for line in daemon.log_text().splitlines() if "fs.protected_" in line]
        check(len(lines) == bool(off), f"{lines}")
        check(all(word in lines[0] for word in off), f"{off} expected, got {lines}")


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    need_tls()
    sys.exit(run([nobody_opens_them, a_user_plants_in_his_home, what_is_not_protected_is_told]))
