#!/usr/bin/env python3
"""peeping: nobody who has the user of a worker, an agent or the recorder sees into those processes, takes their descriptors, or gets their
memory as a core dump (SECURITY.md A22)."""

import ctypes
import os
import subprocess
import sys

from lib_daemon import skip
from lib_system import check, connect, have_users, is_ready, is_sanitized, need_root, run, settle
from lib_users import UserClient, UserDaemon

PTRACE_ATTACH, PTRACE_DETACH = 16, 17
SYS_PIDFD_GETFD = 438


class Part(ctypes.Structure):
    """struct iovec."""
    _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def attach(pid):
    """What a debugger does."""
    libc = ctypes.CDLL(None)
    if libc.ptrace(PTRACE_ATTACH, pid, None, None) != 0:
        return False
    os.waitpid(pid, 0x40000000)  # __WALL
    libc.ptrace(PTRACE_DETACH, pid, None, None)
    return True


def read_memory(pid):
    """Any address will do: who may not look is told so before it matters."""
    space = ctypes.create_string_buffer(8)
    here = Part(ctypes.cast(space, ctypes.c_void_p), 8)
    there = Part(4096, 8)
    libc = ctypes.CDLL(None, use_errno=True)
    got = libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    return got > 0 or ctypes.get_errno() == 14  # EFAULT


def take_descriptor(pid):
    """The process's standard error."""
    return ctypes.CDLL(None).syscall(SYS_PIDFD_GETFD, os.pidfd_open(pid), 2, 0) >= 0


def opens(name):
    """Whether a file of /proc can be opened."""
    def attempt(pid):
        with open(f"/proc/{pid}/{name}", "rb") as stream:
            stream.read(1) if name != "mem" else None
        return True

    return attempt


ATTEMPTS = {
    "ptrace": attach,
    "process_vm_readv": read_memory,
    "pidfd_getfd": take_descriptor,
    "its descriptors": lambda pid: bool(os.listdir(f"/proc/{pid}/fd")),
    "its root": lambda pid: bool(os.readlink(f"/proc/{pid}/root")),
    "its directory": lambda pid: bool(os.stat(f"/proc/{pid}/cwd/.")),
    **{name: opens(name) for name in ("mem", "maps", "environ", "auxv", "stack", "syscall")},
}


def succeed(user, pid):
    """Which attempts succeed against a process, made by this user."""
    end, begin = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        for name, attempt in ATTEMPTS.items():
            try:
                if attempt(pid):
                    os.write(begin, name.encode() + b"\n")
            except OSError:
                pass
        os._exit(0)
    os.close(begin)
    with open(end, encoding="ascii") as stream:
        found = stream.read().splitlines()
    check(os.waitpid(child, 0)[1] == 0, "the attempts have come to an end of their own")
    return set(found)


def may_dump(process):
    """Whether the process may write a core file."""
    with open(f"/proc/{process.pid}/limits", encoding="ascii") as stream:
        line = next(line for line in stream if line.startswith("Max core file size"))
    return line.split()[4] != "0"


def nobody_looks_in():
    """Each process of ours that is not root's, in a session before the login, one of anonymous and one of a user."""
    with UserDaemon() as daemon, subprocess.Popen(["sleep", "1000"], user=daemon.ids["ann"], group=daemon.ids["ann"],
                                                  extra_groups=[]) as other:
        try:
            possible = succeed(daemon.ids["ann"], other.pid)
        finally:
            other.kill()
        check({"process_vm_readv", "its descriptors", "mem", "environ"} <= possible, f"only {possible} succeed at all")
        settle(lambda: is_ready(daemon))
        with connect(daemon) as anonymous, UserClient(daemon) as client:
            anonymous.fetch("LIST")
            client.put("STOR file", b"content")
            seen = set()
            for process in daemon.tree():
                users = {int(user) for user in process.status()["Uid"].split()}
                check(process.program == "deftpd" or not may_dump(process), f"{process} may dump core")
                if users == {0}:
                    continue
                check(len(users) == 1, f"{process} is {users}")
                found = succeed(users.pop(), process.pid)
                check(not found, f"{process}: {sorted(found)}")
                seen.add(process.program)
            check(seen >= {"deftpd-worker", "deftpd-agent", "deftpd-recorder"}, f"only {seen} were tried")
            client.ask("NOOP", 200)


if __name__ == "__main__":
    need_root()
    if is_sanitized():
        skip("a sanitizer needs what is refused here")
    have_users()
    sys.exit(run([nobody_looks_in]))
