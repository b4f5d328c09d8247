#!/usr/bin/env python3
"""cold: a file that is not in memory is read by the worker's threads, so its bytes are right, no system call is denied,
and another client of the same worker is answered meanwhile (DESIGN.md section 4: nothing on the loop blocks)."""

import ftplib
import hashlib
import os
import tempfile

from lib_daemon import Daemon, skip
from lib_system import check, run

MIB = 1024 * 1024
SIZE = 48 * MIB


def is_in_memory(path):
    """Whether the file's last byte could be read without the disk; None where the file system cannot tell."""
    with open(path, "rb") as file:
        try:
            os.preadv(file.fileno(), [bytearray(1)], SIZE - 1, os.RWF_NOWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return None
    return True


def forget(path):
    """Drop the file's pages from memory."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def log_in(daemon):
    """A client that is logged in."""
    client = ftplib.FTP()
    client.connect(*daemon.address(4), timeout=30)
    client.login()
    return client


def fetch(client, command, other):
    """Fetch a file; the other client is asked in between. Returns the digest of the bytes."""
    digest = hashlib.sha256()
    with client.transfercmd(command) as data:
        while piece := data.recv(MIB):
            digest.update(piece)
            check(other.voidcmd("NOOP").startswith("200"), "the other client is not answered")
    client.voidresp()
    return digest.hexdigest()


def cold_files_arrive():
    """TYPE I and TYPE A, each with nothing of the file in memory."""
    # Not below /tmp, which may be a file system in memory.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as root:
        os.chmod(root, 0o755)
        path = os.path.join(root, "big")
        content = os.urandom(MIB).replace(b"\n", b"x").replace(b"\r", b"x") * (SIZE // MIB)
        with open(path, "wb") as file:
            file.write(content)
        digest = hashlib.sha256(content).hexdigest()
        forget(path)
        if is_in_memory(path) is not False:
            skip("this file system keeps or cannot tell what is in memory")
        with Daemon(options=[f"anonymous.root={root}", "shared_workers=1"]) as daemon:
            client, other = log_in(daemon), log_in(daemon)
            for kind in ("I", "A", "I"):
                forget(path)
                client.voidcmd("TYPE " + kind)
                check(fetch(client, "RETR big", other) == digest, f"TYPE {kind}: wrong bytes")
            threads = max(len(os.listdir(f"/proc/{p.pid}/task")) for p in daemon.tree()
                          if p.program == "deftpd-worker")
            check(threads > 1, "no thread has been started: the loop has waited for the disk")
            client.quit()
            other.quit()


if __name__ == "__main__":
    run([cold_files_arrive])
