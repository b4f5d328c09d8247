#!/usr/bin/env python3
"""upload_kill: kill -9 of worker, agent and master, and cut connections, at random points of uploads in atomic and durable
mode. The old file stays whole until the new one is, no name is half there; what has been kept of an upload is continued
by REST and STOR, or by SIZE and APPE, to exactly the new content; old and new are never mixed."""

import os
import random
import signal
import sys
import time

from lib_system import TestFailure, check, need_root, reset, run, settle
from lib_users import UserClient, UserDaemon, read, versioned, versions_in, worker_of

SIZE = 3 * 1024 * 1024 + 77
OLD_SIZE = SIZE + 100000  # longer than the new content, so that a tail of it would show
PIECE = 65536
ROUNDS = 8
MODES = ("atomic", "durable")
PART = ".{}.deftpd-part"
random_source = random.Random(int(os.environ.get("DEFTPD_TEST_SEED", random.randrange(1 << 31))))


def agents(daemon):
    """The agents of users."""
    return [p for p in daemon.programs("deftpd-agent") if p.status()["Uid"].split()[1] in map(str, daemon.ids.values())]


def plant(daemon, name, content):
    """A file that the user has had for long."""
    path = daemon.home(name)
    with open(path, "wb") as stream:
        stream.write(content)
    os.chown(path, daemon.ids["ann"], daemon.ids["ann"])


def send_until(client, command, content, cut, strike, rest=0):
    """Upload as far as `cut`, strike, go on as long as that works; the code of the reply, 0 if there is none."""
    try:
        link, code, text = client.start(command, rest)
        check(link is not None, f"{command}: {text}")
        with link:
            link.sendall(content[:cut])
            time.sleep(random_source.uniform(0, 0.03))
            strike()
            link.sendall(content[cut:])
        code, _ = client.reply()
        return code
    except OSError:
        return 0


def check_whole(daemon, name, allowed, moment):
    """The name has one of these contents, None being no file."""
    found = read(daemon.home(name))
    if found not in allowed:
        has = "nothing" if found is None else f"{len(found)} bytes of {versions_in(found)}"
        raise TestFailure(f"{moment}: {name} has {has}")
    return found


def kill_all(processes):
    """kill -9 each of them."""
    for process in processes:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def one_kill(daemon, kind, has_old, number):
    """One upload whose server is killed at a random point; gives the name."""
    name = f"{kind}{number}"
    old = versioned("old", OLD_SIZE) if has_old else None
    new = versioned("new", SIZE)
    if has_old:
        plant(daemon, name, old)
    client = UserClient(daemon)
    victims = agents(daemon) if kind == "agent" else worker_of(daemon, client)
    check(len(victims) == 1, f"not one {kind} but {victims}")
    cut = random_source.choice((0, 1, random_source.randrange(SIZE), SIZE - 1, SIZE))
    code = send_until(client, f"STOR {name}", new, cut, lambda: kill_all(victims))
    client.close()
    allowed = [new] if code == 226 else [old, new] if cut >= SIZE - 1 else [old]
    check_whole(daemon, name, allowed, f"{kind} killed after {cut} bytes")
    settle(lambda: not agents(daemon), text="the agent lives on")
    check_whole(daemon, name, allowed, f"{kind} killed after {cut} bytes, a moment later")
    return name, old, new


def resume(daemon, name, old, new, moment):
    """Continue what is there, as a client would; the result has to be the new content."""
    part = daemon.home(PART.format(name))
    with UserClient(daemon) as client:
        kept = client.size(PART.format(name))
        if read(daemon.home(name)) == new:
            return "nothing to continue"
        if kept:
            check(new.startswith(read(part)), f"{moment}: the part has {versions_in(read(part))}")
            check(client.store(f"STOR {name}", b"", rest=kept + 1)[0] == 554, "REST behind the part's end was taken")
            check_whole(daemon, name, [old], moment)
            client.put(f"STOR {name}", new[kept:], rest=kept)
            how = f"{kept} bytes continued"
        else:
            if old is not None:
                code, text = client.store(f"STOR {name}", new[100:], rest=100)
                check(code == 554, f"{moment}: REST 100 without a part would mix old and new: {text}")
            client.put(f"STOR {name}", new)
            how = "begun anew"
    check_whole(daemon, name, [new], f"{moment}, {how}")
    check(not os.path.exists(part), f"{moment}: the part is still there")
    return how


def servers_are_killed():
    """Worker and agent, in both modes, with and without an old file; then the upload is continued."""
    for mode in MODES:
        with UserDaemon(options=[f"uploads.mode={mode}", "spare_min=1"]) as daemon:
            seen = {}
            for kind in ("worker", "agent"):
                for number in range(ROUNDS):
                    name, old, new = one_kill(daemon, kind, number % 2 == 0, number)
                    how = resume(daemon, name, old, new, f"{mode}, {kind} killed")
                    word = how.split()[-1]
                    seen[kind, word] = seen.get((kind, word), 0) + 1
            print(f"  {mode}: {seen}")
            left = [name for name in os.listdir(daemon.home()) if ".deftpd-" in name]
            check(not left, f"left behind after all was uploaded: {left}")


def the_master_is_killed():
    """Everything ends; no name is half there, and the next daemon's upload of the name succeeds and clears up."""
    for mode in MODES:
        for number in range(3):
            daemon = UserDaemon(options=[f"uploads.mode={mode}"])
            old, new = versioned("old", OLD_SIZE), versioned("new", SIZE)
            with daemon:
                plant(daemon, "name", old)
                client = UserClient(daemon)
                cut = random_source.randrange(1, SIZE)
                code = send_until(client, "STOR name", new, cut, daemon.child.kill)
                client.close()
                daemon.child.wait()
                settle(lambda: not daemon.survivors(), 5, lambda: f"still there: {daemon.survivors()}")
                check_whole(daemon, "name", [new] if code == 226 else [old, new], f"{mode}, master killed")
                daemon.start()
                with UserClient(daemon) as client:
                    newer = versioned(f"newer{number}", SIZE // 2)
                    client.put("STOR name", newer)
                check_whole(daemon, "name", [newer], f"{mode}, after the restart")
                left = [name for name in os.listdir(daemon.home()) if ".deftpd-" in name]
                check(not left, f"left behind after all was uploaded: {left}")


def cut_upload(daemon, command, content, cut, rest=0):
    """A client that loses its connections in the middle of an upload."""
    client = UserClient(daemon)
    link, _, text = client.start(command, rest)
    check(link is not None, text)
    link.sendall(content[:cut])
    settle(lambda: arrived(daemon) >= rest + min(cut, 1), text="nothing arrives")
    reset(link)
    reset(client.link)
    settle(lambda: not agents(daemon), text="the agent lives on")


def arrived(daemon):
    """The bytes of the upload in progress, wherever they are."""
    return sum(os.path.getsize(daemon.home(name)) for name in os.listdir(daemon.home()) if ".deftpd-" in name)


def cut_and_resumed_by_size_and_appe():
    """What most clients do: ask for the size of the name, append the rest. Without an old file only."""
    for mode in MODES:
        with UserDaemon(options=[f"uploads.mode={mode}"]) as daemon:
            new = versioned("new", SIZE)
            for number in range(4):
                name = f"name{number}"
                cut_upload(daemon, f"STOR {name}", new, random_source.randrange(1, SIZE))
                check_whole(daemon, name, [None], f"{mode}, cut")
                with UserClient(daemon) as client:
                    kept = client.size(name)
                    check(kept and new[:kept] == read(daemon.home(PART.format(name))), f"SIZE says {kept}")
                    client.put(f"APPE {name}", new[kept:])
                check_whole(daemon, name, [new], f"{mode}, SIZE and APPE from {kept}")
            # Without having asked, APPE to a name that is not there begins a new file.
            cut_upload(daemon, "STOR unasked", new, SIZE // 2)
            with UserClient(daemon) as client:
                client.put("APPE unasked", b"all of it")
            check_whole(daemon, "unasked", [b"all of it"], f"{mode}, APPE without SIZE")


def cut_beside_an_old_file():
    """An old file and a part of the new one: SIZE tells of the old one, so APPE is refused; REST continues the part alone."""
    for mode in MODES:
        with UserDaemon(options=[f"uploads.mode={mode}"]) as daemon:
            old, new = versioned("old", OLD_SIZE), versioned("new", SIZE)
            for number in range(3):
                name = f"name{number}"
                plant(daemon, name, old)
                cut_upload(daemon, f"STOR {name}", new, random_source.randrange(1, SIZE))
                check_whole(daemon, name, [old], f"{mode}, cut")
                with UserClient(daemon) as client:
                    check(client.size(name) == OLD_SIZE, "SIZE does not tell of the file that RETR sends")
                    check(client.fetch(f"RETR {name}") == old, "RETR sends something else")
                    code, text = client.store(f"APPE {name}", b"more")
                    check(code in (550, 554), f"{mode}: APPE beside a waiting part: {text}")
                    check_whole(daemon, name, [old], f"{mode}, APPE refused")
                print("  " + mode + ": " + resume(daemon, name, old, new, f"{mode}, cut beside an old file"))
            # An append that is cut keeps nothing: the file is as it was.
            plant(daemon, "log", old)
            cut_upload(daemon, "APPE log", new, SIZE // 2)
            check_whole(daemon, "log", [old], f"{mode}, a cut APPE")
            check(not os.path.exists(daemon.home(PART.format("log"))), "a part of an append is kept")
            with UserClient(daemon) as client:
                client.put("APPE log", b"the end")
            check_whole(daemon, "log", [old + b"the end"], f"{mode}, APPE")


def cut_again_and_again():
    """An upload that comes through in five pieces, its connection cut after each."""
    for mode in MODES:
        with UserDaemon(options=[f"uploads.mode={mode}"]) as daemon:
            old, new = versioned("old", OLD_SIZE), versioned("new", SIZE)
            plant(daemon, "name", old)
            at, pieces = 0, 0
            while True:
                piece = new[at:at + SIZE // 5]
                if at + len(piece) >= SIZE:
                    break
                cut_upload(daemon, "STOR name", piece, len(piece), rest=at)
                check_whole(daemon, "name", [old], f"{mode}, cut at {at}")
                now = os.path.getsize(daemon.home(PART.format("name")))
                check(at < now <= at + len(piece), f"{mode}: the part has {now} bytes after {at}")
                at, pieces = now, pieces + 1
                check(pieces < 50, "no progress")
            with UserClient(daemon) as client:
                client.put("STOR name", new[at:], rest=at)
            check_whole(daemon, "name", [new], f"{mode}, in {pieces + 1} pieces")


def nothing_is_kept_when_asked():
    """keep_partial = no: a cut upload leaves nothing; the old file, except in direct mode, is as it was."""
    for mode in MODES:
        with UserDaemon(options=[f"uploads.mode={mode}", "uploads.keep_partial=no"]) as daemon:
            old, new = versioned("old", OLD_SIZE), versioned("new", SIZE)
            plant(daemon, "name", old)
            cut_upload(daemon, "STOR name", new, SIZE // 2)
            cut_upload(daemon, "STOR other", new, SIZE // 2)
            check_whole(daemon, "name", [old], f"{mode}, cut")
            settle(lambda: os.listdir(daemon.home()) == ["name"], text=lambda: f"left: {os.listdir(daemon.home())}")


if __name__ == "__main__":
    need_root()
    sys.exit(run([servers_are_killed, the_master_is_killed, cut_and_resumed_by_size_and_appe, cut_beside_an_old_file,
                  cut_again_and_again, nothing_is_kept_when_asked]))
