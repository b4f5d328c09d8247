#!/usr/bin/env python3
"""Send every verb, with several arguments, in one state of a session: exactly one final reply, of an allowed code.

    matrix.py [--bin DIRECTORY] [-v] [--tls] TABLE STATE

With --tls all of it under TLS, data connections too. TABLE is the program command-table, or a file with what it prints.
STATE: before, named, in, rest, armed, transfer; and as a user who may write: user, user_rest, user_armed, user_rename.
Source: SECURITY.md P14; the allowed codes are those of ftpd/proto/command.c.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))

from accounts import Accounts, owner  # noqa: E402
from control import Control, Failure  # noqa: E402
from data import Data, passive_address  # noqa: E402
from lib_daemon import FAMILIES, Daemon, slowness  # noqa: E402
from lib_tls import TlsLink, context_of, poll  # noqa: E402
from secure import Fixtures  # noqa: E402
from tree import Tree  # noqa: E402

ARGUMENTS = {"none": b"", "space": b" ", "short": b" x", "path": b" /file", "long": b" " + b"x" * 1000}
STATES = ("before", "named", "in", "rest", "armed", "transfer", "user", "user_rest", "user_armed", "user_rename")
UNKNOWN = {"name": "NOSU", "needs_login": False, "writes": False, "transfers": False,
           "during_transfer": False, "not_built": False, "codes": [421, 500]}


class Probe:
    """One session, brought into a state, to which one line is said."""

    def __init__(self, daemon, context=None):
        """context: of TLS; None: in clear."""
        self.patience = 5 * slowness()
        self.context = context
        self.control = Control(FAMILIES[4], daemon.address())
        self.data = None
        self.state = None
        self.is_empty = False  # an upload

    def reach(self, state):
        """Bring the session into the state."""
        self.get()
        if self.context:
            self.ask(b"AUTH TLS", 234)
            self.control.secure(self.context)
            self.ask(b"PBSZ 0", 200)
            self.ask(b"PROT P", 200)
        is_user = state.startswith("user")
        state = self.state = state.removeprefix("user_")
        if state != "before":
            self.ask(b"USER alice" if is_user else b"USER anonymous", 331)
        if state not in ("before", "named"):
            self.ask(b"PASS x", 230)
            self.ask(b"TYPE I", 200)
        if state == "rest":
            self.ask(b"REST 1", 350)
        if state == "rename":
            self.ask(b"RNFR /old", 350)
        if state in ("armed", "transfer"):
            self.arm()
        self.is_empty = state == "armed" and is_user
        if self.is_empty and not self.context:
            self.data.link.shutdown(socket.SHUT_WR)  # an upload is empty
        if state == "transfer":
            self.ask(b"RETR /big", 150 if self.context else 125)
            self.secure_data()

    def get(self):
        """The next reply."""
        return self.control.reply(self.patience)

    def ask(self, line, code):
        """Say something that has a known answer."""
        self.control.send(line + b"\r\n")
        reply = self.get()
        if reply.code != code:
            raise Failure(f"{line!r} was answered with {reply.text()}")
        return reply

    def arm(self):
        """Have a data connection to the passive port."""
        reply = self.ask(b"EPSV", 229)
        self.data = Data(FAMILIES[4], small=True)
        self.data.address = passive_address(229, reply.text(), "127.0.0.1")
        self.data.attach()

    def secure_data(self):
        """TLS on the data connection, as soon as the server wants to use it."""
        if not self.context or self.data is None or isinstance(self.data.link, TlsLink):
            return
        self.data.secure(self.context, None, self.control.session(), self.patience)
        if self.is_empty:
            self.data.link.notify()

    def say(self, line):
        """
        Say the line and then SYST, whose 215 is the end; gives the codes before it.
        A transfer that runs is broken after the line, so that what has to wait for its end gets its turn.
        """
        last, code = (b"NOOP", 200) if line.startswith(b"SYST") else (b"SYST", 215)
        self.control.send(line + b"\r\n")
        if self.state == "transfer":
            poll(self.control.link, 0.01)
            self.data.close(is_reset=True)
        try:
            self.control.send(last + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # the line was answered with the end
        return self.codes(code)

    def codes(self, last):
        """The codes up to the last one or the end of the connection."""
        found = []
        deadline = time.monotonic() + self.patience
        while not self.control.ends(0.02):
            self.swallow()
            if self.control.bytes:
                found.append(self.get().code)
                if found[-1] // 100 == 1:
                    self.secure_data()
            if found and found[-1] == last:
                break
            if time.monotonic() > deadline:
                raise Failure(f"no answer; so far {found}")
        if found and found[-1] == last:
            found.pop()
            if self.control.bytes:
                raise Failure(f"replies that nobody asked for: {self.control.bytes!r}")
        return found

    def swallow(self):
        """Take data from the data connection as long as there is some; how it ends is for the dialogues."""
        if self.state != "armed" or self.data.is_at_end:
            return
        try:
            while self.data.read_some(0):
                self.data.bytes.clear()
        except Failure:
            self.data.is_at_end = True

    def close(self):
        """Close both connections."""
        self.control.link.close()
        if self.data:
            self.data.close()


def judge(row, state, codes):
    """What is wrong with these codes for a line with the row's verb; None: nothing."""
    codes = list(codes)
    if state == "transfer" and 426 in codes:
        codes.remove(426)  # the broken transfer's own
    elif state == "transfer":
        return "the broken transfer was not answered with 426"
    if codes and codes[0] // 100 == 1:
        if not row["transfers"]:
            return "a preliminary reply to a command that transfers nothing"
        codes.pop(0)
    if len(codes) != 1:
        return f"{len(codes)} final replies"
    if codes[0] not in row["codes"]:
        return "a code that the table does not allow"
    if row["not_built"] and codes[0] not in (500, 502, 530):
        return "a command that is not built was answered otherwise"
    if state in ("before", "named") and row["needs_login"] and codes[0] not in (530, 502):
        return "no 530 before login"
    return None


def table(path):
    """The rows of the table of commands, and one for an unknown verb."""
    if path.endswith(".json"):
        with open(path, encoding="ascii") as stream:
            return json.load(stream) + [UNKNOWN]
    return json.loads(subprocess.run([path], check=True, stdout=subprocess.PIPE).stdout) + [UNKNOWN]


def restore(root):
    """Make what the line before may have taken away."""
    for name in ("file", "old"):
        path = os.path.join(root, name)
        if os.path.isdir(path):
            os.rmdir(path)
        if not os.path.exists(path):
            with open(path, "wb") as stream:
                stream.write(b"x" * 1000)
            os.chown(path, *owner())


def run(daemon, rows, state, context, is_verbose):
    """Every verb with every argument; gives the number of complaints."""
    wrong = 0
    for row in rows:
        answers = []
        for name, argument in ARGUMENTS.items():
            line = row["name"].encode() + argument
            codes, complaint = [], None
            probe = Probe(daemon, context)
            restore(daemon.root)
            try:
                probe.reach(state)
                codes = probe.say(line)
                complaint = judge(row, state, codes)
            except (Failure, OSError) as failure:
                complaint = str(failure)
            finally:
                probe.close()
            answers.append(name + "=" + "+".join(map(str, codes)))
            if complaint:
                wrong += 1
                print(f"{row['name']} ({name} argument, {state}): {codes}: {complaint}")
        if is_verbose:
            print(f"{row['name']:5}", *answers, flush=True)
    return wrong


def main():
    """Run one state's part of the matrix."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-v", action="store_true", help="print every code")
    parser.add_argument("--bin", help="directory of the programs")
    parser.add_argument("--tls", action="store_true", help="speak TLS")
    parser.add_argument("table")
    parser.add_argument("state", choices=STATES)
    given = parser.parse_args()
    rows = table(given.table)
    daemon = Daemon(given.bin, ["max_sessions_per_address=0", "shared_workers=2"])
    tree = Tree(daemon.root)
    tree.make_sparse(b"big", 500000000)
    accounts = Accounts(daemon)
    accounts.add(b"alice", b"x")
    accounts.settle()
    context = None
    if given.tls:
        Fixtures(daemon).set_certified()
        context = context_of()
    with daemon:
        wrong = run(daemon, rows, given.state, context, given.v)
    print(f"{len(rows) * len(ARGUMENTS)} lines, {wrong} answered wrongly")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
