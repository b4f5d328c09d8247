"""The cases: what the clients do, and which figures come of it."""
import ftplib
import json
import os
import subprocess
import time

from driver import calls, machine

GIB = 1024 ** 3
# What uploads send, again and again; large enough for long slices, small enough to stay in the cache.
SOURCE_BYTES = 16 * 1024 ** 2


class Failed(Exception):
    """The server has not done what was asked; the round gives no figures."""


class Load:
    """The load generator while it runs; the driver and it meet at agreed points."""

    def __init__(self, context, server, *options):
        command = [str(context["ftpload"]), "--port", str(server.port)]
        if server.user:
            command += ["--user", server.user.name, "--password", server.user.password]
        if server.has_tls:
            command.append("--tls")
        command += [str(option) for option in options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def meet(self, name):
        """Wait for the clients; returns how many are there and the seconds that it took."""
        words = self.process.stdout.readline().split()
        if len(words) != 4 or words[0] != name:
            raise RuntimeError(f"load generator says {words} instead of {name}")
        return int(words[1]), float(words[3])

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def result(self):
        lines = self.process.communicate()[0].splitlines()
        result = json.loads(lines[-1])
        if result["failures"]:
            raise Failed(f"{result['failures']} failures, first: {result['first_failure']}")
        return result


def login(context, server, clients):
    before = server.group.cpu_seconds()
    load = Load(context, server, "--clients", clients, "--ramp", clients,
                "--seconds", context["login_s"])
    result = load.result()
    cpu = server.group.settled_cpu_seconds() - before
    return {
        "logins/s": result["sessions"] / result["seconds"],
        "CPU ms/login": cpu * 1e3 / result["sessions"],
        "220 p50 ms": result["greeting_ms"]["p50"],
        "220 p99 ms": result["greeting_ms"]["p99"],
        "230 p50 ms": result["login_ms"]["p50"],
        "230 p99 ms": result["login_ms"]["p99"],
    }


def transfer(context, server, *options):
    """Log in, meet, move, meet: logins and ends of sessions are in neither the time nor the CPU time."""
    load = Load(context, server, "--sync", *options)
    load.meet("ready")
    before = server.group.settled_cpu_seconds()
    load.go()
    load.meet("moved")
    cpu = server.group.settled_cpu_seconds() - before
    load.go()
    return load.result(), cpu


def user_login(context, server, clients):
    """How much there is in a login beside the hash, which is the same for all."""
    hash_ms = server.user.hash_seconds() * 1e3
    figures = login(context, server, clients)
    del figures["220 p99 ms"], figures["230 p99 ms"]
    return {**figures, "CPU ms less hash": figures["CPU ms/login"] - hash_ms,
            "of what hashes allow": figures["logins/s"] * hash_ms / 1e3 /
            min(clients, os.cpu_count())}


def rates(result, cpu, size_bytes):
    """MB/s and CPU time, both of the bytes of the files, whatever a TYPE makes of them."""
    return {"MB/s": size_bytes / 1e6 / result["seconds"], "CPU s/GiB": cpu * GIB / size_bytes}


def retr(context, server):
    size, times = context["big_bytes"], context["big_times"]
    result, cpu = transfer(context, server, "--clients", 1, "--transfers", times,
                           "--path", "big", "--size", size, *context["discard"])
    return rates(result, cpu, size * times)


def small(context, server):
    count = context["small_files"]
    result, cpu = transfer(context, server, "--clients", 1, "--transfers", count, "--numbered",
                           "--path", "small/f", "--size", 4096, *context["discard"])
    figures = {"files/s": count / result["seconds"], "CPU us/file": cpu * 1e6 / count}
    return {**figures, "resumed": result["resumed"] / count} if server.has_tls else figures


def check_uploads(server, names, size):
    """An upload that was answered 226 and is not there, or not whole, makes the round a failure."""
    source = (server.data / "source").read_bytes()
    for name in names:
        with open(server.user.home / name, "rb") as file:
            for at in range(0, size, len(source)):
                wanted = min(len(source), size - at)
                if file.read(wanted) != source[:wanted]:
                    raise Failed(f"{name} is not what was sent, after {at}")
            if file.read(1):
                raise Failed(f"{name} is longer than what was sent")


def stor(context, server):
    size, times = context["stor_bytes"], context["stor_times"]
    result, cpu = transfer(context, server, "--clients", 1, "--transfers", times, "--verb", "STOR",
                           "--path", "stored", "--size", size, "--source", server.data / "source")
    check_uploads(server, ["stored"], size)
    return rates(result, cpu, size * times)


def small_stor(context, server):
    count = context["small_files"]
    result, cpu = transfer(context, server, "--clients", 1, "--transfers", count, "--numbered",
                           "--verb", "STOR", "--path", "f", "--size", 4096,
                           "--source", server.data / "source")
    check_uploads(server, [f"f{i}" for i in range(count)], 4096)
    return {"files/s": count / result["seconds"], "CPU us/file": cpu * 1e6 / count}


def listing(context, server, entries):
    figures = {}
    times = max(1, 50000 // entries)
    for verb in server.lists:
        result, cpu = transfer(context, server, "--clients", 1, "--transfers", times,
                               "--verb", verb, "--path", f"list{entries}", "--lines", entries)
        figures[f"{verb} ms"] = result["transfer_ms"]["p50"]
        figures[f"{verb} CPU ms"] = cpu * 1e3 / times
    return figures


def idle(context, server, sessions):
    group = server.group
    time.sleep(0.2)
    before, pss, processes = group.memory_bytes(), group.pss_bytes(), len(group.pids())
    # Users come in the order of their hashes; a server that does them one by one gets the time.
    stall_s = 90 if server.user is None else 90 + sessions * server.user.hash_seconds()
    load = Load(context, server, "--sync", "--clients", sessions, "--stall", int(stall_s),
                "--ramp", 64 if server.user is None else 8)
    there, seconds = load.meet("ready")
    time.sleep(0.5)
    figures = {
        "KiB/session": (group.memory_bytes() - before) / 1024 / sessions,
        "PSS KiB/session": (group.pss_bytes() - pss) / 1024 / sessions,
        "processes/session": (len(group.pids()) - processes) / sessions,
        "s to reach": seconds,
    }
    if there == sessions:
        # How the sessions end is not measured, and the end of 10,000 processes takes long.
        load.process.kill()
        load.process.communicate()
        return figures
    load.go()
    load.result()
    raise Failed(f"only {there} sessions")


def crowd(context, server, clients):
    size = context["crowd_bytes"]
    result, cpu = transfer(context, server, "--clients", clients, "--transfers", 1,
                           "--path", "crowd", "--size", size, *context["discard"])
    return {**rates(result, cpu, size * clients),
            "slowest/fastest": result["moved_ms"]["max"] / result["moved_ms"]["min"]}


def ascii_text(context, server):
    size, lines = context["text_bytes"], context["text_lines"]
    result, cpu = transfer(context, server, "--clients", 1, "--transfers", 1, "--type", "A",
                           "--path", "text", "--size", size + lines, *context["discard"])
    return rates(result, cpu, size)


def calls_of(context, server):
    """System calls for one login, one small file, one entry of a listing, without noise and without speed."""
    def logins(count):
        counter = calls.Counter(server.group, server.run)
        # One at a time: how many a server accepts at once is not the question.
        for _ in range(count):
            Load(context, server, "--clients", 1).result()
        time.sleep(0.2)
        return sum(counter.stop().values()) / count

    def transfers(items, *options):
        load = Load(context, server, "--sync", "--clients", 1, *options)
        load.meet("ready")
        counter = calls.Counter(server.group, server.run)
        load.go()
        load.meet("moved")
        total = sum(counter.stop().values())
        load.go()
        load.result()
        return total / items

    files, entries = context["small_files"], min(context["list_entries"])
    figures = {"login": logins(20),
               "small file": transfers(files, "--transfers", files, "--numbered", "--path",
                                       "small/f", "--size", 4096)}
    for verb in server.lists:
        figures[f"{verb} entry"] = transfers(entries, "--transfers", 1, "--verb", verb, "--path",
                                             f"list{entries}", "--lines", entries)
    return figures


def table(context):
    """Name of each case, and what measures it."""
    cases = {
        "login1": lambda server: login(context, server, 1),
        "login32": lambda server: login(context, server, 32),
        "retr": lambda server: retr(context, server),
        "small": lambda server: small(context, server),
    }
    for entries in context["list_entries"]:
        cases[f"list{entries}"] = lambda server, n=entries: listing(context, server, n)
    for sessions in context["idle_sessions"]:
        cases[f"idle{sessions}"] = lambda server, n=sessions: idle(context, server, n)
    for clients in context["crowd_clients"]:
        cases[f"crowd{clients}"] = lambda server, n=clients: crowd(context, server, n)
    cases["ascii"] = lambda server: ascii_text(context, server)
    cases["calls"] = lambda server: calls_of(context, server)
    cases["stor"] = lambda server: stor(context, server)
    cases["stordisk"] = lambda server: stor(context, server)
    cases["smallstor"] = lambda server: small_stor(context, server)
    for clients in context["user_clients"]:
        cases[f"userlogin{clients}"] = lambda server, n=clients: user_login(context, server, n)
    for sessions in context["user_sessions"]:
        cases[f"useridle{sessions}"] = lambda server, n=sessions: idle(context, server, n)
    return {**cases, **tls_cases(context)}


def tls_cases(context):
    """The same as without TLS, of those where it costs something."""
    cases = {
        "login-tls1": lambda server: login(context, server, 1),
        "login-tls32": lambda server: login(context, server, 32),
        "retr-tls": lambda server: retr(context, server),
        "small-tls": lambda server: small(context, server),
        "stor-tls": lambda server: stor(context, server),
        "userlogin-tls32": lambda server: user_login(context, server, 32),
    }
    for sessions in context["tls_sessions"]:
        cases[f"idle-tls{sessions}"] = lambda server, n=sessions: idle(context, server, n)
    return cases


def is_for(case, name):
    """The bare server asks for no password, so it has no place where passwords are compared."""
    return name != "bare" or not case.startswith("userlogin")


def user_of(case, users):
    """Who logs in: of the two users, in memory and on the disk; None: guests."""
    if case == "stordisk":
        return users["disk"]
    return users["memory"] if case.startswith(("stor", "smallstor", "user")) else None


def make_data(root, context, chosen):
    """Make the files that the chosen cases need; returns nothing, the sizes are in the context."""
    root.mkdir()
    chunk = os.urandom(1024 * 1024)

    def fill(name, size):
        with open(root / name, "wb") as file:
            for at in range(0, size, len(chunk)):
                file.write(chunk[:min(len(chunk), size - at)])

    (root / "check").write_bytes(chunk + b"\r\n\n\0\xff" + chunk[::-1] + b"end")
    fill("source", SOURCE_BYTES)
    if "retr" in chosen or "retr-tls" in chosen:
        fill("big", context["big_bytes"])
    if any(name.startswith("crowd") for name in chosen):
        fill("crowd", context["crowd_bytes"])
    if {"small", "small-tls", "calls"} & set(chosen):
        (root / "small").mkdir()
        for i in range(context["small_files"]):
            (root / "small" / f"f{i}").write_bytes(chunk[i:i + 4096])
    if "ascii" in chosen:
        line = b"The quick brown fox jumps over the lazy dog, and again, and again.\n"
        block = line * 16384
        with open(root / "text", "wb") as file:
            for _ in range(context["text_lines"] // 16384):
                file.write(block)
        context["text_bytes"] = context["text_lines"] * len(line)
    for entries in context["list_entries"]:
        if f"list{entries}" in chosen or \
                "calls" in chosen and entries == min(context["list_entries"]):
            folder = root / f"list{entries}"
            folder.mkdir()
            for i in range(entries):
                (folder / f"file-{i:06d}.dat").touch()


def measure(case, server):
    """One round of one case against one server; returns the record of it."""
    record = {"figures": {}, "failure": None, "foreign_cores": 0.0}
    try:
        server.start()
        watch = machine.Watch(server.group)
        record["figures"] = case(server)
        record["foreign_cores"] = round(watch.foreign_cores(), 3)
    except (Failed, RuntimeError, OSError, EOFError, ftplib.Error) as error:
        record["failure"] = f"{type(error).__name__}: {error}"
    finally:
        complaint = server.stop() if server.process else None
    if complaint:
        record["failure"] = f"{record['failure'] or ''} server {complaint}".strip()
    return record
