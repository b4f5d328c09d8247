#!/usr/bin/env python3
"""explain: deftpd --explain says what applies to a user and which line decides it, for every source, list, limit and section, and asks no
running server."""

import os
import pwd
import subprocess
import sys
import tempfile

from lib_daemon import programs_directory
from lib_system import _libc_call, check, enter_mounts, run, without_root

MS_BIND = 0x1000
USERS = {
    "joe": "joe:x:5001:5001:Joe:/home/joe:/bin/sh",
    "ann": "ann:x:5002:5001:Ann:/srv/ftp/./ann:/bin/sh",
    "low": "low:x:300:5001::/home/low:/bin/sh",
    "toor": "toor:x:0:0::/root-of-toor:/bin/sh",
    "bot": "bot:x:5003:5003::/home/bot:/usr/sbin/nologin",
    "crowd": "crowd:x:5007:5001::/home/crowd:/bin/sh",
    "lost": "lost:x:5004:5001::relative:/bin/sh",
}
GROUPS = ("joe:x:5001:", "botgroup:x:5003:", "second:x:5005:joe,ann", "first:x:5006:joe",
          *(f"crowd{number}:x:{number}:crowd" for number in range(5100, 5400)))
CONF = """\
passive_address = "192.0.2.9"
passive_address_for = {"10.0.0.0/8=192.168.1.1"}
max_sessions_per_address = 7
local_users { enabled = yes }
logins {
\tdeny_groups = botgroup
\tdenied_file = "DENIED"
}
virtual_users { file = "USERS" user = "" root = "/srv/%u" }
rates { address_up = 3K }
user joe {
\tumask = 027
\trate_down = 20M
}
group first { umask = 077 max_sessions = 5 }
group second { max_sessions = 6 upload_mode = atomic }
directory "/in" { upload_mode = durable }
directory "/in/ro" { read_only = yes }
host ftp.example.org { read_only = yes }
user eve { login = no }
"""
VIRTUAL = """\
# users of the house
eve:$6$salt$hash:7001:7001::/srv/eve:
joe@example.org:$6$salt$hash:7002:7002::/srv/joe:
locked:!$6$salt$hash:7003:7003::/srv/locked:
broken:$6$salt
super:$6$salt$hash:0:0::/srv/super:
"""


class Place:
    """A directory with a configuration, a file of virtual users and one of denied ones."""

    def __init__(self, text=CONF):
        self.folder = tempfile.TemporaryDirectory(prefix="deftpd-explain-")
        self.users = self._write("users", VIRTUAL, 0o600)
        self.denied = self._write("denied", "# nobody of these\nlow\nann\n", 0o644)
        self.conf = self._write("deftpd.conf", text.replace("USERS", self.users).replace("DENIED", self.denied), 0o644)

    def _write(self, name, text, mode):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(path, mode)
        return path

    def ask(self, who, *overrides, status=0):
        """The lines that deftpd prints; a row's parts are one blank apart."""
        command = [os.path.join(programs_directory(), "deftpd"), "--explain", who, "-c", self.conf]
        for override in overrides:
            command += ["-o", override]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        check(done.returncode == status, f"{who}: status {done.returncode}, {status} expected: {done.stdout}{done.stderr}")
        return [" ".join(line.split()).replace(self.folder.name + "/", "") for line in (done.stdout + done.stderr).splitlines()]

    def expect(self, who, *wanted, overrides=(), status=0):
        """Ask, and find each of these lines, in this order."""
        lines = self.ask(who, *overrides, status=status)
        rest = iter(lines)
        for line in wanted:
            check(line in rest, f"{who}: {line!r} is not there, or not in its place:\n" + "\n".join(lines))


def virtual_users():
    """The file of virtual users comes first; the numbers are its own."""
    place = Place()
    place.expect("eve", "source virtual: users:2", "password a hash in that line", "uid, gid 7001, 7001", "home /srv/eve",
                 "admission refused: login = no in a section about the user (deftpd.conf:20, user \"eve\")",
                 "directory seen as / /srv/eve deftpd.conf:9 (virtual_users.root)", "begins in /", "login no deftpd.conf:20, user \"eve\"",
                 "chroot yes default", "umask 022 default (uploads.umask)")
    place.expect("joe@example.org", "user joe@example.org", "source virtual: users:3", "admission by the lists and limits",
                 "directory seen as / /srv/joe@example.org deftpd.conf:9 (virtual_users.root)")
    place.expect("joe@example.org@192.0.2.77", "user joe@example.org", "from 192.0.2.77")
    place.expect("locked", "source virtual: users:4", "password none matches: it is empty or locked")
    place.expect("broken", "source virtual: users:5: his line is wrong, and he cannot log in; deftp-passwd list -f users tells why", status=1)
    place.expect("super", "admission refused: user number below local_users.min_uid, or user or group number 0 or 4294967295 (default)")
    place.expect("eve", "source virtual: /nowhere: there is no such file, and nobody whom it could name can log in",
                 overrides=("virtual_users.file=/nowhere",), status=1)
    os.chmod(place.users, 0o644)
    place.expect("eve", "source virtual: users: it may be changed or read by others; chmod 600 it, and nobody whom it could name can log in",
                 status=1)


def borrowed_numbers():
    """Virtual users get the numbers of virtual_users.user."""
    nobody = pwd.getpwnam("nobody")
    place = Place()
    place.expect("eve", f"uid, gid {nobody.pw_uid}, {nobody.pw_gid}", "home /srv/eve", overrides=("virtual_users.user=nobody",))
    place.expect("eve", "-o virtual_users.user=root: virtual_users.user must not be root, whom nothing confines; name a user who owns nothing",
                 overrides=("virtual_users.user=root",), status=1)
    place.expect("eve", "virtual_users.user nobody-has-this: there is no such user; create that user, or name another",
                 overrides=("virtual_users.user=nobody-has-this",), status=1)


def addresses():
    """What an address changes."""
    place = Place()
    place.expect("eve@10.1.2.3", "from 10.1.2.3", "sessions at once 7 deftpd.conf:3", "rate_down 0 default", "rate_up 3072 deftpd.conf:10",
                 "PASV tells him 192.168.1.1 deftpd.conf:2 (passive_address_for)")
    place.expect("eve@::ffff:11.1.2.3", "from 11.1.2.3", "PASV tells him 192.0.2.9 deftpd.conf:1 (passive_address)")
    place.expect("eve@2001:db8::7", "from 2001:db8::7, and all of its /64 network together",
                 "PASV tells him nothing it knows IPv4 alone; he uses EPSV")
    place.expect("eve@10.1.2.3", "PASV tells him the address that he has connected to -o passive_address= (passive_address)",
                 overrides=("passive_address_for=", "passive_address="))


def anonymous_clients():
    """They have section anonymous, and no titled section is about them."""
    place = Place("max_sessions = 3\nanonymous {\n\tenabled = yes\n\tmax_rate = 1M\n\tupload_directory = /in\n\troot = \"/srv/100%\"\n}\n"
                  "directory \"/in\" { umask = 0 }\n")
    for name in ("anonymous", "ftp"):
        place.expect(name, "source anonymous", "admission by the lists and limits", "directory seen as / /srv/100% deftpd.conf:6 (anonymous.root)",
                     "read_only yes default (anonymous.read_only)", "umask 077 default (anonymous.umask)",
                     "rate_down 1048576 deftpd.conf:4 (anonymous.max_rate)", "upload_directory /in deftpd.conf:5",
                     overrides=("anonymous.user=nobody",))
        check(not any(line.startswith("beneath") for line in place.ask(name, "anonymous.user=nobody")), "a directory section is shown")
    place.expect("anonymous", "source anonymous.enabled = no", "source virtual: virtual_users.file is not set",
                 "source local: local_users.enabled = no (default)", "unknown: no source has a user anonymous",
                 overrides=("anonymous.enabled=no", "anonymous.upload_directory="), status=1)


TLS = """\
tls {
\tcertificate = /c
\tpolicy = logins
\tclient_ca = /ca
\tclient_login = match
}
anonymous { enabled = yes user = nobody tls_policy = optional }
virtual_users { file = "USERS" user = "" }
user eve { client_name = "%u@a.org" }
host a.org {
\ttls_policy = all
\tusers_file = "USERS.a"
\tanonymous_root = /srv/a
\tcertificate = { /a, "credential:b" }
}
host b.org { tls_policy = optional }
"""


def encryption_and_hosts():
    """What must be encrypted, whose certificate is whose, and what a host has for itself."""
    place = Place(TLS)
    other = place._write("users.a", "fay:$6$salt$hash:7009:7009::/srv/fay:\n", 0o600)
    check(other == place.users + ".a", "the second file is elsewhere")
    place.expect("eve", "tls_policy logins deftpd.conf:3 (tls.policy)", "client_name %u@a.org deftpd.conf:9, user \"eve\"",
                 "his certificate for eve@a.org, besides the password deftpd.conf:5", "on host a.org, section of line 10",
                 "tls_policy all deftpd.conf:11, host \"a.org\"", "users_file users.a deftpd.conf:12, host \"a.org\"",
                 "does not name him; virtual_users.file is not asked there", "certificate /a deftpd.conf:14, host \"a.org\"",
                 "certificate credential:b deftpd.conf:14, host \"a.org\"", "on host b.org, section of line 16",
                 "tls_policy optional deftpd.conf:16, host \"b.org\"")
    place.expect("eve", "his certificate for eve@a.org, or the password -o tls.client_login=enough",
                 overrides=("tls.client_login=enough",))
    Place().expect("eve", "tls_policy off default (tls.policy)", "encryption none default (tls.certificate)")
    place.expect("fay", "unknown: no source has a user fay", "but on host a.org: users.a:1 names him", status=1)
    place.expect("ftp", "tls_policy optional deftpd.conf:7 (anonymous.tls_policy)", "on host a.org, section of line 10",
                 "anonymous_root /srv/a deftpd.conf:13, host \"a.org\"")
    shown = place.ask("ftp")
    check(not any("users_file" in line or "client_name" in line for line in shown), "anonymous clients have no such key")


def mistakes():
    """Nothing is explained from a configuration with mistakes, or of nobody."""
    place = Place()
    place.expect("nobody-has-this", "source virtual: users does not name him", "source local: the machine has no such user",
                 "unknown: no source has a user nobody-has-this", status=1)
    place.expect("eve", "-o uplaods.umask=7: unknown option uplaods.umask; did you mean uploads.umask?",
                 overrides=("uplaods.umask=7",), status=1)
    place.expect("x" * 5000, "deftpd: --explain: the name is too long", status=1)


def local_users():
    """Lists, limits, groups and homes of the machine's users; in mounts of our own."""
    if without_root("having users of our own"):
        return
    enter_mounts()
    for name, added in (("passwd", USERS.values()), ("group", GROUPS)):
        with open(f"/etc/{name}", encoding="utf-8") as stream:
            mine = {line.split(":")[0] for line in added}
            kept = [line for line in stream if line.split(":")[0] not in mine]
        with tempfile.NamedTemporaryFile("w", delete=False) as stream:
            stream.writelines(kept + [line + "\n" for line in added])
            os.fchmod(stream.fileno(), 0o644)
        _libc_call("mount", stream.name.encode(), f"/etc/{name}".encode(), None, MS_BIND, None)
        os.unlink(stream.name)
    place = Place()
    place.expect("joe", "source virtual: users does not name him", "source local", "password PAM decides, by /etc/pam.d/deftpd",
                 "uid, gid 5001, 5001", "home /home/joe", "shell /bin/sh", "admission by the lists and limits",
                 "directory seen as / /home/joe default (local_users.root)", "there is no directory /home/joe; he cannot log in",
                 "umask 027 deftpd.conf:12, user \"joe\"", "max_sessions 5 deftpd.conf:15, group \"first\"",
                 "rate_down 20971520 deftpd.conf:13, user \"joe\"", "beneath /in", "upload_mode durable deftpd.conf:17, directory \"/in\"",
                 "umask 027 deftpd.conf:12, user \"joe\"", "beneath /in/ro", "read_only yes deftpd.conf:18, directory \"/in/ro\"",
                 "upload_mode durable deftpd.conf:17, directory \"/in\"",
                 "on host ftp.example.org, section of line 19", "read_only yes deftpd.conf:19, host \"ftp.example.org\"")
    place.expect("ann", "groups joe second",
                 "admission refused: named in the file of logins.denied_file (deftpd.conf:7)",
                 "directory seen as / /srv/ftp default (local_users.root)", "begins in /ann",
                 "upload_mode atomic deftpd.conf:16, group \"second\"")
    place.expect("ann", "directory seen as / / default (local_users.root)", "begins in /srv/ftp/ann", "chroot no -o local_users.chroot=no "
                 "(local_users.chroot)", overrides=("local_users.chroot=no",))
    place.expect("low", "admission refused: user number below local_users.min_uid, or user or group number 0 or 4294967295 (default)",
                 overrides=("logins.denied_file=",))
    place.expect("toor", "admission refused: user number below local_users.min_uid, or user or group number 0 or 4294967295 (-o local_users.min_uid=1)",
                 overrides=("local_users.min_uid=1",))
    place.expect("bot", "admission refused: in a group of logins.deny_groups (deftpd.conf:6)")
    place.expect("bot", "admission refused: the shell is not in /etc/shells, which local_users.valid_shell wants (default)",
                 overrides=("logins.deny_groups=",))
    place.expect("joe", "admission refused: neither in logins.allow_users nor in a group of logins.allow_groups (-o logins.allow_groups=x)",
                 overrides=("logins.allow_groups=x",))
    place.expect("joe", "password PAM decides, by /etc/pam.d/nowhere",
                 "there is none, so PAM goes by /etc/pam.d/other, which lets nobody in as a rule",
                 overrides=("local_users.pam_service=nowhere",))
    place.expect("crowd", "admission refused: in 301 groups, of which only 256 can be compared with logins.deny_groups and the "
                 "sections \"group\"")
    place.expect("lost", "directory seen as / refused: \"~\" with the home \"relative\" is no absolute path, or too long "
                 "(default (local_users.root))")


if __name__ == "__main__":
    sys.exit(run([virtual_users, borrowed_numbers, addresses, anonymous_clients, encryption_and_hosts, mistakes, local_users]))
