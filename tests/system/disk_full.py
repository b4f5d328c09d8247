#!/usr/bin/env python3
"""disk_full: a full disk, no inodes left, a quota, size limits, a read-only file system, a directory that has vanished.
The replies are those of RFC 959, what is kept of the upload follows keep_partial, other sessions do not notice."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

from lib_daemon import skip
from lib_system import TestFailure, check, connect, enter_mounts, need_root, run, settle
from lib_users import (FIRST_ID, UserClient, UserDaemon, make_ext4, mount, need_ext4, read, unmount, versioned,
                       worker_of)

MIB = 1024 * 1024
MODES = ("direct", "atomic", "durable")
OLD = b"old content"


class Disk:
    """A file system of its own as the home of ann; bob's home is elsewhere."""

    def __init__(self, kind, options, size=None, mkfs=()):
        self.place = tempfile.mkdtemp(prefix="deftpd-disk-")
        os.chmod(self.place, 0o755)
        self.at = os.path.join(self.place, "at")
        os.mkdir(self.at)
        if kind == "ext4":
            make_ext4(os.path.join(self.place, "image"), size, *mkfs)
            try:
                mount("-o", ",".join(["loop"] + options), os.path.join(self.place, "image"), self.at)
            except subprocess.CalledProcessError:
                shutil.rmtree(self.place)
                raise
        else:
            mount("-t", kind, "-o", ",".join(options), "none", self.at)
        self.home = os.path.join(self.at, "home")
        os.mkdir(self.home)
        os.chown(self.home, FIRST_ID, FIRST_ID)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        unmount(self.at)
        shutil.rmtree(self.place)


def daemon_on(disk, *options):
    """ann lives on the disk, bob does not."""
    return UserDaemon(users=("ann", "bob"), homes={"ann": disk.home}, options=list(options))


class Bystander:
    """Another user's session with a download that is under way all the time."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.content = versioned("bobs", 8 * MIB)
        with open(daemon.home("big", user="bob"), "wb") as stream:
            stream.write(self.content)
        with open(os.path.join(daemon.root, "public"), "wb") as stream:
            stream.write(b"public\n")
        self.client = UserClient(daemon, "bob")
        self.link = self.client.begin("RETR big")
        self.got = self.link.recv(1000)

    def check(self):
        """His download goes on to its end, and others can log in, download and upload."""
        with self.link:
            while part := self.link.recv(1 << 18):
                self.got += part
        check(self.got == self.content, "the other session's download was spoilt")
        code, text = self.client.reply()
        check(code == 226, f"the other session's download: {text}")
        self.client.put("STOR more", b"more")
        self.client.close()
        with connect(self.daemon) as client:
            check(client.fetch("RETR public") == b"public\n", "the anonymous session was spoilt")


def expect(client, command, data, codes, words="", rest=0):
    """An upload that is refused with one of the codes."""
    code, text = client.store(command, data, rest)
    check(code in codes and words in text, f"{command}: {codes} {words!r} expected, got {text!r}")
    return text


def leftovers(home):
    """{name: size} of what is there; a name may go while we look."""
    found = {}
    for name in sorted(set(os.listdir(home)) - {"ballast"}):
        with contextlib.suppress(FileNotFoundError):
            found[name] = os.path.getsize(os.path.join(home, name))
    return found


def check_kept(home, mode, keeps, name, content):
    """What an upload of a new name has left that did not fit: by mode and keep_partial. The file "old" is as it was."""
    kept = name if mode == "direct" else f".{name}.deftpd-part"
    # The reply does not wait for the agent to have cleared up.
    settle(lambda: set(leftovers(home)) == ({"old", kept} if keeps else {"old"}), 3,
           lambda: f"{mode}, keep_partial {keeps}: there are {leftovers(home)}")
    check(leftovers(home)["old"] == len(OLD), f"{mode}: the old file is not as it was; there are {leftovers(home)}")
    if keeps:
        part = read(os.path.join(home, kept))
        check(part and content.startswith(part), f"{mode}: the part is not the beginning of what was sent")


def full_tmpfs(mode, keeps):
    """1 MiB, and uploads of 2 MiB: of a new name, and in place of an old file."""
    content = versioned("large", 2 * MIB)
    with Disk("tmpfs", ["size=1m"]) as disk, \
            daemon_on(disk, f"uploads.mode={mode}", f"uploads.keep_partial={'yes' if keeps else 'no'}") as daemon:
        other = Bystander(daemon)
        with UserClient(daemon) as client:
            client.put("STOR old", OLD)
            expect(client, "STOR new", content, (452,))
            check_kept(disk.home, mode, keeps, "new", content)
            if keeps:
                client.ask("DELE new", 250)
            check(leftovers(disk.home) == {"old": len(OLD)}, f"{mode}: {leftovers(disk.home)}")
            expect(client, "STOR old", content, (452,))
            check(mode == "direct" or client.fetch("RETR old") == OLD, "the old file is spoilt")
            if mode != "direct" or keeps:
                client.ask("DELE old", 250)
            settle(lambda: not leftovers(disk.home), 3,
                   lambda: f"{mode}, keep_partial {keeps}: left behind: {leftovers(disk.home)}")
            client.put("STOR small", b"fits again")
            check(client.fetch("RETR small") == b"fits again", "small has something else")
        other.check()


def a_tmpfs_is_full():
    """In each mode, with and without keep_partial."""
    for mode in MODES:
        for keeps in (True, False):
            full_tmpfs(mode, keeps)


def no_inodes_are_left():
    """Twenty inodes, some of them taken: STOR, MKD, STOU and SITE SYMLINK are refused, the old file can be written."""
    for mode in MODES:
        with Disk("tmpfs", ["size=1m", "nr_inodes=20"]) as disk:
            with daemon_on(disk, f"uploads.mode={mode}") as daemon:
                other = Bystander(daemon)
                with UserClient(daemon) as client:
                    client.put("STOR old", OLD)
                    names = 0
                    while client.store(f"STOR name{names}", b"x")[0] == 226:
                        names += 1
                        check(names < 25, "inodes without end")
                    check(names > 5, f"only {names} files")
                    expect(client, "STOR another", b"x", (452,))
                    expect(client, "STOU", b"x", (452,))
                    client.ask("MKD directory", 452)
                    client.ask("SITE SYMLINK old link", 452)
                    check(client.fetch("RETR old") == OLD, "the old file is spoilt")
                    client.ask("DELE name0", 250)
                    client.put("STOR old", b"newer content")
                    check(client.fetch("RETR old") == b"newer content", "old has something else")
                other.check()


def an_ext4_is_full():
    """A real file system, where the room is missed only when the data is put to its place."""
    content = versioned("large", 6 * MIB)
    for mode in MODES:
        with Disk("ext4", [], 4 * MIB, ("-m", "0")) as disk:
            with daemon_on(disk, f"uploads.mode={mode}") as daemon:
                other = Bystander(daemon)
                with UserClient(daemon) as client:
                    client.put("STOR old", OLD)
                    expect(client, "STOR new", content, (452,))
                    check_kept(disk.home, mode, True, "new", content)
                    text = client.ask("ALLO 9000000")
                    check(text.startswith(("452", "552")), f"ALLO of more than there is: {text}")
                    client.ask("DELE new", 250)
                    client.ask("ALLO 1000", 200)
                    client.put("STOR new", content[:MIB])
                    check(read(os.path.join(disk.home, "new")) == content[:MIB], "new has something else")
                other.check()


def a_quota_is_used_up():
    """EDQUOT is answered 552."""
    if shutil.which("setquota") is None:
        print("  skipped: setquota is not installed (package quota)")
        return
    try:
        disk = Disk("ext4", ["usrquota"], 8 * MIB, ("-O", "quota", "-E", "quotatype=usrquota"))
    except subprocess.CalledProcessError:
        print("  skipped: this kernel's ext4 has no quotas")
        return
    content = versioned("large", 2 * MIB)
    with disk:
        done = subprocess.run(["setquota", "-u", str(FIRST_ID), "1024", "1024", "8", "8", disk.at], check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            print(f"  skipped: setquota says {done.stderr.strip()}")
            return
        for mode in MODES:
            with daemon_on(disk, f"uploads.mode={mode}") as daemon:
                other = Bystander(daemon)
                with UserClient(daemon) as client:
                    client.put("STOR old", OLD)
                    expect(client, "STOR new", content, (552,))
                    check_kept(disk.home, mode, True, "new", content)
                    client.ask("DELE new", 250)
                    names = 0
                    while client.store(f"STOR name{names}", b"x")[0] == 226:
                        names += 1
                        check(names < 12, "more files than the quota allows")
                    expect(client, "STOR another", b"x", (552,))
                    for number in range(names):
                        client.ask(f"DELE name{number}", 250)
                    client.put("STOR new", content[:MIB // 2])
                    client.ask("DELE new", 250)
                    client.ask("DELE old", 250)
                other.check()


def the_kernel_says_edquot():
    """EDQUOT where no quota can be had: it is put into the worker's writes to the file."""
    if shutil.which("strace") is None:
        print("  skipped: strace is not installed")
        return
    content = versioned("large", 4 * MIB)
    for mode in MODES:
        # The filter of system calls would see strace's own number in the place of the call.
        with UserDaemon(users=("ann", "bob"), options=[f"uploads.mode={mode}", "sandbox=off"]) as daemon:
            other = Bystander(daemon)
            with UserClient(daemon) as client:
                client.put("STOR old", OLD)
                link, _, text = client.start("STOR new")
                check(link is not None, text)
                path = daemon.home("new" if mode == "direct" else ".new.deftpd-new")
                link.sendall(content[:MIB])
                settle(lambda at=path: os.path.getsize(at) > 0, text="nothing arrives")
                worker = worker_of(daemon, client)[0]
                tracer = subprocess.Popen(
                    ["strace", "-f", "-qq", "-o", "/dev/null", "-P", path,
                     "-e", "inject=write,pwrite64,writev,pwritev,pwritev2,splice:error=EDQUOT", "-p", str(worker.pid)])
                settle(lambda pid=worker.pid: is_traced(pid), text="strace does not attach")
                try:
                    with link:
                        link.sendall(content[MIB:])
                except OSError:
                    pass  # it has had enough
                code, text = client.reply()
                tracer.terminate()
                tracer.wait()
                check(code == 552, f"{mode}: a quota that is used up is answered {text}")
                check_kept(daemon.home(), mode, True, "new", content)
                client.put("STOR new", content)
            other.check()


def is_traced(pid):
    """Whether somebody traces the process."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as stream:
        return "TracerPid:\t0\n" not in stream.read()


def a_file_grows_too_large():
    """max_file_size: exactly so much is taken; one byte more is refused with 552, by STOR, REST and APPE alike."""
    limit = 100000
    content = versioned("large", limit + 50000)
    for mode in MODES:
        with UserDaemon(users=("ann", "bob"), options=[f"uploads.mode={mode}", f"uploads.max_file_size={limit}"]) as daemon:
            other = Bystander(daemon)
            with UserClient(daemon) as client:
                client.put("STOR exact", content[:limit])
                expect(client, "STOR over", content[:limit + 1], (552,))
                if mode == "direct":
                    check((os.path.getsize(daemon.home("over"))) <= limit, "the file is larger than the limit")
                else:
                    check(read(daemon.home("over")) is None, "a file that is not whole has its name")
                client.ask("DELE over", 250)
                expect(client, "APPE exact", b"x", (552,))
                check(read(daemon.home("exact")) in (content[:limit],), "a refused APPE has changed the file")
                expect(client, "STOR far", content, (552,))
                client.ask("DELE far", 250)
                client.ask(f"ALLO {limit}", 200)
                text = client.ask(f"ALLO {limit + 1}")
                check(text.startswith("552"), f"ALLO of more than a file may have: {text}")
                client.put("STOR small", b"fits")
            other.check()


def a_rest_is_kept_free():
    """min_free_space: with less than that no upload begins, in whatever way, and ALLO says so before."""
    for mode in MODES:
        with Disk("tmpfs", ["size=4m"]) as disk:
            with daemon_on(disk, f"uploads.mode={mode}", f"uploads.min_free_space={2 * MIB}") as daemon:
                other = Bystander(daemon)
                with UserClient(daemon) as client:
                    client.put("STOR old", OLD)
                    client.ask(f"ALLO {MIB}", 200)
                    text = client.ask(f"ALLO {3 * MIB}")
                    check(text.startswith(("452", "552")), f"ALLO of what is kept free: {text}")
                    client.put("STOR large", versioned("large", 5 * MIB // 2))
                    for command in ("STOR tiny", "STOR old", "APPE old", "STOU"):
                        expect(client, command, b"x", (452,))
                    text = client.ask("ALLO 1")
                    check(text.startswith(("452", "552")), f"ALLO with less than is kept free: {text}")
                    check(client.fetch("RETR old") == OLD, "the old file is spoilt")
                    check(set(leftovers(disk.home)) == {"old", "large"}, f"{leftovers(disk.home)}")
                    client.ask("DELE large", 250)
                    client.put("STOR tiny", b"x")
                other.check()


def the_file_system_is_read_only():
    """550 for whatever would change it; reading goes on."""
    for mode in MODES:
        with Disk("tmpfs", ["size=4m"]) as disk:
            for name in ("file", "other"):
                with open(os.path.join(disk.home, name), "wb") as stream:
                    stream.write(b"content")
                os.chown(os.path.join(disk.home, name), FIRST_ID, FIRST_ID)
            mount("-o", "bind", disk.home, disk.home)
            mount("-o", "remount,bind,ro", disk.home)
            try:
                with daemon_on(disk, f"uploads.mode={mode}") as daemon:
                    other = Bystander(daemon)
                    with UserClient(daemon) as client:
                        for command in ("STOR new", "STOR file", "APPE file", "STOU"):
                            expect(client, command, b"x", (550, 553))
                        for line in ("DELE file", "MKD directory", "MFMT 20200101000000 file", "SITE CHMOD 600 file",
                                     "SITE SYMLINK file link", "ALLO 1"):
                            text = client.ask(line)
                            check(text[:3] in ("550", "553", "452", "552") or line == "ALLO 1", f"{line}: {text}")
                        text = client.ask("RNFR file")
                        if text.startswith("350"):
                            text = client.ask("RNTO moved")
                        check(text[:3] in ("550", "553"), f"RNFR, RNTO: {text}")
                        check(client.fetch("RETR file") == b"content", "the file cannot be read any more")
                    other.check()
            finally:
                unmount(disk.home)


def the_directory_vanishes():
    """The current directory is removed by somebody else, before an upload and while one is under way."""
    for mode in MODES:
        with UserDaemon(users=("ann", "bob"), options=[f"uploads.mode={mode}"]) as daemon:
            other = Bystander(daemon)
            with UserClient(daemon) as client:
                client.ask("MKD gone", 257)
                client.ask("CWD gone", 250)
                os.rmdir(daemon.home("gone"))
                expect(client, "STOR file", b"x", (550, 553))
                expect(client, "STOU", b"x", (550, 553))
                check(client.ask("MKD inner")[:3] == "550", "MKD in a directory that is gone")
                check(client.ask("LIST")[:3] in ("550", "425", "150"), "LIST of a directory that is gone")
                client.ask("CWD /", 250)
                client.ask("MKD soon", 257)
                link, _, text = client.start("STOR soon/file")
                check(link is not None, text)
                with link:
                    link.sendall(bytes(100000))
                    shutil.rmtree(daemon.home("soon"))
                    link.sendall(bytes(100000))
                code, text = client.reply()
                # In place the file is written on, without a name; a rename to where nothing is cannot be called done.
                check(code in ((226, 451, 550, 553) if mode == "direct" else (451, 550, 553)),
                      f"{mode}: the upload's directory vanished, and the reply is {text}")
                check(not os.path.exists(daemon.home("soon")), "the directory has come back")
                client.put("STOR file", b"here")
            other.check()


TESTS = [a_tmpfs_is_full, no_inodes_are_left, the_kernel_says_edquot, a_file_grows_too_large, a_rest_is_kept_free,
         the_file_system_is_read_only, the_directory_vanishes]


def main():
    """First what a tmpfs shows, then what only a file system on a disk does."""
    need_root()
    enter_mounts()
    run(TESTS)
    try:
        need_ext4()
    except SystemExit:
        skip("the parts on ext4; the others have passed")
    run([an_ext4_is_full, a_quota_is_used_up])


if __name__ == "__main__":
    try:
        main()
    except TestFailure as failure:
        sys.exit(f"FAILED: {failure}")
