#!/usr/bin/env python3
"""hostile_worker: taken-over workers speak to the master and the recorder in every wrong order, size and phase, and get nothing.

The daemon runs with a deftpd-worker that hands each new worker's channel to this test, which speaks for it. Rules 3, 5, 8 and 12 of
DESIGN.md section 3. Usage: hostile_worker.py PROGRAM, which is built from hostile_worker.c.
"""

import os
import random
import select
import shutil
import signal
import socket
import struct
import sys
import threading
import time

from lib_daemon import HOSTS, Daemon, programs_directory
from lib_system import (Client, TestFailure, check, cpu_seconds, descriptor_kinds, is_ready, need_root, run, settle)
from lib_users import FIRST_ID, PASSWORD, hash_of
from lib_wire import (SHARED, PRIVATE, ASSIGN, GIVE_AGENT, GIVE_RECORDER, PASSIVE_ANSWER, ACTIVE_ANSWER, TAKEN_BACK,
                      LOGIN_ANSWER, SHARE, DROP, RETIRE, READY, TAKEN, PASSIVE, ACTIVE, HAND_BACK, ENDED, MORE_AGENTS, LOGIN,
                      MOVING, MESSAGES, LOGIN_TRY, LOGIN_REFUSED, LOGIN_ACCEPTED, R_WORKER, R_TRANSFER_LOG, R_EVENT_LOG,
                      R_SESSION_BEGIN, R_SESSION_END, R_TRANSFER, R_LOGIN, R_EVENT, R_READY, R_TAKEN, IPC_OK, IPC_DENIED,
                      IPC_BUSY, address, number, record, user_number, host, text, send)

SHARED_WORKERS = 40
AGENTS_MAX = 8
AGENTS_MAX_PRIVATE = 3
PASSIVE_ASKS_MAX = 1000
MESSAGE_MAX = 16384
NOWHERE = "127.0.0.2"
ELSEWHERE = "127.0.0.3"  # an honest user's address
USERS = ("ann", "ben")
TRIES = 12
FREE_TRIES = 4  # the failures of three are free, and the fourth knows of no others
MAX_DELAY = 1
ADDRESS_RATE = 1000000

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else ""


class Worker:
    """One taken-over worker: its channel, and what it was given."""

    def __init__(self, control, kind, channel):
        self.control = control  # its end ends the process
        self.kind = kind
        self.channel = channel
        self.channel.settimeout(10)
        self.recorder = None
        self.agents = []
        self.sessions = []  # (number, control connection)
        self.is_over = False
        self.is_used = False
        self.is_retired = False

    def say(self, kind, data=b"", fds=()):
        """Send a message to the master."""
        return send(self.channel, bytes([kind]) + data, fds)

    def hear(self, takes=True, timeout=10.0):
        """The next message and its descriptor: (kind, rest, socket or None). Says TAKEN unless told otherwise."""
        self.channel.settimeout(timeout)
        try:
            data, fds, _, _ = socket.recv_fds(self.channel, MESSAGE_MAX, 4)
        except (ConnectionResetError, BrokenPipeError):
            data, fds = b"", []
        if not data:
            self.is_over = True
            return None, b"", None
        check(len(fds) <= 1, "the master passed several descriptors at once")
        link = socket.socket(fileno=fds[0]) if fds else None
        if link is not None and takes:
            self.say(TAKEN)
        if data[0] == GIVE_RECORDER:
            self.recorder = link
        elif data[0] == GIVE_AGENT:
            self.agents.append(link)
        elif data[0] == RETIRE:
            self.is_retired = True
        elif data[0] == ASSIGN:
            self.sessions.append((struct.unpack(">I", data[1:5])[0], link))
        return data[0], data[1:], link

    def hear_until(self, kind):
        """Hear messages up to one of the kind."""
        while True:
            heard, rest, link = self.hear()
            check(heard is not None, "the master has ended this worker")
            if heard == kind:
                return rest, link

    def hear_waiting(self, wait=0.0):
        """Hear what is there, or comes in that time."""
        while not self.is_over and select.select([self.channel], [], [], wait)[0]:
            self.hear()

    def expect_end(self, why):
        """The master ends this worker for what it has done."""
        deadline = time.monotonic() + 10
        while not self.is_over:
            check(time.monotonic() < deadline, f"{why}: the master lets it live")
            try:
                self.hear(takes=False, timeout=1)
            except TimeoutError:
                pass
        self.close()

    def close(self):
        """Let go of everything."""
        self.is_over = True
        for link in [self.control, self.channel, self.recorder] + self.agents + [link for _, link in self.sessions]:
            if link is not None:
                link.close()


class TakenOver(Daemon):
    """A daemon whose workers are ours."""

    def __init__(self, *options, configuration=""):
        super().__init__(configuration=configuration, options=[f"shared_workers={SHARED_WORKERS}", "max_sessions_per_address=0", "spare_min=2",
                                  f"logins.tries={TRIES}", f"logins.max_delay={MAX_DELAY}", "virtual_users.user=",
                                  f"rates.address_down={ADDRESS_RATE}"] + list(options))
        self._make_users()
        self.programs_place = os.path.join(self.place, "programs")
        os.mkdir(self.programs_place, 0o755)
        for name in ("deftpd", "deftpd-auth", "deftpd-agent", "deftpd-recorder"):
            shutil.copy(os.path.join(programs_directory(), name), self.programs_place)
        shutil.copy(PROGRAM, os.path.join(self.programs_place, "deftpd-worker"))
        self.directory = self.programs_place
        self.workers = []
        self.says_ready = True
        self.before = None
        self.listener = None

    def _make_users(self):
        path = os.path.join(self.place, "users")
        with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
            for user, name in enumerate(USERS, FIRST_ID):
                stream.write(f"{name}:{hash_of(PASSWORD)}:{user}:{user}::{self.root}:/bin/sh\n")
        self.options.append(f"virtual_users.file={path}")

    def take_over(self):
        """From now on new workers are ours; a reload makes them new."""
        settle(lambda: is_ready(self) and len(self.programs("deftpd-worker")) >= SHARED_WORKERS + 3, 20)
        path = os.path.join(self.programs_place, "control")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(path)
        os.chmod(path, 0o777)
        self.listener.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()
        self.child.send_signal(signal.SIGHUP)
        settle(lambda: len(self.of_kind(SHARED)) >= SHARED_WORKERS and self.of_kind(PRIVATE), 30,
               lambda: f"{len(self.workers)} workers have come")
        for worker in list(self.workers):
            worker.hear_until(GIVE_RECORDER)
        settle(lambda: len(self.tree()) < 6 * SHARED_WORKERS, 20, "the honest workers stay")
        time.sleep(1)
        self.before = descriptor_kinds(self.tree()[0])
        return self

    def _accept(self):
        while True:
            try:
                control, _ = self.listener.accept()
                data, fds, _, _ = socket.recv_fds(control, 1, 1)
            except OSError:
                return
            worker = Worker(control, data[0], socket.socket(fileno=fds[0]))
            if self.says_ready:
                worker.say(READY)
            self.workers.append(worker)

    def of_kind(self, kind):
        """The workers of a kind that live."""
        return [worker for worker in self.workers if worker.kind == kind and not worker.is_over]

    def fresh(self):
        """A shared worker that nobody has used yet and that gets clients."""
        for worker in self.of_kind(SHARED):
            if not worker.is_used:
                worker.is_used = True
                worker.hear_waiting(0.02)
                if not worker.is_over and not worker.is_retired:
                    return worker
        raise TestFailure("no worker is left")

    def connect(self, clients, deaf=None, source=HOSTS[4]):
        """One more client; whoever gets it takes it, except for a deaf worker."""
        clients.append(socket.create_connection((HOSTS[4], self.port), source_address=(source, 0)))
        workers = [worker for worker in self.of_kind(SHARED) if worker is not deaf]
        for channel in select.select([worker.channel for worker in workers], [], [], 0.1)[0]:
            [worker for worker in workers if worker.channel is channel][0].hear_waiting()

    def client_of(self, worker, clients):
        """Connect until the worker has a session; returns its number and the client who has it."""
        while not worker.sessions:
            check(len(clients) < 20 * SHARED_WORKERS, "the worker gets no client")
            self.connect(clients)
        session, link = worker.sessions[-1]
        peer = link.getpeername()
        return session, [client for client in clients if client.getsockname() == peer][0]

    def private_of(self, clients, source=HOSTS[4]):
        """A private worker that has got a client."""
        self.connect(clients, source=source)
        name = clients[-1].getsockname()

        def who_has_it(kind):
            for worker in self.of_kind(kind):
                worker.hear_waiting()
                for session in worker.sessions:
                    if session[1].getpeername() == name:
                        return worker, session
            return None

        shared, session = settle(lambda: who_has_it(SHARED), 30, "no shared worker gets the client")
        shared.say(HAND_BACK, number(session[0]), (session[1].fileno(),))
        shared.hear_until(TAKEN_BACK)
        shared.sessions.remove(session)
        session[1].close()
        return settle(lambda: who_has_it(PRIVATE), 30, "no private worker gets the client")[0]

    def expect_calm(self):
        """The master lives, does not turn in circles, and has no more descriptors than before."""
        check(self.child.poll() is None, "the master is gone")
        check("Sanitizer" not in self.log_text(), "a sanitizer has reported")

        def is_same():
            # New workers come after a pause, and speak for themselves.
            for worker in list(self.workers):
                worker.hear_waiting()
                if worker.is_retired or worker.is_over:
                    worker.close()
            now = descriptor_kinds(self.tree()[0])
            return all(now.get(kind, 0) <= self.before.get(kind, 0) for kind in now)

        settle(is_same, 40, lambda: f"before: {self.before}, now: {descriptor_kinds(self.tree()[0])}")
        used = cpu_seconds(self.child.pid)
        time.sleep(1)
        check(cpu_seconds(self.child.pid) - used < 0.3, "the master turns in circles")

    def end(self):
        """End everything that is ours."""
        self.listener.close()
        for worker in self.workers:
            worker.close()


class Closing:
    """A list of sockets that are closed at the end."""

    def __init__(self):
        self.links = []

    def __enter__(self):
        return self.links

    def __exit__(self, *ignored):
        for link in self.links:
            link.close()


def taken_over(test):
    """Run a test with a daemon in our hands, and look at it afterwards."""
    def whole():
        with TakenOver() as daemon, Closing() as clients:
            daemon.take_over()
            test(daemon, clients)
            for client in clients:
                client.close()
            clients.clear()
            daemon.expect_calm()
            daemon.end()
    whole.__name__ = test.__name__
    return whole


def said(daemon, words, mark=0):
    """The log has these words."""
    settle(lambda: words in daemon.log_text()[mark:], text=lambda: f"the log does not say {words!r}")


@taken_over
def wrong_phase(daemon, clients):
    """READY twice, TAKEN of nothing, messages of the master's, sessions that do not exist or are over."""
    for kind, data, fds in ((READY, b"", ()), (TAKEN, b"", ()), (PASSIVE, number(1), ()), (PASSIVE, number(0), ()),
                            (ACTIVE, number(0xffffffff) + address("127.0.0.1", 2000), ()), (ENDED, number(77) + b"\0", ()),
                            (HAND_BACK, number(5), (0,)), (LOGIN, number(5) + bytes(8), ()), (MOVING, number(5) + b"\1\0", ()),
                            (LOGIN_ANSWER, number(5) + b"\1", ()), (SHARE, number(5) + bytes(16), ()), (ASSIGN, number(1) + 2 * address("127.0.0.1", 1) + b"\0\0", (0,)),
                            (GIVE_AGENT, host(0), (0,)), (RETIRE, b"", ()), (DROP, number(1), ()), (PASSIVE_ANSWER, number(1) + address() + b"\5", ())):
        worker = daemon.fresh()
        worker.say(kind, data, fds)
        worker.expect_end(f"message {kind}")
    worker = daemon.fresh()
    session, _ = daemon.client_of(worker, clients)
    worker.say(ENDED, number(session) + b"\0")
    worker.say(ENDED, number(session) + b"\0")
    worker.expect_end("ENDED twice")
    worker = daemon.fresh()
    session, _ = daemon.client_of(worker, clients)
    worker.say(PASSIVE, number(session))
    worker.say(PASSIVE, number(session))
    worker.expect_end("a second question") if not answered_both(worker) else None
    said(daemon, "said READY twice")
    said(daemon, "TAKEN, and nothing")
    said(daemon, "which it does not have")


def answered_both(worker):
    """The second question was asked after the first had been answered, which is permitted."""
    answers = 0
    while answers < 2:
        try:
            kind, _, link = worker.hear(timeout=2)
        except TimeoutError:
            return False
        if kind is None:
            return False
        if kind == PASSIVE_ANSWER:
            answers += 1
            link.close()
    worker.close()
    return True


def before_ready():
    """Whoever speaks before READY, or never says it, gets no client."""
    with TakenOver() as daemon:
        daemon.take_over()
        daemon.says_ready = False
        for kind, data, fds in ((TAKEN, b"", ()), (MORE_AGENTS, host(0), ()), (PASSIVE, number(1), ()), (HAND_BACK, number(1), (0,)),
                                (LOGIN, number(1) + bytes(8), ()), (MOVING, number(1) + b"\1\0", ())):
            known = set(daemon.workers)
            daemon.fresh().close()  # another takes its place
            settle(lambda: set(daemon.workers) - known, 30, "no new worker comes")
            worker = (set(daemon.workers) - known).pop()
            worker.is_used = True
            worker.say(kind, data, fds)
            worker.expect_end(f"message {kind} before READY")
        said(daemon, "spoke before it was ready")
        daemon.says_ready = True
        daemon.expect_calm()
        daemon.end()


@taken_over
def wrong_size(daemon, clients):
    """Cut, prolonged, empty, huge and random messages; descriptors where none belong, none where one does, several."""
    cases = [(bytes([PASSIVE]) + b"\0\0", ()), (bytes([PASSIVE]) + number(1) + b"\0", ()), (b"", ()), (bytes([MESSAGES]), ()),
             (b"\xff" * 40, ()), (bytes([READY]) * 16000, ()), (b"", (0,)),
             (bytes([LOGIN]) + number(1) + bytes(7), ()), (bytes([LOGIN]) + number(1) + bytes(9), ()), (bytes([LOGIN]) + number(1) + bytes(8), (0,)),
             (bytes([MOVING]) + number(1) + b"\1", ()), (bytes([MOVING]) + number(1) + b"\2\0", ()),
             (bytes([MORE_AGENTS]), ()), (bytes([MORE_AGENTS]) + b"\0", ()), (bytes([MORE_AGENTS]) + bytes(3), ()),
             (bytes([MORE_AGENTS]) + host(0), (0,)), (bytes([MORE_AGENTS]) + host(0), (0,) * 2), (bytes([MORE_AGENTS]) + host(0), (0,) * 200),
             (bytes([ENDED]) + number(1) + b"\x09", ())]
    for data, fds in cases:
        worker = daemon.fresh()
        send(worker.channel, data, fds)
        worker.expect_end(f"{data[:20]!r} with {len(fds)} descriptors")
    source = random.Random(2026)
    for _ in range(8):
        worker = daemon.fresh()
        while send(worker.channel, source.randbytes(source.choice((1, 2, 5, 6, 28, 29, 100, 5000))), (0,) * source.choice((0, 0, 0, 1, 3))):
            if source.random() < 0.05:
                worker.hear_waiting()
        worker.expect_end("random messages")
    check(not clients, "no client was needed")


@taken_over
def other_workers_sessions(daemon, clients):
    """What one worker says of another's session ends the one and does not touch the other."""
    victim = daemon.fresh()
    session, client = daemon.client_of(victim, clients)
    for kind, data, fds in ((ENDED, number(session) + b"\0", ()), (PASSIVE, number(session), ()),
                            (ACTIVE, number(session) + address("127.0.0.1", client.getsockname()[1]), ()),
                            (HAND_BACK, number(session), (victim.sessions[-1][1].fileno(),))):
        worker = daemon.fresh()
        worker.say(kind, data, fds)
        worker.expect_end(f"message {kind} about another's session")
    victim.say(PASSIVE, number(session))
    rest, link = victim.hear_until(PASSIVE_ANSWER)
    check(rest[:4] == number(session) and link is not None, "the other worker is not served any more")
    link.close()
    victim.sessions[-1][1].sendall(b"220 alive\r\n")
    check(client.recv(100) == b"220 alive\r\n", "the other client is cut off")


@taken_over
def foreign_targets(daemon, clients):
    """ACTIVE goes to the client's own address and a port from 1024 on, whoever asks."""
    worker = daemon.fresh()
    session, client = daemon.client_of(worker, clients)
    own = client.getsockname()[0]
    traps = []
    for host in (NOWHERE, own):
        trap = socket.socket()
        trap.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trap.bind((host, 1023 if host == own else 0))
        trap.listen(16)
        trap.settimeout(0.3)
        traps.append(trap)
    port = traps[0].getsockname()[1]
    for target in (address(NOWHERE, port), address(f"::ffff:{NOWHERE}", port), address(f"::ffff:{own}", port), address("::1", port),
                   address("::", port), address("0.0.0.0", port), address("255.255.255.255", port), address("224.0.0.1", port),
                   address("fe80::1", port, 1), address(), address(own, 1023), address(own, 0), address(own, 21), address("10.0.0.1", 80)):
        worker.say(ACTIVE, number(session) + target)
        rest, link = worker.hear_until(ACTIVE_ANSWER)
        check(link is None and rest[4] == IPC_DENIED, f"ACTIVE to {target.hex()} is answered with result {rest[4]}")
    for trap in traps:
        try:
            _, source = trap.accept()
            raise TestFailure(f"{source} has come to {trap.getsockname()}")
        except TimeoutError:
            trap.close()
    with socket.create_server((own, 0)) as welcome:
        welcome.settimeout(5)
        worker.say(ACTIVE, number(session) + address(own, welcome.getsockname()[1]))
        rest, link = worker.hear_until(ACTIVE_ANSWER)
        check(rest[4] == IPC_OK and link is not None, "the client's own port is refused")
        welcome.accept()[0].close()
        link.close()
    # Addresses that are none end the worker.
    worker.say(ACTIVE, number(session) + b"\1" + b"\xff" * 16 + bytes(6))
    worker.expect_end("an IPv4 address of 16 bytes")


@taken_over
def wrong_hand_backs(daemon, clients):
    """HAND_BACK with anything but the session's own control connection."""
    others = [socket.socket(), socket.socket(socket.AF_UNIX), socket.socketpair()[0], socket.create_server(("127.0.0.1", 0))]
    folder = os.open("/", os.O_RDONLY)
    path = os.open("/etc", os.O_PATH)
    file = os.open("/etc/passwd", os.O_RDONLY)
    pipe = os.pipe()
    master = os.open("/dev/null", os.O_RDWR)
    wrong = [(folder,), (path,), (file,), (pipe[0],), (pipe[1],), (master,), (), (file, file)] + [(link.fileno(),) for link in others]
    for fds in wrong:
        worker = daemon.fresh()
        session, _ = daemon.client_of(worker, clients)
        worker.say(HAND_BACK, number(session), fds)
        worker.expect_end(f"HAND_BACK with {fds}")
    # Another client's connection, though it is this worker's, too.
    worker = daemon.fresh()
    daemon.client_of(worker, clients)
    while len(worker.sessions) < 2:
        daemon.connect(clients)
    worker.say(HAND_BACK, number(worker.sessions[0][0]), (worker.sessions[1][1].fileno(),))
    worker.expect_end("HAND_BACK of another client")
    for fd in (folder, path, file, master, *pipe):
        os.close(fd)
    for link in others:
        link.close()


@taken_over
def private_workers_keep_their_client(daemon, clients):
    """A private worker gets one client and can neither hand it back nor get another."""
    shared = daemon.fresh()
    session, client = daemon.client_of(shared, clients)
    shared.say(HAND_BACK, number(session), (shared.sessions[-1][1].fileno(),))
    shared.hear_until(TAKEN_BACK)
    shared.sessions.pop()[1].close()

    def has_client():
        for worker in daemon.of_kind(PRIVATE):
            worker.hear_waiting()
        return [worker for worker in daemon.of_kind(PRIVATE) if worker.sessions]

    private = settle(has_client, text="no private worker gets the client")[0]
    check(private.sessions[0][1].getpeername() == client.getsockname(), "another client has come")
    private.say(HAND_BACK, number(private.sessions[0][0]), (private.sessions[0][1].fileno(),))
    private.expect_end("HAND_BACK by a private worker")
    # The shared one may not speak of it any more.
    shared.say(PASSIVE, number(session))
    shared.expect_end("a session that was handed back")


def guess(worker, user, password, named=None):
    """One try at once: the master's result, the authenticator's answer, and how long the master let the worker wait."""
    began = time.monotonic()
    worker.say(LOGIN, number(worker.sessions[0][0]) + user_number(named or user))
    rest, link = worker.hear_until(LOGIN_ANSWER)
    took = time.monotonic() - began
    if link is None:
        return rest[4], None, took
    send(link, bytes([LOGIN_TRY]) + text(user) + text(password) + text("") + b"\0" + text(""))
    link.settimeout(10)
    answer = link.recv(MESSAGE_MAX)
    link.close()
    return rest[4], answer[0] if answer else None, took


@taken_over
def logins_out_of_phase(daemon, clients):
    """A shared worker may log nobody in, a private one only its own client, one try at a time."""
    shared = daemon.fresh()
    session, _ = daemon.client_of(shared, clients)
    shared.say(LOGIN, number(session) + user_number("ann"))
    shared.expect_end("a login at a shared worker")
    mark = len(daemon.log_text())
    victim = daemon.private_of(clients)
    worker = daemon.private_of(clients)
    worker.say(LOGIN, number(victim.sessions[0][0]) + user_number("ann"))
    worker.expect_end("a login for another's session")
    worker = daemon.private_of(clients)
    asked = bytes([LOGIN]) + number(worker.sessions[0][0]) + user_number("ann")
    for _ in range(50):  # most of them before the answer to the first
        send(worker.channel, asked)
    worker.expect_end("a second try before the answer to the first")
    said(daemon, "which it does not have", mark)
    said(daemon, "wanted to log somebody in, and may not", mark)
    # The session that others meddled with is as it was.
    check(guess(victim, "ann", PASSWORD)[:2] == (IPC_OK, LOGIN_ACCEPTED), "the honest session cannot log in")


@taken_over
def guesses_skip_no_delay(daemon, clients):
    """A taken-over worker that does without its own delay is delayed by the master, and others are not."""
    worker = daemon.private_of(clients)
    results = [guess(worker, "ann", f"guess {turn}") for turn in range(TRIES)]
    waits = [took for _, _, took in results]
    check(all(result[:2] == (IPC_OK, LOGIN_REFUSED) for result in results), f"{results}")
    check(sum(waits[:FREE_TRIES]) < 2, f"the first tries wait: {waits}")
    check(waits[FREE_TRIES] >= 0.2 and waits[FREE_TRIES + 1] >= 0.45, f"the next tries do not wait: {waits}")
    check(min(waits[FREE_TRIES + 2:]) >= 0.95, f"the last tries wait too little: {waits}")
    check(max(waits) < MAX_DELAY + 1.5, f"a try waits too long: {waits}")
    check(guess(worker, "ann", PASSWORD)[0] == IPC_DENIED, "there are more tries than logins.tries")
    # Another connection from there is no way out; it waits, and is let in.
    again = daemon.private_of(clients)
    result, answer, took = guess(again, "ben", PASSWORD)
    check((result, answer) == (IPC_OK, LOGIN_ACCEPTED) and took >= 0.9, f"another connection: {result}, {answer}, after {took} s")
    # From elsewhere, others wait for nothing, and she whom it is all about only little.
    for user, most in (("ben", 0.5), ("ann", MAX_DELAY + 1.5)):
        honest = daemon.private_of(clients, ELSEWHERE)
        result, answer, took = guess(honest, user, PASSWORD)
        check((result, answer) == (IPC_OK, LOGIN_ACCEPTED) and took < most, f"{user}: {result}, {answer}, after {took} s")
    check(daemon.log_text().count("login refused: wrong password; user ann") == TRIES, "not each refusal has its line")


@taken_over
def guesses_at_once(daemon, clients):
    """Many connections that guess at the same time get no more guesses than one after the other."""
    workers = [daemon.private_of(clients) for _ in range(10)]
    began = time.monotonic()
    for worker in workers:
        worker.say(LOGIN, number(worker.sessions[0][0]) + user_number("ann"))
    links = []
    while time.monotonic() - began < 0.2:
        for worker in workers:
            while select.select([worker.channel], [], [], 0)[0]:
                _, _, link = worker.hear()
                if link is not None:
                    send(link, bytes([LOGIN_TRY]) + text("ann") + text("wrong") + text("") + b"\0" + text(""))
                    links.append(link)
        time.sleep(0.01)
    most = 3 + 2 * (os.cpu_count() or 1)
    check(0 < len(links) <= most, f"{len(links)} guesses were taken at once")
    for worker in workers:
        worker.hear_waiting(0.1)
    for link in links:
        link.close()


@taken_over
def two_names(daemon, clients):
    """Who names one user to the master and another to the authenticator is ended."""
    for password in ("wrong", PASSWORD):
        mark = len(daemon.log_text())
        worker = daemon.private_of(clients)
        _, answer, _ = guess(worker, "ann", password, named="ben")
        check(answer in (LOGIN_REFUSED, None), f"the authenticator answers {answer}")
        worker.expect_end("two names in one try")
        said(daemon, "named two users in one try", mark)
    # An unfinished try, and one that is no message.
    for data in (b"", b"\0", b"\xff" * 300, bytes([LOGIN_ACCEPTED]) + text("ann")):
        worker = daemon.private_of(clients)
        worker.say(LOGIN, number(worker.sessions[0][0]) + user_number("ann"))
        _, link = worker.hear_until(LOGIN_ANSWER)
        check(link is not None, "no channel to an authenticator")
        send(link, data) if data else None
        # Whose try it is bears it alone: an honest one is under way at the same time (SECURITY.md A18).
        result = guess(daemon.private_of(clients, ELSEWHERE), "ben", PASSWORD)
        check(result[:2] == (IPC_OK, LOGIN_ACCEPTED), f"beside {data[:20]}: {result}")
        link.close()
        worker.expect_end("a broken wire format") if data else worker.close()


@taken_over
def moving_out_of_phase(daemon, clients):
    """Data begin and cease to move by turns; who moves shares the address's rate."""
    workers = [daemon.private_of(clients) for _ in range(3)]
    for turn, worker in enumerate(workers[:2]):
        worker.say(MOVING, number(worker.sessions[0][0]) + b"\1\0")
        rest, _ = worker.hear_until(SHARE)
        check(rest[4:12] == struct.pack(">Q", ADDRESS_RATE // (turn + 1)), f"worker {turn} gets {rest.hex()}")
    rest, _ = workers[0].hear_until(SHARE)
    check(rest[4:12] == struct.pack(">Q", ADDRESS_RATE // 2), "the first one is not told of the second")
    workers[1].say(MOVING, number(workers[1].sessions[0][0]) + b"\1\1")
    workers[1].expect_end("MOVING twice")
    rest, _ = workers[0].hear_until(SHARE)
    check(rest[4:12] == struct.pack(">Q", ADDRESS_RATE), "the first one is not told of the second's end")
    workers[2].say(MOVING, number(workers[2].sessions[0][0]) + b"\0\0")
    workers[2].expect_end("an end of what has not begun")
    said(daemon, "said twice that data move")


@taken_over
def floods(daemon, clients):
    """PASSIVE without end, agents without end, and no TAKEN at all: all of it is bounded."""
    worker = daemon.fresh()
    session, _ = daemon.client_of(worker, clients)
    busy = 0
    for _ in range(PASSIVE_ASKS_MAX + 50):
        worker.say(PASSIVE, number(session))
        rest, link = worker.hear_until(PASSIVE_ANSWER)
        busy += rest[27] == IPC_BUSY
        if link is not None:
            link.close()
    check(busy >= 50, f"only {busy} of {PASSIVE_ASKS_MAX + 50} passive questions were refused")
    before = len(daemon.programs("deftpd-agent"))
    for _ in range(1000):
        check(worker.say(MORE_AGENTS, host(0)), "the worker was ended for wanting agents")
        worker.hear_waiting() if _ % 100 == 0 else None
    worker.hear_waiting()
    time.sleep(0.5)
    grown = len(daemon.programs("deftpd-agent")) - before
    check(grown <= AGENTS_MAX, f"{grown} agents were made for one worker")
    check(len(worker.agents) <= AGENTS_MAX, f"the worker has {len(worker.agents)} agents")
    # Without TAKEN no second descriptor comes.
    silent = daemon.fresh()
    silent.hear_waiting()
    while True:
        daemon.connect(clients, silent)
        try:
            kind, _, link = silent.hear(takes=False, timeout=0.1)
        except TimeoutError:
            continue
        if kind == ASSIGN:
            break
    for _ in range(3 * SHARED_WORKERS):
        daemon.connect(clients, silent)
    try:
        kind, _, link = silent.hear(takes=False, timeout=0.5)
        check(link is None, f"message {kind} brings a second descriptor before TAKEN")
    except TimeoutError:
        pass
    worker.close()
    silent.close()


def agent_roots(daemon):
    """Where the agents that live are at home."""
    roots = []
    for process in daemon.programs("deftpd-agent"):
        try:
            roots.append(os.readlink(f"/proc/{process.pid}/root"))
        except OSError:
            pass  # it has just ended
    return roots


def agents_of_hosts():
    """A worker that names a virtual host which there is not, or that is none of its business, is ended; a few agents come of one that there is."""
    with TakenOver(configuration='host "one.example" { banner = "One." }\n'
                                 'host "two.example" { anonymous_root = "/srv" }\n') as daemon, Closing() as clients:
        daemon.take_over()
        for number_of_host in (1, 2, 3, 0xffff):
            worker = daemon.fresh()
            worker.say(MORE_AGENTS, host(number_of_host))
            worker.expect_end(f"a shared worker's host {number_of_host}")
        for number_of_host in (3, 256, 0xffff):
            worker = daemon.private_of(clients)
            worker.say(MORE_AGENTS, host(number_of_host))
            worker.expect_end(f"a private worker's host {number_of_host}")
        said(daemon, "asked for agents of host 3, and may not")
        worker = daemon.private_of(clients)
        for number_of_host, root in ((2, "/srv"), (1, daemon.root), (0, daemon.root)):
            before = agent_roots(daemon)
            worker.say(MORE_AGENTS, host(number_of_host))
            rest, link = worker.hear_until(GIVE_AGENT)
            check(rest == host(number_of_host) and link is not None, f"the agent is said to be of {rest!r}")
            settle(lambda: agent_roots(daemon).count(os.path.realpath(root)) == before.count(os.path.realpath(root)) + 1, 5,
                   f"no agent of host {number_of_host} has the root {root}")
        before = len(daemon.programs("deftpd-agent"))
        for _ in range(100):
            check(worker.say(MORE_AGENTS, host(2)), "the worker was ended for wanting agents")
        time.sleep(0.5)
        worker.hear_waiting()
        check(len(worker.agents) == AGENTS_MAX_PRIVATE, f"a private worker has {len(worker.agents)} agents")
        check(len(daemon.programs("deftpd-agent")) <= before, "agents were made that the worker may not have")
        worker.close()
        for client in clients:
            client.close()
        clients.clear()
        daemon.expect_calm()
        daemon.end()


@taken_over
def forged_records(daemon, clients):
    """The recorder believes a worker nothing about others, and lets nobody forge a line."""
    victim = daemon.fresh()
    session, _ = daemon.client_of(victim, clients)
    peer = address("203.0.113.66", 1)
    wrong = [record(R_TRANSFER, session, b"root", b"/forged", flags=13), record(R_LOGIN, session, b"root", b"forged"),
             record(R_EVENT, session, text=b"forged"), record(R_SESSION_END, session),
             record(R_SESSION_BEGIN, session, worker=99, peer=peer), record(R_WORKER, worker=1), record(R_TRANSFER_LOG), record(R_EVENT_LOG),
             record(R_READY), record(R_TAKEN), b"", b"\x05", record(R_EVENT) + b"\0", record(R_EVENT, text=b"x" * 5000)]
    for data in wrong:
        worker = daemon.fresh() if data is wrong[0] else next_recorder(daemon)
        send(worker.recorder, data)
        worker.recorder.settimeout(5)
        try:
            check(worker.recorder.recv(10) == b"", "the recorder answers a worker")
        except ConnectionResetError:
            pass
        worker.recorder.close()
        worker.recorder = None
    mark = len(daemon.log_text())
    worker = next_recorder(daemon)
    send(worker.recorder, record(R_EVENT, text=b"line\n2026-01-01T00:00:00Z error: forged\x1b[2J", peer=peer))
    send(worker.recorder, record(R_TRANSFER, 0xfffffff, b"a", b"/x\nMon Jan 01 00:00:00 2026 1 203.0.113.66 1 /forged b _ o a x ftp 0 * c", flags=13, peer=peer))
    said(daemon, "line\\x0a2026", mark)
    said(daemon, "unknown", mark)
    for line in daemon.log_text()[mark:].splitlines():
        check("203.0.113.66" not in line.split(": ")[0], f"an address was forged: {line}")
        check("error: forged" not in line or "\\x0a" in line, f"a line was forged: {line}")
    check("forged" not in daemon.transfer_text(), "a transfer was forged")
    check("peer=" not in "".join(line for line in daemon.log_text().splitlines() if "forged" in line), "a forged line has an address")
    check(len(daemon.programs("deftpd-recorder")) == 1, "the recorder is gone")


def next_recorder(daemon):
    """A worker with a channel to the recorder."""
    worker = daemon.fresh()
    check(worker.recorder is not None, "no channel to the recorder")
    return worker


def honest_clients_are_served_afterwards():
    """When the taken-over workers are gone, honest ones serve."""
    with TakenOver() as daemon:
        daemon.take_over()
        with open(os.path.join(daemon.root, "file"), "wb") as stream:
            stream.write(b"content\n")
        daemon.listener.close()
        os.unlink(os.path.join(daemon.programs_place, "control"))
        for worker in daemon.workers:
            worker.say(TAKEN)
            worker.close()

        def is_served():
            try:
                with Client(daemon, timeout=5) as client:
                    return client.login().fetch("RETR file") == b"content\n"
            except (OSError, TestFailure):
                return False

        settle(is_served, 30, "nobody is served")


if __name__ == "__main__":
    need_root()
    sys.exit(run([wrong_phase, before_ready, wrong_size, other_workers_sessions, foreign_targets, wrong_hand_backs,
                  private_workers_keep_their_client, logins_out_of_phase, guesses_skip_no_delay, guesses_at_once, two_names,
                  moving_out_of_phase, floods, agents_of_hosts, forged_records, honest_clients_are_served_afterwards]))
