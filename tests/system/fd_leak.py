#!/usr/bin/env python3
"""fd_leak: 10,000 random commands, right and wrong, with and without data connections; then each process has as many descriptors
as before, and no more memory than it should."""

import os
import random
import socket
import sys
import time

from lib_daemon import Daemon
from lib_system import check, connect, descriptor_kinds, is_ready, is_sanitized, need_root, reset, run, settle

COMMANDS = 10000
SEED = 20261123
PLAIN = ["NOOP", "PWD", "SYST", "FEAT", "HELP", "STAT", "STAT .", "TYPE A", "TYPE I", "MODE S", "STRU F", "CWD dir", "CDUP", "CWD /none",
         "SIZE file", "SIZE dir", "MDTM file", "MLST file", "MLST", "REST 5", "REST x", "ALLO 1", "OPTS UTF8 ON", "STOR x", "DELE file",
         "MKD y", "RNFR file", "RNTO z", "SITE HELP", "EPSV ALL x", "XYZZY", "", "ABOR", "ACCT x", "PASV", "EPSV", "EPRT |1|127.0.0.1|1|",
         "PORT 127,0,0,1,0,1", "USER anonymous\r\nPASS x", "PASS x"]
TRANSFERS = ["RETR file", "RETR big", "RETR none", "LIST", "LIST -aR", "NLST dir", "MLSD", "LIST none", "NLST *"]
MEMORY_GROWTH_KIB = 3000


def fill(daemon):
    """Something to fetch and to list."""
    os.mkdir(os.path.join(daemon.root, "dir"))
    for name, size in (("file", 1000), ("big", 3000000), ("dir/inner", 10)):
        with open(os.path.join(daemon.root, name), "wb") as stream:
            stream.write(os.urandom(size))


def one_transfer(client, source):
    """A transfer in one of many ways, most of them bad manners."""
    command = source.choice(TRANSFERS)
    if source.random() < 0.2:
        with socket.create_server(("127.0.0.1", 0)) as target:
            port = target.getsockname()[1]
            client.ask(f"PORT 127,0,0,1,{port // 256},{port % 256}", 200)
            client.send(command)
            target.settimeout(0.2)
            try:
                use(target.accept()[0], source)
            except TimeoutError:
                pass
        return
    address = client.passive()
    manner = source.random()
    if manner < 0.1:
        client.send(command)
        client.send("ABOR")
        return
    if manner < 0.2:
        return  # never connects, and says something else next
    link = client.dial(address)
    if manner < 0.3:
        link.close()
    client.send(command)
    if manner >= 0.3:
        use(link, source)


def use(link, source):
    """Read all, a part, or nothing; end in order or not."""
    link.settimeout(5)
    manner = source.random()
    try:
        while manner < 0.5 and link.recv(1 << 16):
            pass
        if manner < 0.8:
            link.recv(source.randrange(1, 5000))
    except OSError:
        pass
    if manner > 0.9:
        reset(link)
    else:
        link.close()


def measure(daemon):
    """Descriptors by kind, and anonymous memory, of each process."""
    found = {}
    for process in daemon.tree():
        status = process.status()
        found[process.pid] = (process.program, descriptor_kinds(process), int(status["RssAnon"].split()[0]))
    return found


def nothing_is_left_open():
    """10,000 commands over many sessions."""
    source = random.Random(SEED)
    with Daemon(options=["max_sessions_per_address=0", "spare_max=2"]) as daemon:
        fill(daemon)
        settle(lambda: is_ready(daemon))
        with connect(daemon) as client:
            for command in TRANSFERS:
                client.send(command)
                client.reply()
            client.fetch("LIST -aR")
            client.fetch("RETR big")
        time.sleep(2)
        before = measure(daemon)
        sent = 0
        client = None
        while sent < COMMANDS:
            if client is None:
                client = connect(daemon)
            if source.random() < 0.7:
                for _ in range(source.randrange(1, 20)):
                    client.send(source.choice(PLAIN))
                    sent += 1
            else:
                try:
                    one_transfer(client, source)
                except OSError:
                    client.close()
                    client = None
                    continue
                sent += 2
            if source.random() < 0.05:
                how = source.random()
                if how < 0.4:
                    client.send("QUIT")
                if how > 0.8:
                    reset(client.link)
                else:
                    client.close()
                client = None
            elif not synchronise(client):
                client.close()
                client = None
        if client is not None:
            client.close()
        settle(lambda: compare(before, measure(daemon)) == "", 20, lambda: compare(before, measure(daemon)))
        with connect(daemon) as client:
            check(len(client.fetch("RETR file")) == 1000, "not served any more")


def synchronise(client):
    """Read what came; False when the session is over."""
    client.link.settimeout(10)
    client.send("MODE B")  # 504, which no other command of ours gets
    while True:
        code, _ = client.reply()
        if code == 0 or code == 421:
            return False
        if code == 504:
            return True


def compare(before, after):
    """What differs, as a text."""
    found = []
    for pid in sorted(set(before) | set(after)):
        old, new = before.get(pid), after.get(pid)
        if old is None or new is None:
            found.append(f"{(old or new)[0]} {pid} {'has ended' if old else 'is new'}")
            continue
        if old[1] != new[1]:
            found.append(f"{old[0]} {pid}: {old[1]}, now {new[1]}")
        if new[2] > old[2] + MEMORY_GROWTH_KIB and not is_sanitized():
            found.append(f"{old[0]} {pid}: {old[2]} KiB, now {new[2]} KiB")
    return "\n".join(found)


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    sys.exit(run([nothing_is_left_open]))
