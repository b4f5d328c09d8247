#!/usr/bin/env python3
"""one_name: many sessions store, rename, delete and fetch one name at the same time; whoever reads it gets one whole version. Who holds a
lock or a lease on a file keeps nobody waiting (SECURITY.md F17)."""

import fcntl
import os
import random
import signal
import sys
import threading
import time

from lib_system import check, is_ready, need_root, run, settle
from lib_users import UserClient, UserDaemon, read, versioned, versions_in

WRITERS = 12
ROUNDS = 25
SEED = 20261123
NAME, ASIDE = "name", "aside"
AT_ONCE_S = 5


def check_whole(data, when):
    """One version, all of it; its size is in its name."""
    if not data:
        return
    found = versions_in(data)
    check(len(found) == 1, f"{when}: {found} are mixed")
    size = int(found[0].split(".")[2])
    check(data == versioned(found[0], size), f"{when}: {len(data)} of {size} bytes of {found[0]}")


def write(daemon, number, faults, done):
    """One session's rounds."""
    source = random.Random(SEED + number)
    try:
        with UserClient(daemon, timeout=60) as client:
            for turn in range(ROUNDS):
                what = source.random()
                if what < 0.6:
                    size = source.choice((1000, 70000, 600000))
                    code, text = client.store(f"STOR {NAME}", versioned(f"v{number}.{turn}.{size}", size))
                    check(code == 226 or code // 100 in (4, 5), text)
                    done[code == 226] += 1
                elif what < 0.8:
                    names = source.choice(((NAME, ASIDE), (ASIDE, NAME)))
                    client.ask(f"RNFR {names[0]}", 350, 550)
                    client.ask(f"RNTO {names[1]}", 250, 503, 550, 553)
                elif what < 0.9:
                    client.ask(f"DELE {source.choice((NAME, ASIDE))}", 250, 550)
                else:
                    link, code, text = client.start(f"RETR {NAME}")
                    if link is not None:
                        data = b""
                        while part := link.recv(1 << 18):
                            data += part
                        code, text = client.reply()
                        check(code == 226, text)
                        check_whole(data, "RETR")
    except Exception as error:  # pylint: disable=broad-except
        faults.append(f"{number}: {error!r}")


def versions_stay_apart():
    """As the kernel sees the name, too, all the time."""
    for mode in ("atomic", "durable"):
        with UserDaemon(options=[f"uploads.mode={mode}", "max_sessions_per_address=0", "max_sessions_per_user=0"]) as daemon:
            settle(lambda: is_ready(daemon))
            faults, done = [], [0, 0]
            threads = [threading.Thread(target=write, args=(daemon, number, faults, done)) for number in range(WRITERS)]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                check_whole(read(daemon.home(NAME)), "meanwhile")
                time.sleep(0.01)
            check(not faults, "; ".join(faults))
            check(done[True] > done[False], f"only {done[True]} uploads of {sum(done)} were taken")
            with UserClient(daemon) as client:
                last = versioned("last.0.5000", 5000)
                client.put(f"STOR {NAME}", last)
                check(read(daemon.home(NAME)) == last, "the last one does not stay")
            left = set(os.listdir(daemon.home())) - {NAME, ASIDE}
            check(not left, f"{left} are left")
            print(f"  {mode}: {done[True]} of {sum(done)} uploads were taken")


def locks_and_leases_hold_nobody_up():
    """Another process locks a file, or has a lease on it, and does not let go when the kernel asks for it."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    for mode in ("direct", "atomic"):
        with UserDaemon(options=[f"uploads.mode={mode}"]) as daemon:
            settle(lambda: is_ready(daemon))
            for kind in ("lock", "record lock", "lease"):
                path = daemon.home(kind.replace(" ", "-"))
                with open(path, "wb") as stream:
                    stream.write(b"content")
                os.chown(path, daemon.ids["ann"], daemon.ids["ann"])
                with open(path, "r+b") as stream, UserClient(daemon) as client, UserClient(daemon) as other:
                    if kind == "lock":
                        fcntl.flock(stream, fcntl.LOCK_EX)
                    elif kind == "record lock":
                        fcntl.lockf(stream, fcntl.LOCK_EX)
                    else:
                        fcntl.fcntl(stream, fcntl.F_SETLEASE, fcntl.F_WRLCK)
                    hold_up(client, other, os.path.basename(path), kind)


def hold_up(client, other, name, kind):
    """Each command has its reply at once, and it is a success where only a lock is in the way."""
    for command in (f"RETR {name}", f"SIZE {name}", f"APPE {name}", f"STOR {name}", f"MFMT 20200101000000 {name}"):
        began = time.monotonic()
        if command.split()[0] in ("SIZE", "MFMT"):
            client.send(command)
            code, text = client.reply()
        elif command.startswith("RETR"):
            link, code, text = client.start(command)
            if link is not None:
                while link.recv(65536):
                    pass
                code, text = client.reply()
        else:
            code, text = client.store(command, b"more")
        check(time.monotonic() - began < AT_ONCE_S, f"{kind}: {command} takes {time.monotonic() - began:.0f} s")
        check(code // 100 == 2 or kind == "lease" and code // 100 in (4, 5), f"{kind}: {command}: {text!r}")
        other.ask("NOOP", 200)


if __name__ == "__main__":
    need_root()
    sys.exit(run([versions_stay_apart, locks_and_leases_hold_nobody_up]))
