"""The machine that a measurement needs: private namespaces, a control group for each server, idle cores.

Everything that the benchmark mounts, binds or starts is inside namespaces of its own and goes with them, whatever
ends the run.  Only control groups and one empty directory live outside; the outer process removes them.
"""
import ctypes
import fcntl
import glob
import os
import pathlib
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x20000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
DESCRIPTORS = 131072
# The clients' side of all connections; the servers' passive ports lie below.
CLIENT_PORTS = "40000 65535"

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def mount(source, target, kind, flags=0, options=""):
    check(libc.mount(str(source).encode(), str(target).encode(), kind.encode(), flags,
                     options.encode()), f"mount {target}")


def bind(source, target):
    mount(source, target, "none", MS_BIND)


def enclose(work, size_mib):
    """Run work(directory) in namespaces of its own, on a tmpfs; clean up after any end of it."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="deftpd-bench-"))
    check(libc.unshare(CLONE_NEWPID), "unshare")
    init = os.fork()
    if init == 0:
        os._exit(be_init(work, directory, size_mib))

    def end(_number, _frame):
        os.kill(init, signal.SIGKILL)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    _, status = os.waitpid(init, 0)
    remove_groups()
    directory.rmdir()
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 130


def be_init(work, directory, size_mib):
    """First process of the namespace: every other one ends with it, and it reaps the servers' orphans."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    check(libc.unshare(CLONE_NEWNS), "unshare")
    mount("none", "/", "none", MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc")
    mount("tmpfs", directory, "tmpfs", 0, f"size={size_mib}m,mode=755,nr_inodes=1000000")
    driver = os.fork()
    if driver == 0:
        signal.signal(signal.SIGINT, lambda *_: None)
        raise_limits()
        status = 1
        try:
            status = work(directory)
        except Exception as error:      # the traceback is the report; nothing below may go on
            sys.excepthook(type(error), error, error.__traceback__)
        sys.stdout.flush()
        os._exit(status)
    while True:
        pid, status = os.wait()
        if pid == driver:
            return os.waitstatus_to_exitcode(status) & 0xff


def raise_limits():
    """Let the servers open as much as they like; a container may forbid more than it was given."""
    for limit, wanted in ((resource.RLIMIT_NOFILE, DESCRIPTORS),
                          (resource.RLIMIT_NPROC, resource.RLIM_INFINITY)):
        try:
            resource.setrlimit(limit, (wanted, wanted))
        except ValueError:
            hard = resource.getrlimit(limit)[1]
            resource.setrlimit(limit, (hard, hard))


def fresh_network():
    """Move this process to a network of its own: loopback only, no port in use, no TIME_WAIT of the last server."""
    check(libc.unshare(CLONE_NEWNET), "unshare network")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        flags = struct.unpack("16sH", fcntl.ioctl(
            probe, SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0))[:18])[1]
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))
    # /proc/sys/net shows the network of the process that opens it.
    pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text(CLIENT_PORTS)
    pathlib.Path("/proc/sys/net/core/somaxconn").write_text("4096")


def crypt(password, salt):
    """crypt(3): the password hashed."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    hashed = library.crypt(password.encode(), salt.encode())
    if hashed is None or hashed.startswith(b"*"):
        raise OSError(f"libcrypt does not know {salt}")
    return hashed.decode()


class User:
    """A user of the benchmark, with a home of his own."""

    password = "correct horse battery"
    salt = "$y$j9T$deftpdbenchbench$"    # yescrypt at the cost at which Debian has it

    def __init__(self, name, home):
        self.name = name
        self.home = home
        self.number = None      # known when the accounts are made
        self.secret = crypt(self.password, self.salt)

    def passwd_line(self, secret):
        return f"{self.name}:{secret}:{self.number}:{self.number}::{self.home}:/bin/sh"

    def clear_home(self):
        """An empty home, with nothing still to be written to the disk."""
        if self.home.exists():
            shutil.rmtree(self.home)
        self.home.mkdir(mode=0o755)
        os.chown(self.home, self.number, self.number)
        os.sync()

    def hash_seconds(self):
        """What checking the password costs alone."""
        begin = time.process_time()
        for _ in range(10):
            crypt(self.password, self.salt)
        return (time.process_time() - begin) / 10


def private_accounts(directory, home, names, users):
    """Give the servers their users, in a copy of the account files that only this namespace sees."""
    passwd = pathlib.Path("/etc/passwd").read_text().splitlines()
    group = pathlib.Path("/etc/group").read_text().splitlines()
    shadow = pathlib.Path("/etc/shadow").read_text().splitlines()
    used = {int(line.split(":")[2]) for line in passwd + group if line.count(":") >= 2}
    free = (number for number in range(999, 100, -1) if number not in used)
    free_of_people = (number for number in range(5000, 6000) if number not in used)
    for name in names:
        passwd = [line for line in passwd if not line.startswith(name + ":")]
        group = [line for line in group if not line.startswith(name + ":")]
        number = next(free)
        passwd.append(f"{name}:x:{number}:{number}::{home}:/usr/sbin/nologin")
        group.append(f"{name}:x:{number}:")
    for user in users:
        user.number = next(free_of_people)
        passwd.append(user.passwd_line("x"))
        group.append(f"{user.name}:x:{user.number}:")
        shadow.append(f"{user.name}:{user.secret}:19000:0:99999:7:::")
    for name, lines in (("passwd", passwd), ("group", group), ("shadow", shadow)):
        copy = directory / name
        copy.touch(mode=0o600 if name == "shadow" else 0o644)
        copy.write_text("\n".join(lines) + "\n")
        bind(copy, f"/etc/{name}")


def make_pair(path):
    """A certificate with an RSA key of 2048 bits, and the key, in one file."""
    need("openssl")
    key = path.with_suffix(".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", path, "-days", "30",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    path.write_text(path.read_text() + key.read_text())
    path.chmod(0o600)


def private_pam(directory):
    """Let servers that ask PAM compare the hash and do nothing else."""
    copy = directory / "pam.d"
    shutil.copytree("/etc/pam.d", copy)
    (copy / "deftpd-bench").write_text("auth required pam_unix.so\naccount required pam_unix.so\n")
    bind(copy, "/etc/pam.d")


def private_libraries(directory, folders):
    """Let the peers find their libraries as if they were installed: by the cache of the dynamic linker."""
    config, cache = directory / "ld.so.conf", directory / "ld.so.cache"
    config.write_text("include /etc/ld.so.conf\n" + "".join(f"{folder}\n" for folder in folders))
    subprocess.run(["/sbin/ldconfig", "-X", "-f", config, "-C", cache], check=True)
    bind(cache, "/etc/ld.so.cache")


def hierarchy(controller):
    """The mount of a control group hierarchy, and whether it is version 2; (None, False) if there is none."""
    unified = None
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, place, kind, options = line.split()[:4]
        if kind == "cgroup" and controller in options.split(","):
            return pathlib.Path(place), False
        if kind == "cgroup2":
            unified = pathlib.Path(place)
    if unified is None:
        return None, True
    # CPU time is counted in every group; memory only where the controller is on.
    if controller == "cpuacct" or controller in \
            (unified / "cgroup.subtree_control").read_text().split():
        return unified, True
    return None, True


def remove_groups():
    """Remove the groups that this run, or one that was killed, has left."""
    for controller in ("cpuacct", "memory"):
        place, _ = hierarchy(controller)
        for folder in glob.glob(f"{place}/deftpd-bench-*") if place else []:
            try:
                os.rmdir(folder)
            except OSError:
                pass    # in use by a run beside this one


def stat_of(pid):
    """Fields of /proc/PID/stat after the name, which may hold anything."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


class Group:
    """The control group of one server: what it uses, who is in it.  Without control groups: its process tree."""

    def __init__(self, name):
        self.folders = []
        self.root_pid = None
        self.cpu, self.cpu_is_2 = self.make("cpuacct", name)
        self.memory, self.memory_is_2 = self.make("memory", name)

    def make(self, controller, name):
        place, is_2 = hierarchy(controller)
        if place is None:
            return None, is_2
        folder = place / name
        if folder not in self.folders:
            folder.mkdir(exist_ok=True)
            self.folders.append(folder)
        return folder, is_2

    def enter(self):
        """Runs in the server's first process, before exec."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text("0")

    def pids(self):
        if self.folders:
            return [int(pid) for pid in (self.folders[0] / "cgroup.procs").read_text().split()]
        children = {}
        for entry in os.listdir("/proc"):
            fields = stat_of(entry) if entry.isdigit() else None
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry))
        found, unseen = [], [self.root_pid]
        while unseen:
            found.append(unseen.pop())
            unseen += children.get(found[-1], [])
        return found

    def cpu_seconds(self):
        if self.cpu and not self.cpu_is_2:
            return int((self.cpu / "cpuacct.usage").read_text()) / 1e9
        if self.cpu:
            return int((self.cpu / "cpu.stat").read_text().split()[1]) / 1e6
        ticks = 0
        for pid in self.pids():
            fields = stat_of(pid)
            ticks += sum(int(field) for field in fields[11:15]) if fields else 0
        return ticks / os.sysconf("SC_CLK_TCK")

    def settled_cpu_seconds(self):
        """CPU time when the last process of the last session has really ended; a second at most."""
        last = self.cpu_seconds()
        for _ in range(20):
            time.sleep(0.05)
            now = self.cpu_seconds()
            if now - last < 0.0005:
                return now
            last = now
        return last

    def memory_bytes(self):
        """Memory in use; without the controller, of the whole machine (differences still mean something)."""
        if self.memory and self.memory_is_2:
            return int((self.memory / "memory.current").read_text())
        if self.memory:
            return int((self.memory / "memory.usage_in_bytes").read_text())
        for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return -int(line.split()[1]) * 1024
        raise OSError("no MemAvailable in /proc/meminfo")

    def pss_bytes(self, most=1000):
        """Proportional set size; of many processes, every n-th one stands for its neighbours."""
        pids = self.pids()
        step = max(1, len(pids) // most)
        chosen = pids[::step]
        total = 0
        for pid in chosen:
            try:
                for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
            except OSError:
                pass    # it has ended meanwhile
        return total * len(pids) // max(1, len(chosen))

    def kill(self):
        """Kill whoever is in the group, until nobody is."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            pids = [pid for pid in self.pids() if pid != self.root_pid or stat_of(pid)]
            if not pids:
                break
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)
        self.remove()

    def remove(self):
        for folder in self.folders:
            for _ in range(100):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.05)    # the last process is not quite gone
        self.folders = []


def busy_seconds():
    """CPU time that the whole machine has spent on anything."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _wait, irq, softirq = (int(field) for field in fields[:7])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def wait_for_quiet(limit_s, cores=0.15):
    """Wait until the machine does nothing much: the kernel clears up after a server for a while."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        before, begin = busy_seconds(), time.monotonic()
        time.sleep(0.25)
        if (busy_seconds() - before) / (time.monotonic() - begin) <= cores:
            return


class Watch:
    """CPU time of others during a measurement, in cores: what makes a figure doubtful."""

    def __init__(self, group):
        self.group = group
        self.begin = self.now()

    def now(self):
        own = os.times()
        return (time.monotonic(), busy_seconds(), self.group.cpu_seconds(),
                own.user + own.system + own.children_user + own.children_system)

    def foreign_cores(self):
        end = self.now()
        seconds, busy, server, own = (b - a for a, b in zip(self.begin, end))
        return max(0.0, (busy - server - own) / seconds) if seconds >= 0.3 else 0.0


def need(*programs):
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        sys.exit("bench: these programs are missing: " + " ".join(missing))
