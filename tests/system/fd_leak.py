#!/usr/bin/env python3
"""fd_leak: thousands of random commands, right and wrong, with and without data connections, of anonymous clients and of users who
write; then each process has as many descriptors as before, and no more memory than it should (SECURITY.md F10)."""

import os
import random
import socket
import sys
import time

from lib_daemon import Daemon
from lib_system import check, connect, descriptor_kinds, is_ready, is_sanitized, need_root, reset, run, settle
from lib_users import UserClient, UserDaemon

COMMANDS = 10000
USER_COMMANDS = 1500
SEED = 20261123
PLAIN = ["NOOP", "PWD", "SYST", "FEAT", "HELP", "STAT", "STAT .", "TYPE A", "TYPE I", "MODE S", "STRU F", "CWD dir", "CDUP", "CWD /none",
         "SIZE file", "SIZE dir", "MDTM file", "MLST file", "MLST", "REST 5", "REST x", "ALLO 1", "OPTS UTF8 ON", "STOR x", "DELE file",
         "MKD y", "RNFR file", "RNTO z", "SITE HELP", "EPSV ALL x", "XYZZY", "", "ABOR", "ACCT x", "PASV", "EPSV", "EPRT |1|127.0.0.1|1|",
         "PORT 127,0,0,1,0,1", "USER anonymous\r\nPASS x", "PASS x"]
TRANSFERS = ["RETR file", "RETR big", "RETR none", "LIST", "LIST -aR", "NLST dir", "MLSD", "LIST none", "NLST *"]
WRITING = ["MKD d", "MKD dir/d", "RMD d", "RMD dir/d", "RMD dir", "DELE one", "DELE two", "DELE none", "RNFR one", "RNTO two", "RNFR two", "RNTO dir/two",
           "RNFR dir", "RNTO dir/dir", "SITE CHMOD 600 one", "SITE CHMOD 4755 one", "SITE UMASK 027", "SITE UMASK 777", "MFMT 20200101000000 one",
           "MFMT 1 one", "MFF Modify=20200101000000;UNIX.mode=0644; one", "MFF x=1; one", "MDTM 20200101000000 one", "SITE UTIME 20200101000000 one",
           "SITE SYMLINK one link", "SITE SYMLINK ../../out out", "DELE link", "SITE CPFR one", "SITE CPTO copy", "SITE CPFR dir", "SITE CPTO dir2",
           "SITE CPTO dir/dir3", "ALLO 1000", "ALLO 9999999999999", "REST 10", "REST 99999999", "SIZE one", "CWD dir", "CDUP", "CWD /", "STAT one", "NOOP"]
UPLOADS = ["STOR one", "STOR two", "STOR dir/three", "APPE one", "APPE two", "STOU", "STOU one", "STOR none/x", "STOR dir", "APPE dir", "STOR"]
MODES = ("direct", "atomic", "durable")
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
        try:
            status = process.status()
            found[process.pid] = (process.program, descriptor_kinds(process), int(status["RssAnon"].split()[0]))
        except (FileNotFoundError, ProcessLookupError, KeyError):
            pass  # ended since
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


def one_upload(client, source, may_end):
    """An upload, whole or cut in one of many ways; now and then a download, a listing, or nothing at all."""
    address = client.passive()
    manner = source.random()
    if manner < 0.05:
        return  # never connects
    link = client.dial(address)
    if source.random() < 0.2:
        client.send(f"REST {source.choice((0, 1, 1000, 1 << 40))}")
    client.send(source.choice(UPLOADS if manner < 0.85 else ("RETR one", "RETR two", "LIST -R", "MLSD dir", "NLST")))
    if manner < 0.15:
        reset(link)  # before a byte
        return
    if manner > 0.85:
        use(link, source)
        return
    end = source.random()
    with link:
        try:
            link.sendall(bytes(source.choice((0, 1, 1000, 100000, 300000))))
        except OSError:
            return  # it was refused
        if end < 0.15:
            client.send("ABOR")
        elif end < 0.3:
            reset(link)
        elif end < 0.4 and may_end:
            client.close()  # the session ends while it uploads


def rummage(daemon, stays, source):
    """Commands and uploads of two sessions; one of them, and its agent, is there all the time."""
    comes = None
    sent = 0
    while sent < USER_COMMANDS:
        if comes is None:
            comes = UserClient(daemon)
        client = source.choice((stays, comes))
        try:
            for _ in range(source.randrange(0, 8)):
                client.send(source.choice(WRITING))
                sent += 1
            if source.random() < 0.5 and synchronise(client):
                one_upload(client, source, client is comes)
                sent += 2
            is_over = not synchronise(client)
        except OSError:
            is_over = True
        if is_over:
            check(client is comes, "the session that stays has ended")
            comes.close()
            comes = None
    if comes is not None:
        comes.close()


def users_leave_nothing_open(mode):
    """Two sessions of a user who writes in this mode."""
    with UserDaemon(users=("ann", "bob"), options=[f"uploads.mode={mode}", "max_sessions_per_address=0", "spare_max=2"]) as daemon:
        os.mkdir(daemon.home("dir"))
        os.chown(daemon.home("dir"), daemon.ids["ann"], daemon.ids["ann"])
        settle(lambda: is_ready(daemon))
        with UserClient(daemon) as stays:
            stays.put("STOR one", b"x" * 300000)
            for command in ("RETR one", "LIST -R", "MLSD"):
                stays.fetch(command)
            time.sleep(2)
            before = measure(daemon)
            rummage(daemon, stays, random.Random(SEED))
            settle(lambda: difference(before, measure(daemon)) == "", 20, lambda: difference(before, measure(daemon)))
            stays.ask("NOOP", 200)


def difference(before, after):
    """As compare, where processes come and go: those that stay are compared each with itself, all of them by their number."""
    both = set(before) & set(after)
    found = compare({pid: before[pid] for pid in both}, {pid: after[pid] for pid in both})
    if by_program(before) != by_program(after):
        found += f"\nbefore: {by_program(before)}\nnow: {by_program(after)}"
    return found


def by_program(found):
    """The kinds of descriptors of each process without its number, for processes that come and go: [(program, kinds)]."""
    return sorted((program, sorted(kinds.items())) for program, kinds, _ in found.values())


def synchronise(client):
    """Read what came; False when the session is over."""
    client.link.settimeout(10)
    client.send("MODE B")  # 504, which says so
    while True:
        code, text = client.reply()
        if code == 0 or code == 421:
            return False
        if code == 504 and "MODE" in text:
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


def named(mode):
    """The test of users for one mode."""
    def users_leave_nothing():
        print(f"  {mode}")
        users_leave_nothing_open(mode)

    return users_leave_nothing


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    sys.exit(run([nothing_is_left_open] + [named(mode) for mode in MODES]))
