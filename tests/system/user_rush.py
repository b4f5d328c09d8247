#!/usr/bin/env python3
"""user_rush: many users come at the same moment, each as fast as the server lets him. All are handed from the shared
worker to private ones, all are logged in, and the next one after them, too."""

import select
import socket
import sys
import time

from lib_daemon import HOSTS, slowness
from lib_system import check, connect, is_ready, need_root, run, settle
from lib_users import PASSWORD, UserClient, UserDaemon

USERS = 60
PATIENCE_S = 20
ANSWERS = {"220": "USER ann", "331": f"PASS {PASSWORD}", "230": "QUIT"}


class Caller:
    """A client that answers whatever comes at once."""

    def __init__(self, daemon):
        self.link = socket.socket()
        self.link.setblocking(False)
        self.link.connect_ex((HOSTS[4], daemon.port))
        self.codes = []
        self.is_over = False

    def fileno(self):
        """For select()."""
        return self.link.fileno()

    def react(self):
        """Read what is there, and answer."""
        text = self.link.recv(65536).decode()
        self.is_over = not text
        for line in text.splitlines():
            self.codes.append(line[:3])
            if line[:3] in ANSWERS:
                self.link.sendall(ANSWERS[line[:3]].encode() + b"\r\n")


def rush(daemon):
    """All at once; gives those who were not served to the end."""
    callers = [Caller(daemon) for _ in range(USERS)]
    end = time.monotonic() + PATIENCE_S * slowness()
    while time.monotonic() < end and not all(caller.is_over for caller in callers):
        for caller in select.select([caller for caller in callers if not caller.is_over], [], [], 0.2)[0]:
            caller.react()
    for caller in callers:
        caller.link.close()
    return [caller.codes for caller in callers if caller.codes != ["220", "331", "230", "221"]]


def all_are_served():
    """With few spare workers and with many."""
    for spare in (1, 8):
        options = ["max_sessions_per_address=0", f"spare_min={spare}", f"spare_max={spare + 3}"]
        with UserDaemon(options=options) as daemon:
            settle(lambda d=daemon: is_ready(d), text="not ready")
            for _ in range(3):
                failed = rush(daemon)
                check(not failed, f"{len(failed)} of {USERS} were not served: {failed[:5]}")
            UserClient(daemon).close()
            connect(daemon).close()


if __name__ == "__main__":
    need_root()
    sys.exit(run([all_are_served]))
