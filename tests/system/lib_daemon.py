"""lib_daemon: starts the real daemon for a test, finds its processes, ends it, and says what was wrong.

Used by the dialogues, the interoperability tests and the system tests. Only the standard library is needed.

    with Daemon(options=["max_sessions=3"]) as daemon:
        socket.create_connection(daemon.address(4))

A daemon has a directory of its own: `daemon.root` is the anonymous root, `daemon.log_text()` what it wrote to
its standard error, `daemon.transfer_log` the path of its transfer log. It runs as whoever runs the test: with all
its users and the chroot as root, without them as anybody else.
"""

import ctypes
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36
SKIPPED = 77
HOSTS = {4: "127.0.0.1", 6: "::1"}
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}

# What no test may leave in the daemon's log: reports of the sanitizers and of the system call filter.
REPORT = re.compile(
    r"^.*(ERROR: \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer|"
    r"[Dd]enied.*system call|system call.*denied|^bug: |: bug: ).*$", re.M)


class DaemonError(Exception):
    """The daemon did not start, or did not end, as it should."""


def slowness():
    """The factor by which this machine or build is slower than a test expects."""
    return float(os.environ.get("DEFTPD_TEST_SLOWNESS", "1"))


def programs_directory(given=None):
    """Where the programs are: the argument, $DEFTPD_BIN, or build/bin beside the sources."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.path.abspath(given or os.environ.get("DEFTPD_BIN") or os.path.join(top, "build", "bin"))


def skip(why):
    """End the test as ctest knows it from SKIP_RETURN_CODE."""
    print("skipped:", why)
    sys.exit(SKIPPED)


def has_ipv6():
    """Whether the loopback interface has an IPv6 address."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((HOSTS[6], 0))
        return True
    except OSError:
        return False


def has_user(name):
    """Whether the system knows the user."""
    try:
        pwd.getpwnam(name)
        return True
    except KeyError:
        return False


def adopt_orphans():
    """Become the parent of whatever the daemon leaves behind, so that it can be seen."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Process:
    """One line of /proc: pid, parent, name, state, session, program, arguments."""

    def __init__(self, pid):
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            text = stat.read()
        name_end = text.rindex(")")
        fields = text[name_end + 2:].split()
        self.pid = pid
        self.name = text[text.index("(") + 1:name_end]
        self.state = fields[0]
        self.parent = int(fields[1])
        self.session = int(fields[3])
        self.arguments = self._read("cmdline").split("\0")[:-1]
        try:
            self.program = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
        except OSError:
            self.program = ""

    def _read(self, what):
        try:
            with open(f"/proc/{self.pid}/{what}", encoding="utf-8", errors="replace") as stream:
                return stream.read()
        except OSError:
            return ""

    def status(self):
        """The fields of /proc/PID/status as a dictionary of texts."""
        pairs = (line.split(":", 1) for line in self._read("status").splitlines())
        return {key: value.strip() for key, value in pairs}

    def descriptors(self):
        """What each open descriptor refers to: {number: target}."""
        found = {}
        folder = f"/proc/{self.pid}/fd"
        for number in os.listdir(folder):
            try:
                found[int(number)] = os.readlink(f"{folder}/{number}")
            except OSError:
                pass  # closed since
        return found

    def __repr__(self):
        return f"{self.pid} {self.program or self.name} ({self.state}, child of {self.parent})"


def all_processes():
    """Every process of the system by pid."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                found[int(entry)] = Process(int(entry))
            except (OSError, ValueError):
                pass  # ended since
    return found


def descendants(pid):
    """The processes below pid, parents before children."""
    processes = all_processes()
    found, parents = [], {pid}
    while parents:
        children = [p for p in processes.values() if p.parent in parents]
        found += children
        parents = {p.pid for p in children}
    return found


class PortLock:
    """A port that no other test of this system uses: an abstract socket of its name is held."""

    def __init__(self):
        for _ in range(1000):
            self.port = random.randrange(20000, 32000)
            self.holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                self.holder.bind(f"\0deftpd-test-port-{self.port}")
                if self._is_free():
                    return
            except OSError:
                pass
            self.holder.close()
        raise DaemonError("no free port between 20000 and 32000")

    def _is_free(self):
        for family, host in HOSTS.items():
            if family == 6 and not has_ipv6():
                continue
            with socket.socket(FAMILIES[family]) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, self.port))
        return True

    def release(self):
        """Let others have the port."""
        self.holder.close()


def is_listening(port):
    """Whether a socket listens on the TCP port; no connection is made, so no session is used up."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as stream:
                rows = [line.split() for line in stream][1:]
        except OSError:
            continue
        if any(int(row[1].rsplit(":", 1)[1], 16) == port and row[3] == "0A" for row in rows):
            return True
    return False


class Daemon:
    """One deftpd with a directory, ports and a configuration of its own."""

    def __init__(self, directory=None, options=(), arguments=None, user=None, configuration=""):
        """
        directory:     of the programs; None: see programs_directory().
        options:       KEY=VALUE texts, as for -o; they win over what a test needs by default.
        arguments:     instead of -c and -o; "{port}" and "{root}" are replaced.
        user:          run as this user (only for root), e.g. "nobody": then without root.
        configuration: text of the configuration file.
        """
        self.directory = programs_directory(directory)
        self.user = user
        self.is_root = os.geteuid() == 0 and user in (None, "root")
        self.options = list(options)
        self.arguments = arguments
        self.configuration = configuration
        self.place = tempfile.mkdtemp(prefix="deftpd-test-")
        os.chmod(self.place, 0o755)
        self.root = os.path.join(self.place, "root")
        self.transfer_log = os.path.join(self.place, "log", "xferlog")
        self.error_path = os.path.join(self.place, "stderr")
        os.mkdir(self.root, 0o755)
        os.mkdir(os.path.dirname(self.transfer_log))
        os.chmod(os.path.dirname(self.transfer_log), 0o777)  # the recorder has a user of its own
        self.lock = PortLock()
        self.port = self.lock.port
        self.child = None
        self.exit_status = None
        self.complaints = []

    # starting and ending

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        text = self.log_text()
        if kind is not None:
            print(f"--- log of the daemon\n{text}---", file=sys.stderr)
        self.remove()
        if kind is None and self.complaints:
            print(f"--- log of the daemon\n{text}---", file=sys.stderr)
            raise DaemonError("; ".join(self.complaints))

    def default_options(self):
        """What every test needs, as KEY=VALUE."""
        hosts = [f"127.0.0.1:{self.port}"] + ([f"[::1]:{self.port}"] if has_ipv6() else [])
        options = [
            "listen=" + ",".join(hosts),
            "anonymous.enabled=yes",
            f"anonymous.root={self.root}",
            f"log.transfers={self.transfer_log}",
            "log.events=stderr",
            "shared_workers=1",
            "spare_min=1",
            "spare_max=4",
        ]
        if not self.is_root:
            options.append("active_port=0")
        else:
            for key, name in (("anonymous.user", "ftp"), ("worker_user", "deftpd"),
                              ("recorder_user", "deftpd-log")):
                if not has_user(name):
                    options.append(f"{key}=nobody")
        return options

    def command_line(self):
        """The words that start the daemon."""
        program = os.path.join(self.directory, "deftpd")
        if self.arguments is not None:
            return [program] + [word.format(port=self.port, root=self.root) for word in self.arguments]
        path = os.path.join(self.place, "deftpd.conf")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(self.configuration)
        words = [program, "-c", path]
        given = {option.split("=", 1)[0] for option in self.options}
        for option in self.default_options():
            if option.split("=", 1)[0] not in given:
                words += ["-o", option]
        for option in self.options:
            words += ["-o", option]
        return words

    def start(self, timeout=10.0):
        """Start and wait until the port listens."""
        adopt_orphans()
        environment = dict(os.environ)
        environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
        environment.pop("NOTIFY_SOCKET", None)
        try:
            self._execute(environment)
        except OSError as error:
            self.remove()
            raise DaemonError(f"deftpd cannot be executed: {error}") from error
        deadline = time.monotonic() + timeout * slowness()
        while not is_listening(self.port):
            if self.child.poll() is not None:
                text = self.log_text()
                self.remove()
                raise DaemonError(f"deftpd ended at once, status {self.child.returncode}:\n{text}")
            if time.monotonic() > deadline:
                self.kill()
                text = self.log_text()
                self.remove()
                raise DaemonError(f"deftpd does not listen on port {self.port}:\n{text}")
            time.sleep(0.01)

    def _execute(self, environment):
        with open(self.error_path, "ab") as error:
            self.child = subprocess.Popen(
                self.command_line(), stdin=subprocess.DEVNULL, stdout=error, stderr=error,
                start_new_session=True, env=environment, cwd="/", user=self.user,
                group=None if self.user is None else pwd.getpwnam(self.user).pw_gid,
                extra_groups=None if self.user is None else [])

    def stop(self, timeout=5.0):
        """End with SIGTERM; whatever is not as it should be is added to complaints."""
        if self.child is None:
            return self.complaints
        if self.child.poll() is not None:
            self.complaints.append(f"deftpd had ended before, status {self.child.returncode}")
        else:
            self.child.send_signal(signal.SIGTERM)
            try:
                status = self.child.wait(timeout * slowness())
                if status != 0:
                    self.complaints.append(f"deftpd ended with status {status}")
            except subprocess.TimeoutExpired:
                self.complaints.append("deftpd did not end at SIGTERM: " + repr(self.tree()))
        self.exit_status = self.child.returncode
        left = self.survivors()
        deadline = time.monotonic() + 2 * slowness()
        while left and self.exit_status is not None and time.monotonic() < deadline:
            time.sleep(0.02)
            left = self.survivors()
        if left and self.exit_status is not None:
            self.complaints.append("left behind: " + repr(left))
        self.kill()
        self.complaints += [match.group(0) for match in REPORT.finditer(self.log_text())]
        self.child = None
        return self.complaints

    def kill(self):
        """End every process of this daemon at once."""
        for process in self.survivors():
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.child is not None:
            self.child.wait()
        self._reap()

    def remove(self):
        """Remove the directory, unless $DEFTPD_TEST_KEEP asks for it."""
        self.lock.release()
        if os.environ.get("DEFTPD_TEST_KEEP"):
            return
        for folder, names, _ in os.walk(self.place):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.islink(path):
                    os.chmod(path, 0o700)  # before it is entered; tests close directories
        shutil.rmtree(self.place, ignore_errors=True)

    # looking

    def address(self, family=4):
        """(host, port) for socket.create_connection."""
        return HOSTS[family], self.port

    def tree(self):
        """The master and everything below it."""
        master = [p for p in descendants(os.getpid()) if p.pid == self.child.pid]
        return master + descendants(self.child.pid)

    def programs(self, name):
        """The living processes that run the program of this name, "deftpd-worker" for instance."""
        return [p for p in self.tree() if p.program == name and p.state != "Z"]

    def survivors(self):
        """Every process of this daemon, orphans included; zombies that nobody reaped count while it lives."""
        self._reap()
        session = self.child.pid
        return [p for p in descendants(os.getpid()) if p.session == session or p.pid == session]

    def _reap(self):
        for process in descendants(os.getpid()):
            is_ours = process.session == self.child.pid and process.pid != self.child.pid
            if is_ours and process.state == "Z" and process.parent == os.getpid():
                try:
                    os.waitpid(process.pid, os.WNOHANG)
                except ChildProcessError:
                    pass

    def log_text(self):
        """What the daemon wrote to its standard output and error."""
        try:
            with open(self.error_path, encoding="utf-8", errors="backslashreplace") as stream:
                return stream.read()
        except OSError:
            return ""

    def transfer_text(self):
        """What is in the transfer log."""
        try:
            with open(self.transfer_log, encoding="utf-8", errors="backslashreplace") as stream:
                return stream.read()
        except OSError:
            return ""


def wait_for(question, timeout=5.0, pause=0.02):
    """Ask until the answer is true or the time is over; returns the last answer."""
    deadline = time.monotonic() + timeout * slowness()
    while True:
        answer = question()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(pause)
