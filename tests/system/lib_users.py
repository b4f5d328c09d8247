"""lib_users: daemons with virtual users of their own, clients that log in as such a user and write, and disks to spoil.

Only the standard library is needed, and util-linux and e2fsprogs where a test wants a file system.
"""

import ctypes
import os
import re
import shutil
import subprocess
import time

from lib_daemon import Daemon
from lib_system import Client, check, need_program, need_root, skip

PASSWORD = "a word of 4 letters"
FIRST_ID = 64010
BLOCK = 512


def hash_of(password):
    """The password as crypt(5) has it; with few rounds, as these tests are not about how long a hash takes."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), b"$6$rounds=1000$saltofatest$").decode()


class UserDaemon(Daemon):
    """A daemon with virtual users, each with an id and a writable home of his own below daemon.place."""

    def __init__(self, directory=None, users=("ann",), options=(), configuration="", homes=None):
        """
        users: their names.
        homes: {name: directory} of those whose home is elsewhere and is there.
        """
        super().__init__(directory, options, configuration=configuration)
        self.homes = {}
        self.ids = {}
        secret = hash_of(PASSWORD)
        lines = []
        for number, name in enumerate(users):
            self.ids[name] = FIRST_ID + number
            home = (homes or {}).get(name)
            if home is None:
                home = os.path.join(self.place, "home-" + name)
                os.mkdir(home, 0o755)
                os.chown(home, self.ids[name], self.ids[name])
            self.homes[name] = home
            lines.append(f"{name}:{secret}:{self.ids[name]}:{self.ids[name]}::{home}:/usr/sbin/nologin\n")
        path = os.path.join(self.place, "users")
        with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
            stream.writelines(lines)
        self.options += [f"virtual_users.file={path}", "virtual_users.user="]

    def home(self, *names, user="ann"):
        """A path in a user's home."""
        return os.path.join(self.homes[user], *names)


class UserClient(Client):
    """A client that is logged in as a user and writes."""

    def __init__(self, daemon, user="ann", password=PASSWORD, **how):
        super().__init__(daemon, **how)
        code, text = self.reply()
        check(code == 220, f"220 expected, got {text!r}")
        self.ask(f"USER {user}", 331)
        self.ask(f"PASS {password}", 230)
        self.ask("TYPE I", 200)

    def start(self, command, rest=0):
        """Begin an upload; returns the data connection, or None, and the last reply."""
        link = self.dial(self.passive())
        if rest:
            self.ask(f"REST {rest}", 350)
        self.send(command)
        code, text = self.reply()
        if code not in (125, 150):
            link.close()
            return None, code, text
        return link, code, text

    def store(self, command, data, rest=0):
        """A whole upload; returns the code of its reply and the text, whatever it is."""
        link, code, text = self.start(command, rest)
        if link is None:
            return code, text
        try:
            with link:
                link.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has had enough; its reply says why
        return self.reply()

    def put(self, command, data, rest=0):
        """An upload that succeeds."""
        code, text = self.store(command, data, rest)
        check(code == 226, f"{command}: 226 expected, got {text!r}")
        return text

    def size(self, name):
        """SIZE, or None."""
        self.send(f"SIZE {name}")
        code, text = self.reply()
        return int(text.split()[1]) if code == 213 else None


def worker_of(daemon, client):
    """The worker that has a client's control connection."""
    ports = (daemon.port, client.link.getsockname()[1])
    with open("/proc/net/tcp", encoding="ascii") as stream:
        rows = [line.split() for line in stream][1:]
    targets = {f"socket:[{row[9]}]" for row in rows
               if tuple(int(address.rsplit(":", 1)[1], 16) for address in row[1:3]) == ports}
    found = []
    for process in daemon.programs("deftpd-worker"):
        try:
            if targets & set(process.descriptors().values()):
                found.append(process)
        except OSError:
            pass  # ended since
    return found


def versioned(version, size):
    """Content in which each block names its version and place: of which upload a block is can be seen."""
    count = (size + BLOCK - 1) // BLOCK
    return b"".join(b"%s:%d:" % (version.encode(), number) + b"." * (BLOCK - len(version) - 3 - len(str(number)))
                    + b"\n" for number in range(count))[:size]


def versions_in(data):
    """The versions whose blocks are in some content."""
    return sorted({match.decode() for match in re.findall(rb"(?:^|\n)([^:\n]{1,100}):\d+:", data)})


def read(path):
    """The bytes of a file, or None where there is none."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def mount(*words):
    """mount(8); the tests that call it have mounts of their own."""
    subprocess.run(["mount", *words], check=True, stdout=subprocess.DEVNULL)


def unmount(path, timeout=10):
    """Take it away as soon as nobody uses it any more."""
    deadline = time.monotonic() + timeout
    while True:
        done = subprocess.run(["umount", path], check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return
        check(time.monotonic() < deadline, f"umount {path}: {done.stderr.strip()}")
        time.sleep(0.05)


def make_ext4(image, size_bytes, *options):
    """An ext4 file system in a file."""
    with open(image, "wb") as stream:
        stream.truncate(size_bytes)
    subprocess.run(["mkfs.ext4", "-q", "-F", *options, image], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def need_ext4():
    """Skip the test where no ext4 can be mounted from a file. Mounts of our own are needed first."""
    need_root()
    for program in ("mkfs.ext4", "mount", "umount", "losetup"):
        need_program(program)
    place = f"/tmp/deftpd-probe-{os.getpid()}"
    os.mkdir(place)
    try:
        make_ext4(place + "/image", 4 << 20)
        os.mkdir(place + "/at")
        done = subprocess.run(["mount", "-o", "loop", place + "/image", place + "/at"], check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            skip(f"no ext4 on a loop device here: {done.stderr.strip()}")
        unmount(place + "/at")
    finally:
        shutil.rmtree(place)
