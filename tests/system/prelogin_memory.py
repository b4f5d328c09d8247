#!/usr/bin/env python3
"""prelogin_memory: clients that have not logged in say every command with the longest lines, for 15 s, and some never read a reply.
No process grows by it: a private worker stays below 3 MiB, a shared one below a bound per session (SECURITY.md R10,
CVE-2026-27857)."""

import random
import re
import resource
import selectors
import socket
import sys
import time

from lib_daemon import HOSTS
from lib_system import Client, check, is_ready, is_sanitized, need_root, reset, run, settle
from lib_users import UserDaemon, worker_of

SECONDS = 15
LINE_MAX = 4096 + 256  # LINE_MAX_BYTES, without the end
SHARED, PRIVATE, DEAF = 40, 6, 10
SEED = 20261123
PRIVATE_MAX_KIB = 3 * 1024
# One that does not read: SESSION_OUTPUT_MAX and one reply more, a line, input, and what the allocator loses on the way.
DEAF_MAX_KIB = 128
# One that reads has a line and some input at times.
SESSION_MAX_KIB = 24
# What it keeps for a recorder that gets no processor, RECORD_BACKLOG_BYTES, and 256.
MASTER_MAX_KIB = 1024 + 256
# What a process needs once, as soon as it does something.
ONCE_KIB = 256
MOVING_AWAY = ("USER", "HOST", "AUTH")  # to a private worker
LINES_MIN = 20000


def private_kib(pid):
    """Memory that no other process shares."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as stream:
            return sum(int(line.split()[1]) for line in stream if line.startswith("Private_"))
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended


def all_words(daemon):
    """Every command that HELP names."""
    with Client(daemon) as client:
        client.reply()
        words = set(re.findall(r"\b[A-Z]{3,4}\b", client.ask("HELP", 211, 214)))
    for word in ("USER", "PASS", "ACCT", "FEAT", "OPTS", "SITE", "NOOP", "HOST", "STAT", "MFMT"):
        check(word in words, f"HELP does not name {word}: {sorted(words)}")
    return sorted(words - {"QUIT"})


def line_of(word, source):
    """The command with an argument, most of them as long as can be."""
    room = LINE_MAX - len(word) - 1
    argument = source.choice((
        b"A" * room, b"/" * room, b"%n" * (room // 2), b'"' * room, b"*" * room, b"9" * room,
        b"\xff\xff" * (room // 2), b"a/../" * (room // 5), b"A" * (room + 1), b"A" * 20000, b"A\x00" * (room // 2),
        b"TYPE;" * (room // 5), b" " * room, b"", b"A"))
    return word.encode() + b" " * bool(argument) + argument + b"\r\n"


class Talker:
    """A client that talks as fast as the server lets it."""

    def __init__(self, daemon, words, is_private, is_deaf, source):
        self.daemon, self.words, self.source = daemon, words, source
        self.is_private, self.is_deaf = is_private, is_deaf
        self.lines = 0
        self.said = {}
        self.link = None
        self.rest = b""

    def connect(self, selector):
        """Come, or come back."""
        self.link = socket.socket()
        if self.is_deaf:
            self.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.link.connect((HOSTS[4], self.daemon.port))
        self.link.setblocking(False)
        self.rest = b"USER ann\r\n" if self.is_private else b""
        selector.register(self.link, selectors.EVENT_WRITE | (0 if self.is_deaf else selectors.EVENT_READ), self)

    def act(self, selector, events):
        """Read what came, say what goes."""
        try:
            if events & selectors.EVENT_READ and not self.link.recv(1 << 18):
                raise ConnectionResetError
            if events & selectors.EVENT_WRITE:
                self.talk()
        except BlockingIOError:
            pass
        except (ConnectionResetError, BrokenPipeError):
            self.leave(selector)
            self.connect(selector)

    def talk(self):
        """The rest of a line, or the next one."""
        if not self.rest:
            word = self.source.choice(self.words)
            self.said[word] = self.said.get(word, 0) + 1
            # who does not read has the longest replies kept for it
            self.rest = b"HELP\r\nFEAT\r\n" * (10 * self.is_deaf) + line_of(word, self.source)
            self.lines += 1
        self.rest = self.rest[self.link.send(self.rest):]

    def leave(self, selector):
        """Close; nobody need read what is on its way."""
        selector.unregister(self.link)
        reset(self.link)


class Watcher:
    """What the processes need at most."""

    def __init__(self, daemon, shared):
        self.daemon, self.shared = daemon, shared
        self.first = private_kib(shared), private_kib(daemon.child.pid)
        self.peaks = [[], [], []]  # shared worker, master, private workers

    def look(self):
        """One sample of each."""
        workers = [p.pid for p in self.daemon.programs("deftpd-worker") if p.pid != self.shared]
        self.peaks[0].append(private_kib(self.shared))
        self.peaks[1].append(private_kib(self.daemon.child.pid))
        self.peaks[2].append(max(private_kib(pid) for pid in workers))

    def growth(self, which):
        """In the first half, and in all, since the beginning."""
        samples = self.peaks[which]
        return max(samples[:len(samples) // 2]) - self.first[which], max(samples) - self.first[which]


def talk_for(talkers, watcher):
    """All of them, for the time of the test."""
    selector = selectors.DefaultSelector()
    for talker in talkers:
        talker.connect(selector)
    begin = looked = time.monotonic()
    while time.monotonic() < begin + SECONDS:
        for key, events in selector.select(0.1):
            key.data.act(selector, events)
        if time.monotonic() > looked + 0.25:
            watcher.look()
            looked = time.monotonic()
    for talker in talkers:
        talker.leave(selector)


def nobody_makes_it_grow():
    """Many sessions at the shared worker, some at private ones, some that never read at both."""
    source = random.Random(SEED)
    with UserDaemon(options=["max_sessions_per_address=0", "spare_min=8", "spare_max=8"]) as daemon:
        settle(lambda: is_ready(daemon), text="not ready")
        with Client(daemon) as client:
            client.reply()
            shared = worker_of(daemon, client)[0].pid
        words = all_words(daemon)
        staying = [word for word in words if word not in MOVING_AWAY]
        time.sleep(1)
        talkers = [Talker(daemon, staying, False, number < DEAF, source) for number in range(SHARED)]
        talkers += [Talker(daemon, words, True, number % 3 == 0, source) for number in range(PRIVATE)]
        watcher = Watcher(daemon, shared)
        talk_for(talkers, watcher)
        judge(talkers, words, watcher)
        settle(lambda: not connections(daemon), 10, "sessions are left")
        with Client(daemon) as client:
            client.login()


def connections(daemon):
    """Control connections that workers still have."""
    end = f":{daemon.port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as stream:
        return [line for line in stream if line.split()[1].endswith(end) and line.split()[3] == "01"]


def judge(talkers, words, watcher):
    """Was it enough, and did anything grow?"""
    lines = sum(talker.lines for talker in talkers)
    at_private = sum(talker.lines for talker in talkers if talker.is_private)
    shared, master = watcher.growth(0), watcher.growth(1)
    print(f"  {lines} lines, {at_private} of them at private workers; the shared worker grew by {shared[1]} KiB "
          f"({shared[0]} in the first half), the master by {master[1]}; a private worker has {max(watcher.peaks[2])} at most")
    check(all(any(word in talker.said for talker in talkers) for word in words), "not every command was said")
    if is_sanitized():
        print("  skipped: a sanitizer's memory is not ours")
        return
    check(lines > LINES_MIN and at_private > LINES_MIN // 20, f"only {lines} lines, {at_private} at private workers")
    check(max(watcher.peaks[2]) < PRIVATE_MAX_KIB, f"a private worker has {max(watcher.peaks[2])} KiB")
    bound = ONCE_KIB + DEAF * DEAF_MAX_KIB + (SHARED - DEAF) * SESSION_MAX_KIB
    check(shared[1] < bound, f"the shared worker grew by {shared[1]} KiB, more than {bound}")
    # On a busy machine those who do not read are served late, and what is kept for them is not there in the first half.
    check(shared[1] < max(shared[0], DEAF * DEAF_MAX_KIB) + ONCE_KIB, f"the shared worker grows on: {shared}")
    check(master[1] < MASTER_MAX_KIB, f"the master grew by {master[1]} KiB")


if __name__ == "__main__":
    need_root()  # only root sees into our processes
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    sys.exit(run([nobody_makes_it_grow]))
