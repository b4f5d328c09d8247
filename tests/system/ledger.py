#!/usr/bin/env python3
"""ledger: durable uploads on a file system that stops at a random moment without writing anything more, as at a power
failure. After the journal's replay each upload that was answered 226 is there, whole, under its name; no name is half
there; and a file that was being replaced has its old content or its new one.

    ledger.py [UPLOADS [MODE]]      as the test: 500 durable; "500 atomic" shows what the test finds when it has to
"""

import fcntl
import os
import random
import struct
import sys
import tempfile
import threading
import time

from lib_system import TestFailure, check, enter_mounts, settle
from lib_users import UserClient, UserDaemon, make_ext4, mount, need_ext4, unmount, versioned, versions_in

EXT4_IOC_SHUTDOWN = 0x8004587D
SHUTDOWN_WITHOUT_LOG_FLUSH = 2
CLIENTS = 4
NAMES_OF_EACH = 6
IMAGE_BYTES = 96 << 20
# Small ones often, so that most moments lie between two system calls of a commit; large ones to be cut in the middle.
SIZES = (0, 1, 700, 4096, 5000, 40000, 300000)
UPLOADS = 500
# How many uploads are answered before the file system stops, and how much longer it waits: a random moment of the next ones.
ROUND_UPLOADS = (1, 40)
ROUND_S = 0.01


class Ledger:
    """What one client was told of his files: {name: content that was answered 226}, and what hangs in the balance."""

    def __init__(self, number):
        self.number = number
        self.answered = {}
        self.pending = None  # (name, content) of an upload without an answer
        self.count = 0
        self.refused = []

    def upload_until_the_end(self, daemon, random_source):
        """Upload one file after the other until the server cannot any more."""
        try:
            with UserClient(daemon, timeout=20) as client:
                while True:
                    name = f"file{self.number}-{random_source.randrange(NAMES_OF_EACH)}"
                    content = versioned(f"{name}v{self.count}", random_source.choice(SIZES))
                    self.pending = (name, content)
                    code, text = client.store(f"STOR {name}", content)
                    if code != 226:
                        self.refused.append(text)
                        return
                    self.count += 1
                    self.answered[name] = content
                    self.pending = None
        except (OSError, TestFailure) as trouble:
            self.refused.append(str(trouble))


def stop_file_system(place):
    """Nothing more reaches the disk, what is not in the journal is lost."""
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(handle, EXT4_IOC_SHUTDOWN, struct.pack("I", SHUTDOWN_WITHOUT_LOG_FLUSH))
    finally:
        os.close(handle)


def read_whole(path):
    """The content, None if there is no file."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def describe(content):
    """What a file has, in a few words."""
    if content is None:
        return "nothing"
    return f"{len(content)} bytes of {versions_in(content)}"


def audit(ledger, home):
    """Compare a ledger with the disk; gives the complaints, and takes over what is on the disk."""
    wrong = []
    names = set(ledger.answered) | ({ledger.pending[0]} if ledger.pending else set())
    for name in sorted(names):
        found = read_whole(os.path.join(home, name))
        allowed = [ledger.answered.get(name)]
        if ledger.pending and ledger.pending[0] == name:
            allowed.append(ledger.pending[1])
        if found not in allowed:
            wrong.append(f"{name}: {describe(found)}, expected {' or '.join(map(describe, allowed))}")
        if found is not None:
            ledger.answered[name] = found
    ledger.pending = None
    return wrong


def check_others(home, ledgers):
    """Nothing but known names and the server's own is in the directory."""
    known = {name for ledger in ledgers for name in ledger.answered}
    strange = [name for name in os.listdir(home)
               if name not in known and ".deftpd-" not in name and name != "lost+found"]
    check(not strange, f"names that nobody has uploaded: {strange}")


def one_round(image, place, mode, ledgers, random_source):
    """Upload, stop the file system, mount it again and look; gives the complaints."""
    mount("-o", "loop,data=ordered", image, place)
    home = os.path.join(place, "home")
    if not os.path.isdir(home):
        os.mkdir(home)
        os.chown(home, 64010, 64010)
        os.sync()
    try:
        with UserDaemon(homes={"ann": home}, options=[f"uploads.mode={mode}"]) as daemon:
            threads = [threading.Thread(target=ledger.upload_until_the_end,
                                        args=(daemon, random.Random(random_source.random())))
                       for ledger in ledgers]
            before = sum(ledger.count for ledger in ledgers)
            for thread in threads:
                thread.start()
            enough = before + random_source.randint(*ROUND_UPLOADS)
            settle(lambda: sum(ledger.count for ledger in ledgers) >= enough or not any(
                thread.is_alive() for thread in threads), 30, "uploads do not get on")
            time.sleep(random_source.uniform(0, ROUND_S))
            stop_file_system(place)
            for thread in threads:
                thread.join()
    finally:
        unmount(place)
    mount("-o", "loop,data=ordered", image, place)
    wrong = [line for ledger in ledgers for line in audit(ledger, home)]
    check_others(home, ledgers)
    unmount(place)
    answered = sum(ledger.count for ledger in ledgers) - before
    last = sorted({ledger.refused[-1] for ledger in ledgers if ledger.refused})
    print(f"  {answered} uploads answered 226, then: {last}", flush=True)
    return wrong


def main():
    """Rounds until enough uploads are in the ledger."""
    uploads = int(sys.argv[1]) if len(sys.argv) > 1 else UPLOADS
    mode = sys.argv[2] if len(sys.argv) > 2 else "durable"
    enter_mounts()
    need_ext4()
    seed = int(os.environ.get("DEFTPD_TEST_SEED", random.randrange(1 << 31)))
    print(f"DEFTPD_TEST_SEED={seed}")
    random_source = random.Random(seed)
    ledgers = [Ledger(number) for number in range(CLIENTS)]
    wrong = []
    with tempfile.TemporaryDirectory(prefix="deftpd-ledger-") as folder:
        os.chmod(folder, 0o755)
        # In memory where there is one: the file system's own order of writes is what counts, not this disk's.
        mount("-t", "tmpfs", "none", folder)
        image, place = os.path.join(folder, "image"), os.path.join(folder, "disk")
        os.mkdir(place)
        make_ext4(image, IMAGE_BYTES)
        try:
            barren, rounds = 0, 0
            while sum(ledger.count for ledger in ledgers) < uploads and not wrong and barren < 5:
                before = sum(ledger.count for ledger in ledgers)
                rounds += 1
                wrong = one_round(image, place, mode, ledgers, random_source)
                barren = barren + 1 if sum(ledger.count for ledger in ledgers) == before else 0
        finally:
            unmount(folder)
    check(not wrong, "\n".join(wrong))
    total = sum(ledger.count for ledger in ledgers)
    check(total >= uploads, f"only {total} uploads were answered 226")
    print(f"{total} uploads answered 226 in {rounds} rounds, and all are there")


if __name__ == "__main__":
    sys.exit(main())
