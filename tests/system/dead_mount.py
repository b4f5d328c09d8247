#!/usr/bin/env python3
"""dead_mount: a user's home lies on a file system that never answers. He gets 530 after a while, the log says why, nobody else waits, and
the daemon ends (SECURITY.md A10)."""

import ctypes
import os
import sys
import time

from lib_system import Client, check, enter_mounts, need_root, run, settle, skip
from lib_users import PASSWORD, UserClient, UserDaemon

# LOGIN_ENTER_MS and what the worker's clock and a busy machine add.
PATIENCE = 15.0
LATE = 10.0
MNT_DETACH = 2


def mount_the_dead(path):
    """A FUSE file system whose server never reads a request; the descriptor keeps it alive."""
    try:
        server = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        skip(f"/dev/fuse: {error}")
    options = b"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % server
    if ctypes.CDLL(None, use_errno=True).mount(b"dead", path.encode(), b"fuse", 0, options) != 0:
        skip(f"no FUSE mount can be made: {os.strerror(ctypes.get_errno())}")
    return server


def a_home_that_never_answers():
    daemon = UserDaemon(users=("ann", "bob"))
    server = mount_the_dead(daemon.homes["bob"])
    with daemon:
        client = Client(daemon, timeout=PATIENCE + 2 * LATE)
        client.reply()
        client.ask("USER bob", 331)
        begun = time.monotonic()
        client.send(f"PASS {PASSWORD}")
        other = UserClient(daemon, "ann")
        other.ask("NOOP", 200)
        check(time.monotonic() - begun < PATIENCE / 2, "another user has waited for the dead home")
        code, text = client.reply()
        took = time.monotonic() - begun
        check(code == 530 and "home" in text, f"530 for the home expected, got {text!r}")
        check(PATIENCE - 0.5 <= took <= PATIENCE + LATE, f"it took {took:.1f} s")
        settle(lambda: "root directory of user bob does not answer" in daemon.log_text(), text="the log does not name the user")
        # The connection goes on: the next name on it may log in.
        client.ask("USER ann", 331)
        client.ask(f"PASS {PASSWORD}", 230)
        client.ask("QUIT", 221)
        other.ask("QUIT", 221)
        os.close(server)
        settle(lambda: "cannot open the user's root" in daemon.log_text(), text="the agent does not end with its mount")
        ctypes.CDLL(None).umount2(daemon.homes["bob"].encode(), MNT_DETACH)


if __name__ == "__main__":
    need_root()
    enter_mounts()
    sys.exit(run([a_home_that_never_answers]))
