#!/usr/bin/env python3
"""kill9: kill -9 of each kind of process at several moments. The daemon goes on serving, or, when it was the master,
everything ends within two seconds; no orphan, no zombie, no leaked descriptor."""

import os
import signal
import sys
import time

from lib_daemon import Daemon
from lib_system import Client, TestFailure, check, connect, descriptor_kinds, is_ready, need_root, run, settle

BIG_BYTES = 1 << 28
MOMENTS = ("idle", "logged in", "in a transfer", "during a listing")


def fill(daemon):
    """A file and a directory that take long."""
    with open(os.path.join(daemon.root, "big"), "wb") as stream:
        stream.truncate(BIG_BYTES)
    many = os.path.join(daemon.root, "many")
    os.mkdir(many)
    for number in range(5000):
        with open(os.path.join(many, f"a-name-long-enough-to-fill-the-pipe-{number:05}"), "wb"):
            pass


def servers(daemon):
    """The forkservers."""
    return [p for p in daemon.programs("deftpd-worker") if p.parent == daemon.child.pid]


def workers(daemon, has_agents):
    """The shared workers, or the private ones: the former hold channels to agents, too."""
    found = []
    server_pids = {p.pid for p in servers(daemon)}
    for process in daemon.programs("deftpd-worker"):
        if process.parent in server_pids:
            try:
                is_shared = descriptor_kinds(process).get("unix channel", 0) > 2
            except OSError:
                continue
            if is_shared == has_agents:
                found.append(process)
    return found


KINDS = {
    "shared worker": lambda daemon: workers(daemon, True),
    "private worker": lambda daemon: workers(daemon, False),
    "agent": lambda daemon: daemon.programs("deftpd-agent"),
    "recorder": lambda daemon: daemon.programs("deftpd-recorder"),
    "forkserver": servers,
}


def is_whole(daemon):
    """Whether each kind of process is there, and nobody is a zombie."""
    try:
        return all(question(daemon) for question in KINDS.values()) and not [p for p in daemon.tree() if p.state == "Z"]
    except OSError:
        return False


def baseline(daemon):
    """The master's descriptors by kind, and how many processes of each program there are."""
    master = [p for p in daemon.tree() if p.pid == daemon.child.pid][0]
    programs = {}
    for process in daemon.tree():
        programs[process.program] = programs.get(process.program, 0) + 1
    return descriptor_kinds(master), programs


def arrange(daemon, moment):
    """Bring a session to the moment; what is returned keeps it there."""
    if moment == "idle":
        return []
    client = connect(daemon)
    if moment == "in a transfer":
        link = client.begin("RETR big")
        check(link.recv(100), "no data")
        return [client, link]
    if moment == "during a listing":
        link = client.begin("LIST -a many")
        check(link.recv(100), "no listing")
        return [client, link]
    # Logged in, and another one at a private worker.
    private = Client(daemon)
    private.reply()
    private.ask("USER somebody", 331, 530)
    return [client, private]


def serves(daemon):
    """Whether a new client gets a file; one who came as the worker died does not."""
    try:
        with connect(daemon, timeout=5) as client:
            return client.fetch("RETR small") == b"small\n"
    except (OSError, TestFailure):
        return False


def others_are_served_on():
    """Each kind but the master, at each moment."""
    with Daemon(options=["spare_min=2", "idle_timeout=120"]) as daemon:
        fill(daemon)
        with open(os.path.join(daemon.root, "small"), "wb") as stream:
            stream.write(b"small\n")
        settle(lambda: is_ready(daemon) and is_whole(daemon), text=lambda: repr(daemon.tree()))
        check(serves(daemon), "not served before anything was killed")
        time.sleep(1)
        before = settle_baseline(daemon)
        for kind, question in KINDS.items():
            for moment in MOMENTS:
                held = arrange(daemon, moment)
                victims = question(daemon)
                check(victims, f"no {kind} {moment}")
                for victim in victims:
                    os.kill(victim.pid, signal.SIGKILL)
                settle(lambda: serves(daemon), 15, f"{kind} {moment}: nobody is served any more")
                for link in held:
                    link.close()
                settle(lambda: is_whole(daemon), 15, lambda: f"{kind} {moment}: {daemon.tree()}")
        after = settle_baseline(daemon, before)
        check(after == before, f"before: {before}, after: {after}")


def settle_baseline(daemon, wanted=None):
    """The state that lasts, or the wanted one."""
    seen = [None]

    def is_steady():
        try:
            now = baseline(daemon)
        except OSError:
            return False
        is_same = now == (wanted or seen[0])
        seen[0] = now
        time.sleep(0.5)
        return is_same

    try:
        settle(is_steady, 20)
    except TestFailure:
        pass  # the caller compares, and says both
    return seen[0]


def the_masters_end_ends_all():
    """kill -9 of the master at each moment."""
    for moment in MOMENTS:
        with Daemon() as daemon:
            fill(daemon)
            settle(lambda: is_ready(daemon) and is_whole(daemon), text=lambda: repr(daemon.tree()))
            held = arrange(daemon, moment)
            daemon.child.kill()
            daemon.child.wait()
            settle(lambda: not daemon.survivors(), 2, lambda: f"{moment}: still there: {daemon.survivors()}")
            for link in held:
                link.close()
            daemon.child = None


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    sys.exit(run([others_are_served_on, the_masters_end_ends_all]))
