#!/usr/bin/env python3
"""planted: files that the C library would load code or names from, planted in the anonymous root, are never opened by an agent, whatever
a client does, except when the client fetches them (DESIGN.md section 3, rule 6; SECURITY.md F4)."""

import ctypes
import os
import struct
import sys
import time

from lib_daemon import Daemon
from lib_system import Client, check, connect, is_ready, need_root, run, settle

IN_ACCESS, IN_OPEN = 0x1, 0x20
IN_NONBLOCK = 0o4000
EVENT = struct.Struct("iIII")
LIBRARIES = "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "lib64", "lib", "usr/lib"
PLANTED = (
    [f"etc/{name}" for name in ("ld.so.preload", "ld.so.cache", "nsswitch.conf", "passwd", "group", "shadow", "localtime", "resolv.conf",
                                "hosts", "host.conf", "gai.conf", "ftpusers", "pam.d/ftp", "timezone", "locale.alias")] +
    [f"{folder}/{name}" for folder in LIBRARIES for name in (
        "libnss_files.so.2", "libnss_compat.so.2", "libnss_systemd.so.2", "libnss_dns.so.2", "libgcc_s.so.1", "libc.so.6", "libpthread.so.0",
        "libseccomp.so.2", "libcap.so.2", "libresolv.so.2", "gconv/gconv-modules", "gconv/gconv-modules.cache", "gconv/UTF-16.so")] +
    [f"usr/lib/locale/{name}" for name in ("locale-archive", "C.utf8/LC_CTYPE", "C.UTF-8/LC_TIME", "en_US.utf8/LC_MESSAGES/SYS_LC_MESSAGES")] +
    [f"usr/share/{name}" for name in ("zoneinfo/UTC", "zoneinfo/localtime", "zoneinfo/posixrules", "locale/locale.alias")])
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
            while name and name not in self.names.values():
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
            stream.write(b"passwd: files\nroot:x:0:0::/:/bin/sh\n")
    os.mkdir(os.path.join(root, "pub"))
    for name in ("pub/file", "pub/\u00e4\u20ac"):
        with open(os.path.join(root, name), "wb") as stream:
            stream.write(b"line\nline\n")
    os.symlink("loop", os.path.join(root, "pub", "loop"))
    if os.geteuid() == 0:
        os.chown(os.path.join(root, "pub", "file"), 4242, 4243)  # owners without a name


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


def nobody_opens_them():
    """From the start of the daemon to its end, new agents included."""
    daemon = Daemon()
    fill(daemon.root)
    watch = Watch(daemon.root)
    watch.opened()
    with daemon:
        settle(lambda: is_ready(daemon))
        do_everything(daemon)
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


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    sys.exit(run([nobody_opens_them]))
