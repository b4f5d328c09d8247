#!/usr/bin/env python3
"""reset_storm: data connections are cut at random bytes 2,000 times, by a reset, a close or silence, by downloads and listings, active
and passive; afterwards every session lives and everything is as before (SECURITY.md P12, CVE-2023-51713 and its kin)."""

import os
import random
import socket
import sys
import time

from lib_daemon import Daemon
from lib_system import check, connect, descriptor_kinds, is_ready, need_root, read_all, reset, run, settle

CUTS = 2000
SESSIONS = 5
SEED = 4711
SIZE = 4 << 20


def fill(daemon):
    """A file and a directory that take longer than a socket's buffer holds."""
    with open(os.path.join(daemon.root, "big"), "wb") as stream:
        stream.write(random.Random(SEED).randbytes(SIZE))
    os.mkdir(os.path.join(daemon.root, "many"))
    for number in range(3000):
        with open(os.path.join(daemon.root, "many", f"{number:04}-{'x' * 100}"), "wb"):
            pass


def cut(link, source):
    """Read some bytes, at times none, then end it."""
    link.settimeout(10)
    wanted = source.choice((0, 1, source.randrange(100), source.randrange(SIZE)))
    try:
        while wanted > 0:
            part = link.recv(min(wanted, 1 << 16))
            if not part:
                break
            wanted -= len(part)
        if source.random() < 0.1:
            link.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    if source.random() < 0.6:
        reset(link)
    else:
        link.close()


def one_cut(client, source):
    """One transfer that is cut; the session must answer in its turn."""
    command = source.choice(("RETR big", "RETR big", "LIST many", "MLSD many", "NLST many"))
    if source.random() < 0.3:
        client.ask("TYPE A" if source.random() < 0.5 else "TYPE I", 200)
    if source.random() < 0.3:
        with socket.create_server(("127.0.0.1", 0)) as target:
            port = target.getsockname()[1]
            client.ask(f"PORT 127,0,0,1,{port // 256},{port % 256}", 200)
            client.send(command)
            target.settimeout(10)
            link = target.accept()[0]
    else:
        link = client.dial(client.passive())
        if source.random() < 0.2:
            reset(link)
            link = None
        client.send(command)
    if link is not None:
        cut(link, source)
    code, text = client.reply()
    if code in (125, 150):
        code, text = client.reply()
    check(code in (226, 425, 426, 450, 451), f"{command}: {text!r}")


def measure(daemon):
    """Descriptors by kind of each process."""
    return {(process.program, process.pid): descriptor_kinds(process) for process in daemon.tree()}


def nothing_breaks():
    """2,000 cuts over five sessions."""
    source = random.Random(SEED)
    with Daemon(options=["active_port=0"]) as daemon:
        fill(daemon)
        settle(lambda: is_ready(daemon))
        with connect(daemon) as client:
            client.fetch("LIST many")
        time.sleep(2)
        before = measure(daemon)
        clients = [connect(daemon) for _ in range(SESSIONS)]
        for number in range(CUTS):
            one_cut(clients[number % SESSIONS], source)
        with open(os.path.join(daemon.root, "big"), "rb") as stream:
            content = stream.read()
        for client in clients:
            client.ask("TYPE I", 200)
            link = client.begin("RETR big")
            check(read_all(link) == content, "the content is wrong")
            check(client.reply()[0] == 226, "no 226")
            client.ask("QUIT", 221)
            client.close()
        settle(lambda: measure(daemon) == before, 20, lambda: f"before: {before}\nnow: {measure(daemon)}")
        lines = daemon.transfer_text().splitlines()
        check(sum(line.endswith(" c") for line in lines) >= SESSIONS, "complete transfers are not logged")
        check(sum(line.endswith(" i") for line in lines) > 100, "cut transfers are not logged as such")


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    sys.exit(run([nothing_breaks]))
