#!/usr/bin/env python3
"""mounts: a file is not renamed from one file system to another, nor half copied instead, and a link there is not followed (SECURITY.md F3)."""

import os
import sys

from lib_system import check, enter_mounts, is_ready, run, settle
from lib_users import UserClient, UserDaemon, mount, read, unmount


def nothing_crosses():
    """Files, directories and links, to new names and to those that are there, both ways, in each mode of uploads."""
    for mode in ("direct", "atomic"):
        daemon = UserDaemon(options=[f"uploads.mode={mode}"])
        other = daemon.home("other")
        os.mkdir(other)
        mount("-t", "tmpfs", "-o", f"size=1m,mode=755,uid={daemon.ids['ann']}", "none", other)
        try:
            with daemon:
                settle(lambda: is_ready(daemon))
                with UserClient(daemon) as client:
                    try_all(daemon, client)
        finally:
            unmount(other)


def try_all(daemon, client):
    """Nothing has moved afterwards."""
    for name in ("file", "other/file"):
        client.put(f"STOR {name}", name.encode())
    for line in ("SITE SYMLINK /file link", "SITE SYMLINK /file other/link", "MKD dir", "MKD other/dir"):
        client.ask(line, 200, 250, 257)
    for source, target in (("file", "other/new"), ("file", "other/file"), ("other/file", "new"), ("other/file", "file"), ("file", "other/link"),
                           ("link", "other/new"), ("other/link", "new"), ("dir", "other/new"), ("dir", "other/dir"), ("other/dir", "new")):
        client.ask(f"RNFR {source}", 350)
        client.ask(f"RNTO {target}", 550, 553)
    for name in ("file", "other/file"):
        check(read(daemon.home(name)) == name.encode(), f"{name} is not what it was")
    check(not os.path.lexists(daemon.home("new")) and not os.path.lexists(daemon.home("other/new")), "something has crossed")
    for name in ("link", "other/link"):
        check(os.readlink(daemon.home(name)) in ("/file", "file", "../file"), f"{name} is another link")
    # The file systems themselves work.
    client.ask("RNFR other/file", 350)
    client.ask("RNTO other/new", 250)
    # A copy may cross.
    client.ask("SITE CPFR file", 350)
    client.ask("SITE CPTO other/copy", 250)
    check(read(daemon.home("other", "copy")) == b"file", "the copy is not what it is of")
    client.ask("CWD other", 250)
    client.ask("STAT", 211)
    check(b"copy" in client.fetch("NLST"), "the other file system is not listed")


if __name__ == "__main__":
    enter_mounts()
    sys.exit(run([nothing_crosses]))
