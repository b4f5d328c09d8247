#!/usr/bin/env python3
"""slow_clients: 2,000 clients from 2,000 addresses take all places, say a byte now and then and come back when they are sent away;
a good client from another address logs in all the same, and soon. One address alone gets no more than its share (SECURITY.md R2)."""

import collections
import heapq
import multiprocessing
import random
import resource
import select
import socket
import sys
import time

from lib_daemon import HOSTS, slowness
from lib_system import Client, check, cpu_seconds, descriptor_kinds, enter_network, is_ready, reset, run, settle
from lib_users import PASSWORD, UserDaemon

PLACES = 400
PER_ADDRESS = 50
CROWD = 2000
FROM_ONE = 500
BACK_AFTER_S = 2.0  # of who was sent away; some sooner, some later
BYTE_EVERY_S = 1.0
LOGINS = 40
ATTEMPTS = 3
P95_S = 2.0
FAR_S = 0.05
SEED = 20261123
GOOD_SOURCE = "127.200.0.1"
LONE_SOURCE = "127.201.0.1"
OPTIONS = [f"max_sessions={PLACES}", f"max_sessions_per_address={PER_ADDRESS}", "spare_min=8", "spare_max=8",
           "renew_after=100000"]


class SlowClient:
    """One of the crowd. Every tenth wants a private worker for itself, by naming a user; the others dawdle over a line."""

    def __init__(self, number):
        self.source = f"127.{1 + number // 40000}.{number // 200 % 200}.{1 + number % 200}"
        self.is_named = number % 10 == 0
        self.link = None
        self.is_in = False
        self.turn = 0

    def connect(self, port):
        """Come, or come back."""
        self.link = socket.socket()
        self.link.setblocking(False)
        self.link.bind((self.source, 0))
        self.link.connect_ex((HOSTS[4], port))
        self.is_in = False

    def leave(self):
        """Close what the server has closed."""
        self.link.close()
        self.link = None
        self.is_in = False


class Crowd:
    """All slow clients, in a process of their own."""

    def __init__(self, port, told):
        self.port = port
        self.told = told  # shared: 0: greeted, 1: sent away before they were, 2: after, 3: in now, 4: to end
        self.poll = select.epoll()
        self.clients = {}
        self.due = []
        self.source = random.Random(SEED)

    def later(self, delay_s, client):
        """Let the client do its next thing in a while; what it wanted to do before is forgotten."""
        client.turn += 1
        when = time.monotonic() + delay_s * self.source.uniform(0.5, 1.5)
        heapq.heappush(self.due, (when, id(client), client.turn, client))

    def act(self, client):
        """Connect, or say a byte."""
        if client.link is None:
            client.connect(self.port)
            self.clients[client.link.fileno()] = client
            self.poll.register(client.link.fileno(), select.EPOLLIN)
            return
        if client.is_in:
            try:
                client.link.send(b"N")
            except OSError:
                pass  # the poll will tell
            self.later(BYTE_EVERY_S, client)

    def hear(self, client):
        """Read what came: the greeting, or the end."""
        try:
            text = client.link.recv(4096)
        except OSError:
            text = b""
        if text.startswith(b"220"):
            client.is_in = True
            self.told[0] += 1
            self.told[3] += 1
            if client.is_named:
                client.link.send(b"USER ann\r\n")
            self.later(BYTE_EVERY_S, client)
            return
        if text.startswith(b"331"):
            return
        self.told[2 if client.is_in else 1] += 1
        self.told[3] -= client.is_in
        self.poll.unregister(client.link.fileno())
        del self.clients[client.link.fileno()]
        client.leave()
        self.later(BACK_AFTER_S, client)

    def stay(self):
        """Until somebody ends it."""
        for number in range(CROWD):
            self.later(1, SlowClient(number))
        while not self.told[4]:
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                _, _, turn, client = heapq.heappop(self.due)
                if turn == client.turn:
                    self.act(client)
            for number, _ in self.poll.poll(0.02, 256):
                self.hear(self.clients[number])
        for client in list(self.clients.values()):
            reset(client.link)


def attempt(daemon, user, pause_s=0.0):
    """Try to log in, with a pause before each line as on a long way; returns whether it succeeded."""
    try:
        with Client(daemon, source=GOOD_SOURCE, timeout=5) as client:
            if client.reply()[0] != 220:
                return False
            for line, wanted in ((f"USER {user}", 331), (f"PASS {PASSWORD}", 230), ("NOOP", 200)):
                time.sleep(pause_s)
                client.send(line)
                if client.reply()[0] != wanted:
                    return False
            client.ask("QUIT", 221)
            return True
    except OSError:
        return False


def log_in(daemon, user, pause_s=0.0):
    """As a person would: once more when it fails; returns the seconds and the number of attempts that it took."""
    begin = time.monotonic()
    for number in range(1, ATTEMPTS + 1):
        if attempt(daemon, user, pause_s):
            return time.monotonic() - begin, number
    check(False, f"{user} could not log in by {ATTEMPTS} attempts")
    return None


def measure(daemon):
    """How many processes of each program there are with which descriptors."""
    return collections.Counter((process.program, tuple(sorted(descriptor_kinds(process).items())))
                               for process in daemon.tree())


def ready(daemon):
    """Wait until it has all its spare workers, and has served somebody."""
    settle(lambda: is_ready(daemon), text="not ready")
    for user in ("anonymous", "ann"):
        check(attempt(daemon, user), f"{user} cannot log in before anything has happened")
    time.sleep(2)


def one_address_gets_its_share():
    """500 connections from one: 50 are let in, the others are told, and nobody else notices."""
    with UserDaemon(options=OPTIONS) as daemon:
        ready(daemon)
        before = measure(daemon)
        with Client(daemon, source="127.202.0.1") as early:
            check(early.reply()[0] == 220, "the first client is refused")
            clients = [Client(daemon, source=LONE_SOURCE) for _ in range(FROM_ONE)]
            replies = [client.reply() for client in clients]
            codes = [code for code, _ in replies]
            check(codes.count(220) == PER_ADDRESS and codes.count(421) == FROM_ONE - PER_ADDRESS,
                  f"{codes.count(220)} let in, {codes.count(421)} refused")
            check(all("your address" in text for code, text in replies if code == 421), "refused for another reason")
            for user in ("anonymous", "ann"):
                check(log_in(daemon, user)[1] == 1, f"{user} needed a second attempt")
            early.ask("NOOP", 200)
            for client in clients:
                client.close()
        settle(lambda: measure(daemon) == before, 20, lambda: f"before: {before}\nnow: {measure(daemon)}")


def a_crowd_keeps_nobody_out():
    """2,000 from 2,000 addresses."""
    with UserDaemon(options=OPTIONS) as daemon:
        ready(daemon)
        before = measure(daemon)
        told = multiprocessing.RawArray("i", 5)
        crowd = multiprocessing.Process(target=lambda: Crowd(daemon.port, told).stay())
        crowd.start()
        try:
            settle(lambda: told[3] >= PLACES * 3 // 4, 20, lambda: f"only {told[3]} of the crowd are in")
            time.sleep(3)
            takes = log_in_under(daemon, told)
            check(crowd.is_alive(), "the crowd has ended by itself")
        finally:
            told[4] = 1
            crowd.join(20)
            crowd.kill()
        print(f"  crowd: {told[0]} let in, {told[1]} refused, {told[2]} sent away")
        check(told[2] > PLACES, f"only {told[2]} of the crowd lost their places")
        check("sent away before they had logged in" in daemon.log_text(), "the log does not tell")
        for name, found in takes.items():
            check(found["p95"] < P95_S * slowness(), f"{name}: {found}")
        settle(lambda: measure(daemon) == before, 30, lambda: f"before: {before}\nnow: {measure(daemon)}")


def log_in_under(daemon, told):
    """The good client's logins under the crowd."""
    found = {}
    begin = time.monotonic(), cpu_seconds(daemon.child.pid), told[0] + told[1]
    low = PLACES
    for user, pause_s in (("anonymous", 0.0), ("ann", 0.0), ("ann", FAR_S)):
        takes = []
        for _ in range(LOGINS):
            takes.append(log_in(daemon, user, pause_s))
            low = min(low, told[3])
            time.sleep(0.05)
        seconds = sorted(take for take, _ in takes)
        name = user + " from afar" * (pause_s > 0)
        found[name] = {"p50": seconds[LOGINS // 2], "p95": seconds[LOGINS * 95 // 100], "max": seconds[-1],
                       "attempts": sum(count for _, count in takes)}
        print(f"  {name}: " + ", ".join(f"{key} {value:.3g}" for key, value in found[name].items()))
    passed = time.monotonic() - begin[0]
    print(f"  meanwhile {(told[0] + told[1] - begin[2]) / passed:.0f} of the crowd came each second, the fewest that were in are "
          f"{low}; the master used {(cpu_seconds(daemon.child.pid) - begin[1]) / passed:.0%} of a processor")
    check(low >= PLACES // 2, f"the crowd was away: only {low} of it were in at a time")
    return found


if __name__ == "__main__":
    enter_network([])
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    sys.exit(run([one_address_gets_its_share, a_crowd_keeps_nobody_out]))
