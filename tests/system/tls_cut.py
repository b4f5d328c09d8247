#!/usr/bin/env python3
"""tls_cut: 10,000 TLS data connections are cut at random bytes of either direction, in the handshake, in the middle, at the end, by a reset, a
close or a half-close, during downloads, listings and uploads, by several clients at once; now and then the control connection is cut, too.
Each command has its final reply; afterwards all is as before (SECURITY.md P11, P12)."""

import multiprocessing
import os
import random
import socket
import ssl
import sys
import time

from lib_daemon import slowness
from lib_system import check, descriptor_kinds, is_ready, is_sanitized, need_root, reset, run, settle
from lib_tls import TlsClient, TlsDaemon, TlsLink, need_tls
from lib_users import worker_of

CUTS = 10000
CLIENTS = 5
SEED = 4713
SIZE = 1 << 20
MANY = 500
FINAL = (226, 425, 426, 450, 451, 522, 552)
SECONDS = 100  # then it stops; a slow machine does fewer


class Cut(Exception):
    """So many bytes have moved."""


class Budget:
    """A socket that lets only so many bytes through, both ways together."""

    def __init__(self, link, count):
        self.link = link
        self.left = count

    def sendall(self, data):
        """As socket.sendall()."""
        part = data[:self.left]
        self.left -= len(part)
        self.link.sendall(part)
        if len(part) < len(data):
            raise Cut

    def recv(self, size):
        """As socket.recv()."""
        if self.left == 0:
            raise Cut
        data = self.link.recv(min(size, self.left))
        self.left -= len(data)
        return data

    def __getattr__(self, name):
        return getattr(self.link, name)


def budget_of(source):
    """Where to cut: in the handshake, near it, or anywhere."""
    kind = source.random()
    if kind < 0.4:
        return source.randrange(2500)
    return source.randrange(8000) if kind < 0.7 else source.randrange(SIZE + 40000)


def connect_data(client, command, source):
    """Send the command with a data connection, passive or active; returns that, and how many lines stand behind it."""
    behind = source.choice((0, 0, 0, 2))
    line = command.encode() + b"\r\n" + b"NOOP\r\n" * behind
    if source.random() < 0.5:
        raw = client.dial(client.passive())
        client.link.sendall(line)
        return raw, behind
    with socket.create_server(("127.0.0.1", 0)) as target:
        port = target.getsockname()[1]
        client.ask(f"PORT 127,0,0,1,{port // 256},{port % 256}", 200)
        client.link.sendall(line)
        target.settimeout(10)
        return target.accept()[0], behind


def move(link, command, source):
    """Go on until the budget is used up, or to the end."""
    try:
        link.handshake(10)
        if command[:4] in ("STOR", "APPE"):
            link.sendall(bytes(source.randrange(SIZE // 4)))
            if source.random() < 0.5:
                link.tls.write(b"x" * 1000)
                link.link.link.sendall(link.take()[:source.randrange(1000)])
        else:
            while link.recv(1 << 16):
                pass
    except (Cut, ssl.SSLError, OSError):
        pass


def one_cut(client, number, source):
    """One transfer that is cut; the session answers in its turn. Commands may stand behind it already."""
    command = source.choice(("RETR big", "RETR big", "LIST many", "MLSD many", f"STOR up{number}", f"APPE up{number}"))
    raw, behind = connect_data(client, command, source)
    link = TlsLink(Budget(raw, budget_of(source)), client.context, None, client.link.session() if source.random() < 0.9 else None)
    move(link, command, source)
    how = source.random()
    if how < 0.5:
        reset(raw)
    elif how < 0.6:
        try:
            raw.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server was faster
    raw.close()
    # NOOP is answered while the transfer runs, or after it.
    codes = collect(client, command, 1 + behind)
    check(codes.count(200) == behind, f"{command}, {behind} times NOOP: {codes}")
    finals = [code for code in codes if code not in (125, 150, 200)]
    check(len(finals) == 1 and finals[0] in FINAL or finals == [426, 226], f"{command}: {codes}")


def collect(client, command, count):
    """
    The codes of so many final replies. Where a handshake was cut the server waits, as it may have been a stranger's; so
    ABOR, which has an answer of its own.
    """
    codes = []
    has_aborted = False
    while len([code for code in codes if code >= 200]) < count:
        if not client.bytes and not client.link.poll(0.1) and not has_aborted:
            has_aborted = True
            client.send("ABOR")
            count += 1
        code, text = client.reply()
        check(code, f"{command}: the session has ended after {codes}")
        codes.append(code)
    if has_aborted and 426 not in codes:
        codes.remove(226 if 226 in codes else 225)  # of ABOR, which came too late
    return codes


def cut_control(daemon, version, source):
    """A session of its own, whose control connection is cut, perhaps in a transfer."""
    client = None
    try:
        client = TlsClient(daemon, "ann", version=version)
        raw = client.link.link
        if source.random() < 0.6:
            data = client.dial(client.passive())
            client.ask(source.choice(("RETR big", "STOR gone")), 125, 150)
            if source.random() < 0.5:
                client.wrap(data).link.close()
        client.link.tls.write(b"NOOP\r\n" * 10)
        raw.sendall(client.link.take()[:source.randrange(60)])
    except (ssl.SSLError, OSError):
        pass
    if client is not None:
        if source.random() < 0.5:
            reset(client.link.link)
        client.link.cut()


def cuts(daemon, number, count, until):
    """One client's cuts; gives how many were done and how much memory its worker took meanwhile."""
    source = random.Random(SEED + number)
    version = "1.2" if number % 2 else "1.3"
    settled = 0
    with TlsClient(daemon, "ann", version=version) as client:
        worker = worker_of(daemon, client)[0]
        done = 0
        while done < count and time.monotonic() < until:
            one_cut(client, number, source)
            done += 1
            if done % 100 == 0:
                cut_control(daemon, version, source)
            if done == count // 10:
                settled = memory_kb(worker)
        grown = memory_kb(worker) - settled if done == count else 0
        client.fetch("RETR big")
        client.ask("QUIT", 221)
    return done, grown


def in_processes(daemon, until):
    """All clients' results."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()

    def work(number):
        try:
            queue.put(cuts(daemon, number, CUTS // CLIENTS, until))
        except Exception as error:  # every trouble is for the parent to tell
            queue.put(repr(error))

    children = [context.Process(target=work, args=(number,)) for number in range(CLIENTS)]
    for child in children:
        child.start()
    results = [queue.get(timeout=2 * SECONDS) for _ in children]
    for child in children:
        child.join()
    troubles = [result for result in results if isinstance(result, str)]
    check(not troubles, "; ".join(troubles))
    return results


def memory_kb(process):
    """What a process has of its own."""
    with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as stream:
        return sum(int(line.split()[1]) for line in stream if line.startswith("Private_"))


def measure(daemon):
    """Descriptors by kind of the processes that stay."""
    return {(process.program, process.pid): descriptor_kinds(process) for process in daemon.tree()
            if process.program in ("deftpd", "deftpd-recorder")}


def nothing_breaks():
    """All cuts, by clients in processes of their own."""
    daemon = TlsDaemon(options=["spare_max=8", "active_port=0", "uploads.keep_partial=no", "tls.strict_close=require"])
    with open(daemon.home("big"), "wb") as stream:
        stream.write(random.Random(SEED).randbytes(SIZE))
    os.mkdir(daemon.home("many"))
    for number in range(MANY):
        with open(daemon.home("many", f"{number:04}-{'x' * 100}"), "wb"):
            pass
    os.chown(daemon.home("big"), daemon.ids["ann"], daemon.ids["ann"])
    with daemon:
        settle(lambda: is_ready(daemon))
        with TlsClient(daemon, "ann") as client:
            client.put("STOR up0", b"x")
            client.fetch("LIST many")
        time.sleep(2)
        before, count_before = measure(daemon), len(daemon.tree())
        until = time.monotonic() + SECONDS
        results = in_processes(daemon, until)
        done = sum(result[0] for result in results)
        print(f"  {done} cuts; {[result[1] for result in results]} kB more")
        check(done == CUTS or slowness() > 1 or time.monotonic() >= until, "too few cuts")
        check(done > CUTS // 5, f"only {done} cuts in {SECONDS} s")
        check(is_sanitized() or all(result[1] < 1024 for result in results), f"memory grows: {results}")
        settle(lambda: measure(daemon) == before and len(daemon.tree()) <= count_before + 2, 20,
               lambda: f"before: {before}\nnow: {measure(daemon)}, {daemon.tree()}")
        left = set(os.listdir(daemon.home())) - {"big", "many"} - {f"up{number}" for number in range(CLIENTS)}
        check(not left, f"left: {left}")
        with TlsClient(daemon, "ann") as client:
            check(len(client.fetch("RETR big")) == SIZE, "the content is wrong")


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    need_tls()
    sys.exit(run([nothing_breaks]))
