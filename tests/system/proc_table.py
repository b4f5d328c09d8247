#!/usr/bin/env python3
"""proc_table: who each process is, what confines it and what it holds, in every state, from /proc, against one table.

DESIGN.md section 3, rules 2, 3, 4 and 6.
"""

import os
import sys

from lib_daemon import Daemon, skip
from lib_system import (Client, Sockets, check, connect, descriptor_kinds, have_users, is_sanitized, need_root, run,
                        settle)
from lib_users import UserClient, UserDaemon

NO_CAPABILITIES = {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapBnd": 0, "CapAmb": 0}
# DAC_OVERRIDE, DAC_READ_SEARCH, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, SYS_CHROOT
MASTER_CAPABILITIES = sum(1 << bit for bit in (1, 2, 5, 6, 7, 8, 10, 18))
# CHOWN, FOWNER, SYS_RESOURCE, AUDIT_WRITE, AUDIT_CONTROL: the master has none of them, deftpd-auth gets them back for PAM.
PAM_CAPABILITIES = sum(1 << bit for bit in (0, 3, 24, 29, 30))
BIG = "big"
MASTER, FORKSERVER, RECORDER, AGENT = "master", "forkserver", "recorder", "agent"
SHARED, SPARE, PRIVATE = "shared worker", "spare private worker", "private worker with a client"
AUTH_SERVER, AUTHENTICATOR, USER = "authenticators' forkserver", "authenticator that waits", "private worker with a user"
USER_AGENT = "agent of a user"
SPARE_AUTHENTICATORS = 2

USERS = have_users() if os.geteuid() == 0 else {}

# Each process's user, filter, threads at most, and the descriptors that it may hold: kind -> how many, (least, most).
# "log" is where the events go, "transfers" the transfer log, "root" the anonymous root.
IDENTITY = {
    MASTER: ("root", 0, 1),
    FORKSERVER: ("deftpd", 0, 1),
    RECORDER: ("deftpd-log", 2, 3),
    AGENT: ("ftp", 2, 1),
    SHARED: ("deftpd", 2, 9),
    SPARE: ("deftpd", 2, 9),
    PRIVATE: ("deftpd", 2, 9),
    USER: ("deftpd", 2, 9),
    AUTH_SERVER: ("root", 0, 1),
    AUTHENTICATOR: ("root", 0, 1),
    USER_AGENT: ("ann", 2, 1),
}
MAY_BE_ROOT = (MASTER, AUTH_SERVER, AUTHENTICATOR)
STANDARD = {"null": (1, 1), "log": (2, 2)}
WORKER = {**STANDARD, "eventpoll": (2, 2), "eventfd": (0, 1)}


class Scene:
    """A daemon in one state: its processes by role, and how many sessions of which kind there are."""

    def __init__(self, daemon, sessions=0, transfers=0, listeners=0, with_private=0, with_user=0):
        self.daemon = daemon
        self.sessions = sessions
        self.transfers = transfers
        self.listeners = listeners
        self.with_private = with_private
        self.with_user = with_user
        self.roles = {}
        self.sockets = Sockets()
        self.sort()

    def sort(self):
        """Find out which process plays which role."""
        tree = self.daemon.tree()
        servers = [p for p in tree if p.program == "deftpd-worker" and p.parent == self.daemon.child.pid]
        for process in tree:
            role = {"deftpd": MASTER, "deftpd-agent": AGENT, "deftpd-recorder": RECORDER}.get(process.program)
            if process in servers:
                role = FORKSERVER
            elif process.program == "deftpd-auth":
                role = AUTH_SERVER if process.parent == self.daemon.child.pid else AUTHENTICATOR
            elif process.program == "deftpd-agent" and process.parent != self.daemon.child.pid:
                role = USER_AGENT
            elif process.program == "deftpd-worker":
                role = self.worker_role(process)
            check(role, f"an unexpected process: {process}")
            self.roles.setdefault(role, []).append(process)

    def worker_role(self, process):
        """A shared worker holds channels to its agents besides those to master and recorder."""
        kinds = descriptor_kinds(process, self.sockets)
        if kinds.get("unix channel", 0) > 3:
            return SHARED
        if kinds.get("unix channel", 0) == 3:
            return USER
        return PRIVATE if kinds.get("tcp connection", 0) else SPARE

    def is_as_planned(self):
        """Whether everything that was asked for has come about."""
        counts = {role: len(processes) for role, processes in self.roles.items()}
        return (counts.get(SHARED) == 1 and counts.get(PRIVATE, 0) == self.with_private and counts.get(SPARE, 0) >= 1 and
                counts.get(AGENT, 0) >= 1 and counts.get(RECORDER) == 1 and counts.get(FORKSERVER) == 1 and
                counts.get(MASTER) == 1 and counts.get(USER, 0) == counts.get(USER_AGENT, 0) == self.with_user and
                counts.get(AUTHENTICATOR, 0) == self.authenticators())

    def authenticators(self):
        """How many should wait."""
        return SPARE_AUTHENTICATORS if isinstance(self.daemon, UserDaemon) else 0

    def descriptors(self, role):
        """What a process in this role may hold now."""
        agents = len(self.roles[AGENT])
        workers = sum(len(self.roles.get(kind, [])) for kind in (SHARED, SPARE, PRIVATE, USER))
        others = sum(len(self.roles.get(kind, [])) for kind in (AUTH_SERVER, AUTHENTICATOR))
        return {
            MASTER: {"null": (1, 2), "log": (2, 2), "eventpoll": (1, 1), "signalfd": (1, 1),
                     "tcp listener": (2, 2), "options": (0, 1),
                     # each worker, the recorder, the forkservers, authenticators; not agents
                     "unix channel": (workers + 2 + others, workers + 2 + others)},
            FORKSERVER: {**STANDARD, "signalfd": (1, 1), "unix channel": (1, 1)},
            RECORDER: {"null": (1, 1), "log": (3, 3), "transfers": (1, 1), "eventpoll": (1, 1), "eventfd": (2, 2),
                       "unix channel": (workers + 1, workers + 1)},
            AGENT: {**STANDARD, "unix channel": (1, 1), "root": (1, 1)},
            # master, recorder, agents; each control and data connection; a passive listener at most for each session
            SHARED: {**WORKER, "unix channel": (agents + 2, agents + 2),
                     "tcp connection": (self.sessions + self.transfers,) * 2,
                     "tcp listener": (self.listeners, self.sessions), "file " + self.daemon.root + "/" + BIG: (self.transfers,) * 2},
            SPARE: {**WORKER, "unix channel": (2, 2)},
            PRIVATE: {**WORKER, "unix channel": (2, 2), "tcp connection": (1, 1)},
            USER: {**WORKER, "unix channel": (3, 3), "tcp connection": (1, 1)},
            AUTH_SERVER: {"null": (2, 2), "log": (2, 2), "signalfd": (1, 1), "unix channel": (1, 1)},
            # The channel to the master: the one to a worker comes with a try. Nothing that a module could write to.
            AUTHENTICATOR: {"null": (4, 4), "unix channel": (1, 1)},
            USER_AGENT: {"null": (3, 3), "unix channel": (1, 1), "home": (1, 1)},
        }[role]

    def name(self, kind):
        """The table's word for a descriptor."""
        places = {"file " + self.daemon.error_path: "log", "file " + self.daemon.transfer_log: "transfers",
                  "directory " + self.daemon.root: "root",
                  "directory " + getattr(self.daemon, "homes", {}).get("ann", "?"): "home", "file /memfd:deftpd.conf (deleted)": "options"}
        return places.get(kind, kind)

    def mistakes(self):
        """Every difference from the table, as texts."""
        found = []
        for role, processes in self.roles.items():
            for process in processes:
                found += [f"{role} {process.pid}: {text}" for text in self.compare(role, process)]
        return found

    def compare(self, role, process):
        """What is wrong with one process."""
        user, filtered, most_threads = IDENTITY[role]
        uid = self.daemon.ids[user] if role == USER_AGENT else USERS.get(user, 0)
        status = process.status()
        wanted = {"Uid": [uid] * 4, "Gid": [uid] * 4, "Groups": [], "Seccomp": [filtered],
                  "NoNewPrivs": [0 if role in MAY_BE_ROOT else 1]}
        for key, value in wanted.items():
            if [int(word) for word in status[key].split()] != value:
                yield f"{key} is {status[key]!r}, not {value}"
        for key, value in NO_CAPABILITIES.items():
            if role == MASTER and key in ("CapPrm", "CapEff", "CapBnd"):
                value = MASTER_CAPABILITIES | (PAM_CAPABILITIES if key == "CapBnd" else 0)
            elif role in MAY_BE_ROOT and key in ("CapPrm", "CapEff", "CapBnd"):
                value = MASTER_CAPABILITIES | PAM_CAPABILITIES
            if int(status[key], 16) & ~value:
                yield f"{key} is {status[key]}"
        if int(status["Threads"]) > most_threads:
            yield f"it has {status['Threads']} threads"
        yield from self.compare_places(role, process)
        yield from self.compare_descriptors(role, process)

    def compare_places(self, role, process):
        """Root, working directory, and who may look into it."""
        for link in ("root", "cwd"):
            place = os.readlink(f"/proc/{process.pid}/{link}")
            wanted = {MASTER: "/", AUTH_SERVER: "/", AUTHENTICATOR: "/", AGENT: self.daemon.root,
                      USER_AGENT: getattr(self.daemon, "homes", {}).get("ann")}.get(role)
            if place != wanted and (wanted or not place.endswith(" (deleted)")):
                yield f"its {link} is {place}"
        # What is in the folder of an undumpable process belongs to root: nobody of its own user may trace it.
        if os.stat(f"/proc/{process.pid}/maps").st_uid != 0:
            yield "it is dumpable"
        if role != MASTER and len(process.arguments) not in (1, 3):
            yield f"its arguments are {process.arguments}"
        with open(f"/proc/{process.pid}/environ", "rb") as stream:
            if role != MASTER and stream.read().strip(b"\0"):
                yield "it has an environment"

    def compare_descriptors(self, role, process):
        """Every open descriptor by kind."""
        permitted = self.descriptors(role)
        found = {}
        for kind, count in descriptor_kinds(process, self.sockets).items():
            found[self.name(kind)] = count
        for kind in sorted(set(found) | set(permitted)):
            least, most = permitted.get(kind, (0, 0))
            if not least <= found.get(kind, 0) <= most:
                yield f"it holds {found.get(kind, 0)} of kind {kind!r}, permitted are {least} to {most}"


def compare_when_settled(daemon, **plan):
    """Wait for the state, then compare; what is under way between two processes may take a moment."""
    scenes = []

    def is_right():
        try:
            scene = Scene(daemon, **plan)
            scenes.append((scene, scene.mistakes() if scene.is_as_planned() else ["not as planned"]))
        except OSError as error:
            scenes.append((None, [str(error)]))  # a process ended while we looked
        return not scenes[-1][1]

    settle(is_right, text=lambda: "\n".join(scenes[-1][1] + [repr(scenes[-1][0] and scenes[-1][0].roles)]))


def every_process_in_every_state():
    """Nobody connected; then sessions, transfers and a private client come and go."""
    with Daemon() as daemon:
        with open(os.path.join(daemon.root, BIG), "wb") as stream:
            stream.truncate(1 << 30)
        compare_when_settled(daemon)
        first, second, third = connect(daemon), connect(daemon), Client(daemon, 4)
        check(third.reply()[0] == 220, "no greeting")
        compare_when_settled(daemon, sessions=3)
        second.passive()
        compare_when_settled(daemon, sessions=3, listeners=1)
        data = first.begin("RETR " + BIG)
        check(data.recv(1000), "no data")
        compare_when_settled(daemon, sessions=3, listeners=1, transfers=1)
        private = Client(daemon)
        check(private.reply()[0] == 220, "no greeting")
        private.ask("USER somebody", 331, 530)
        compare_when_settled(daemon, sessions=3, listeners=1, transfers=1, with_private=1)
        for client in (first, second, third, private):
            client.close()
        data.close()
        compare_when_settled(daemon)


def every_process_of_users():
    """Authenticators wait; a user comes, and has a worker and an agent of his own; he leaves nothing behind."""
    with UserDaemon() as daemon:
        compare_when_settled(daemon)
        anonymous, ann = connect(daemon), UserClient(daemon)
        compare_when_settled(daemon, sessions=1, with_user=1)
        guesser = Client(daemon)
        check(guesser.reply()[0] == 220, "no greeting")
        guesser.ask("USER ann", 331)
        guesser.ask("PASS a guess", 530)
        compare_when_settled(daemon, sessions=1, with_user=1, with_private=1)
        for client in (anonymous, ann, guesser):
            client.close()
        compare_when_settled(daemon)


if __name__ == "__main__":
    need_root()
    if is_sanitized():
        skip("a sanitizer build is not confined")
    sys.exit(run([every_process_in_every_state, every_process_of_users]))
