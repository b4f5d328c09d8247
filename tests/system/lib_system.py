"""lib_system: what the system tests share: a plain client, a network of their own, and looking at processes.

Only the standard library is needed, and iproute2 where a test wants a network namespace.
"""

import ctypes
import os
import re
import shutil
import socket
import stat
import struct
import subprocess
import tempfile
import time

from lib_daemon import FAMILIES, HOSTS, programs_directory, skip, slowness

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
UNIX_TYPES = {"0001": "stream", "0002": "datagram", "0005": "channel"}
TCP_STATES = {"0A": "listener", "01": "connection", "02": "connecting"}


class TestFailure(Exception):
    """The daemon did not do what the test expects."""


def check(is_right, text):
    """Fail with the text unless it is right."""
    if not is_right:
        raise TestFailure(text)


def need_root():
    """Skip the test for anybody but root."""
    if os.geteuid() != 0:
        skip("this test needs root")


def without_root(what):
    """Whether this part of a test is left out, because only root sees into our processes, which are undumpable."""
    if os.geteuid() == 0:
        return False
    print(f"  skipped: {what} needs root")
    return True


def need_program(name):
    """Skip the test where the program is not installed."""
    if shutil.which(name) is None:
        skip(f"{name} is not installed")


def _libc_call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def enter_network(addresses):
    """Have a network of our own with these addresses, "192.0.2.1/24" for instance, on the loopback interface."""
    need_root()
    need_program("ip")
    try:
        _libc_call("unshare", CLONE_NEWNET)
    except OSError as error:
        skip(f"no network namespace can be made: {error}")
    commands = [["link", "set", "lo", "up"]]
    for address in addresses:
        commands.append(["addr", "add", address, "dev", "lo"] + (["nodad"] if ":" in address else []))
    for command in commands:
        subprocess.run(["ip"] + command, check=True)


def enter_mounts():
    """Have mounts of our own, which nobody else sees."""
    need_root()
    try:
        _libc_call("unshare", CLONE_NEWNS)
        _libc_call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    except OSError as error:
        skip(f"no mount namespace can be made: {error}")


def have_users():
    """Have deftpd's users, in mounts of our own, as an installation has them: {name: uid}."""
    enter_mounts()
    users = {"deftpd": 64001, "deftpd-log": 64002, "ftp": 64003}
    for name, line in (("passwd", "{0}:x:{1}:{1}::/nonexistent:/usr/sbin/nologin\n"), ("group", "{0}:x:{1}:\n")):
        with open(f"/etc/{name}", encoding="utf-8") as stream:
            kept = [row for row in stream if row.split(":")[0] not in users]
        with tempfile.NamedTemporaryFile("w", delete=False) as stream:
            stream.writelines(kept + [line.format(*user) for user in users.items()])
            os.fchmod(stream.fileno(), 0o644)
        _libc_call("mount", stream.name.encode(), f"/etc/{name}".encode(), None, MS_BIND, None)
        os.unlink(stream.name)
    return users


def reset(link):
    """Close so that the other side sees a reset."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()


class Client:
    """A client that says what it is told, and reads whole replies."""

    def __init__(self, daemon, family=4, host=None, source=None, timeout=10):
        self.host = host or HOSTS[family]
        self.family = FAMILIES[family]
        self.link = socket.socket(self.family)
        self.link.settimeout(timeout * slowness())
        if source:
            self.link.bind((source, 0))
        self.link.connect((self.host, daemon.port))
        self.bytes = b""
        self.source = source

    def line(self):
        """The next line without its end; "" at the end of the connection."""
        while b"\n" not in self.bytes:
            try:
                more = self.link.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return ""
            self.bytes += more
        line, _, self.bytes = self.bytes.partition(b"\n")
        return line.decode("utf-8", "backslashreplace").rstrip("\r")

    def reply(self):
        """(code, text) of the next reply; (0, "") at the end of the connection."""
        lines = [self.line()]
        if not lines[0]:
            return 0, ""
        while not re.match(lines[0][:3] + " ", lines[-1]):
            lines.append(self.line())
            if not lines[-1]:
                return 0, ""
        return int(lines[0][:3]), "\n".join(lines)

    def send(self, line):
        """Send one line."""
        self.link.sendall(line.encode() + b"\r\n")

    def ask(self, line, *codes):
        """Send a line and return the reply's text; without codes any will do."""
        self.send(line)
        code, text = self.reply()
        check(not codes or code in codes, f"{line}: {codes} expected, got {text!r}")
        return text

    def login(self):
        """Read the greeting and log in anonymously."""
        code, text = self.reply()
        check(code == 220, f"220 expected, got {text!r}")
        self.ask("USER anonymous", 331, 230)
        self.ask("PASS test@example.com", 230)
        self.ask("TYPE I", 200)
        return self

    def passive(self):
        """EPSV; returns where to connect to."""
        text = self.ask("EPSV", 229)
        return self.host, int(re.search(r"\(\|\|\|(\d+)\|\)", text).group(1))

    def dial(self, address, source=None):
        """Make a data connection."""
        link = socket.socket(self.family)
        link.settimeout(10 * slowness())
        if source or self.source:
            link.bind((source or self.source, 0))
        link.connect(address)
        return link

    def begin(self, command):
        """Begin a transfer by EPSV; returns the data connection."""
        link = self.dial(self.passive())
        self.ask(command, 125, 150)
        return link

    def fetch(self, command):
        """A whole transfer that succeeds; returns its bytes."""
        link = self.begin(command)
        data = read_all(link)
        code, text = self.reply()
        check(code == 226, f"{command}: 226 expected, got {text!r}")
        return data

    def close(self):
        """Close the connection."""
        self.link.close()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()


def connect(daemon, **how):
    """A client that has logged in anonymously."""
    return Client(daemon, **how).login()


def read_all(link):
    """Everything up to the end of a connection, which is closed then."""
    parts = []
    with link:
        while True:
            part = link.recv(1 << 18)
            if not part:
                return b"".join(parts)
            parts.append(part)


class Sockets:
    """What the sockets of this network namespace are, by inode."""

    def __init__(self):
        self.kinds = {}
        for table in ("tcp", "tcp6"):
            for row in self._rows(table):
                self.kinds[int(row[9])] = "tcp " + TCP_STATES.get(row[3], "ended")
        for row in self._rows("unix"):
            self.kinds[int(row[6])] = "unix " + UNIX_TYPES.get(row[4], row[4])
        for table in ("udp", "udp6", "raw", "raw6"):
            for row in self._rows(table):
                self.kinds[int(row[9])] = table
        for row in self._rows("netlink"):
            self.kinds[int(row[9])] = "netlink"

    @staticmethod
    def _rows(table):
        try:
            with open(f"/proc/net/{table}", encoding="ascii", errors="replace") as stream:
                return [line.split() for line in stream][1:]
        except OSError:
            return []

    def kind(self, process, number, target):
        """What one descriptor of a process is, in a word or two."""
        match = re.match(r"socket:\[(\d+)\]", target)
        if match:
            return self.kinds.get(int(match.group(1)), "tcp unbound")
        if target.startswith(("pipe:", "anon_inode:")):
            return target.split("[")[-1].rstrip("]") if target.startswith("anon") else "pipe"
        if target == "/dev/null":
            return "null"
        try:
            mode = os.stat(f"/proc/{process.pid}/fd/{number}").st_mode
        except OSError:
            return "gone"
        if stat.S_ISDIR(mode):
            return "directory " + target
        if stat.S_ISREG(mode):
            return "file " + target
        return "other " + target


def descriptor_kinds(process, sockets=None):
    """How many descriptors of each kind a process has: {kind: count}."""
    sockets = sockets or Sockets()
    found = {}
    for number, target in process.descriptors().items():
        kind = sockets.kind(process, number, target)
        found[kind] = found.get(kind, 0) + 1
    return found


def descriptor_count(pid):
    """How many descriptors a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_seconds(pid):
    """Processor time that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
        fields = stream.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_sanitized():
    """Whether the programs are a sanitizer build, which has no system call filter and needs more memory."""
    with open(os.path.join(programs_directory(), "deftpd-worker"), "rb") as stream:
        return b"__asan_init" in stream.read()


def is_ready(daemon):
    """Whether the daemon has said that it is ready."""
    return "is ready" in daemon.log_text()


def settle(question, timeout=10.0, text="it did not settle"):
    """Ask until the answer is true; fail when the time is over."""
    deadline = time.monotonic() + timeout * slowness()
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TestFailure(text() if callable(text) else text)
        time.sleep(0.02)


def run(tests):
    """Run each test function and say its name; a failure ends with status 1."""
    for test in tests:
        print(f"- {test.__name__}", flush=True)
        test()
