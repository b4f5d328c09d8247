#!/usr/bin/env python3
"""passwd_tool: deftp-passwd as an administrator uses it: on a terminal, from a pipe, twice at once, and killed.

Issue of accounts, item 3; SECURITY.md A6 and A21. Needs no root and no daemon.
"""

import contextlib
import ctypes
import fcntl
import os
import pty
import random
import re
import select
import signal
import stat
import subprocess
import sys
import tempfile
import termios
import threading
import time

from lib_daemon import programs_directory, slowness
from lib_system import check, run, settle

PROGRAM = os.path.join(programs_directory(), "deftp-passwd")
DONE, REFUSED, USAGE = 0, 1, 2
LIBCRYPT = ctypes.CDLL("libcrypt.so.1")
LIBCRYPT.crypt.restype = ctypes.c_char_p

# As ProFTPD's ftpasswd writes it, with what people add by hand; the hashes are of "password".
TAKEN_OVER = b"""# FTP users of example.org
bob:$1$VvMz7Be3$Z5xTWGliomvr4FQyoj57/0:1001:1001::/srv/ftp/bob:/bin/false

carol:$6$J9GWKtF/L2lnuNZC$808aVoCEKHTAx1R8JzVRSBsEdU2ta.aEc6uqAcuMn4qTfzr1DtHKYjCGxWsl9up8IH0H9rpwVYFqy.fH3Q44j/:1002:1002:Carol, accounting:/srv/ftp/./carol:/bin/bash
  # dave has left
dave:!$1$VvMz7Be3$Z5xTWGliomvr4FQyoj57/0:1003:1003::/srv/ftp/dave:/bin/false
this line is nobody's
eve@example.org:$5$zZlMQidrazV6Qq6l$eIq9gKlQ8gy5au0/YeDE3puio5dplZdVXzFLyHOi6U2:1004:1004::/srv/ftp/eve:"""


@contextlib.contextmanager
def place(content=None, mode=0o600):
    """A directory with a file of users, which need not exist."""
    with tempfile.TemporaryDirectory(prefix="deftpd-test-") as folder:
        path = os.path.join(folder, "users")
        if content is not None:
            with open(path, "wb") as stream:
                stream.write(content)
            os.chmod(path, mode)
        yield path


def tool(*words, password=None):
    """Run it without a terminal; returns status, standard output and standard error."""
    done = subprocess.run([PROGRAM, *words], check=False, capture_output=True, start_new_session=True, timeout=60,
                          input=b"" if password is None else password)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def expect(status, *words, password=None, text=""):
    """Run it and look at status and text."""
    found = tool(*words, password=password)
    check(found[0] == status and text in found[1] + found[2], f"{words}: {status} and {text!r} expected, got {found}")
    return found


def read(path):
    """The bytes of a file."""
    with open(path, "rb") as stream:
        return stream.read()


def field(path, name, number):
    """One field of a user's line."""
    for line in read(path).split(b"\n"):
        if line.startswith(name.encode() + b":"):
            return line.split(b":")[number]
    return None


def is_hash_of(password, hashed):
    """Asked of libcrypt itself, not of the program."""
    return LIBCRYPT.crypt(password, hashed) == hashed


def all_verbs():
    """A new file; add, set, list, verify, del."""
    with place() as path:
        expect(DONE, "add", "-f", path, "bob", "--home", "/srv/bob", "--stdin", password=b"first\n", text="added")
        check(stat.S_IMODE(os.stat(path).st_mode) == 0o600, "a new file has another mode than 0600")
        check(field(path, "bob", 1).startswith(b"$y$"), "yescrypt is not the default")
        check(is_hash_of(b"first", field(path, "bob", 1)), "libcrypt does not think that the hash is right")
        expect(REFUSED, "add", "-f", path, "bob", "--home", "/srv/bob", "--stdin", password=b"x\n", text="already")
        expect(DONE, "verify", "-f", path, "bob", "--stdin", password=b"first\n", text="right")
        for wrong in (b"First\n", b"firs\n", b"first \n"):
            expect(REFUSED, "verify", "-f", path, "bob", "--stdin", password=wrong, text="wrong")
        expect(DONE, "set", "-f", path, "bob", "--stdin", password=b"second")  # no line end
        check(is_hash_of(b"second", field(path, "bob", 1)), "the password has not changed")
        expect(DONE, "set", "-f", path, "bob", "--home", "/tmp", "--uid", "1234", "--gid", "1235")
        check(is_hash_of(b"second", field(path, "bob", 1)), "the password has changed with the home")
        check([field(path, "bob", n) for n in (2, 3, 5)] == [b"1234", b"1235", b"/tmp"], "the fields have not changed")
        expect(DONE, "list", "-f", path, text="yescrypt")
        expect(DONE, "verify", "-f", path, text="1 user, 0 mistakes")
        expect(DONE, "del", "-f", path, "bob", text="removed")
        expect(REFUSED, "del", "-f", path, "bob", text="no user bob")
        expect(REFUSED, "set", "-f", path, "bob", "--stdin", password=b"x\n", text="no user bob")
        check(read(path) == b"", "something is left in the file")
        check(os.listdir(os.path.dirname(path)) == ["users"], "something is left beside the file")


def each_method():
    """Each is verified by libcrypt; weak ones are refused, but verified where they are in the file."""
    prefixes = {"yescrypt": b"$y$", "gost-yescrypt": b"$gy$", "scrypt": b"$7$", "bcrypt": b"$2b$", "sha512": b"$6$",
                "sha256": b"$5$"}
    with place() as path:
        for method, prefix in prefixes.items():
            expect(DONE, "add", "-f", path, method, "--home", "/", "--method", method, "--stdin", password=b"pass\n")
            hashed = field(path, method, 1)
            check(hashed.startswith(prefix) and is_hash_of(b"pass", hashed), f"{method}: {hashed!r}")
            expect(DONE, "verify", "-f", path, method, "--stdin", password=b"pass\n")
        for method in ("md5", "des", "", "SHA-512"):
            expect(REFUSED, "add", "-f", path, "bob", "--home", "/", "--method", method, "--stdin", password=b"pass\n",
                   text="too weak")
        salts = {field(path, name, 1) for name in prefixes}
        expect(DONE, "set", "-f", path, "bcrypt", "--stdin", password=b"pass\n")
        check(field(path, "bcrypt", 1) not in salts, "the same password got the same salt")


def bad_names_homes_and_passwords():
    """Each is refused with a sentence that says what to do, and the file is as it was."""
    with place(TAKEN_OVER) as path:
        for name in ("", "a:b", "a/b", ".", "..", "a\nb", " a", "a ", "#a", "+a", "a\x7f", "x" * 65):
            expect(REFUSED, "add", "-f", path, "--home", "/", "--stdin", "--", name, password=b"x\n", text="; ")
        for home in ("", "srv", "~", "/a:b", "/a\nb", "/" + "x" * 1023):
            expect(REFUSED, "add", "-f", path, "new", "--home", home, "--stdin", password=b"x\n", text="; ")
            expect(REFUSED, "set", "-f", path, "bob", "--home", home, text="; ")
        for password in (b"", b"\n", b"\nsecond\n", b"x" * 512 + b"\n", b"x" * 100000, b"a\0b\n", b"a\rb\n"):
            expect(REFUSED, "add", "-f", path, "new", "--home", "/", "--stdin", password=password, text="password")
        for ids in (["--uid", "0"], ["--gid", "0"]):
            expect(REFUSED, "set", "-f", path, "bob", *ids, text="root")
        check(read(path) == TAKEN_OVER, "a refusal has changed the file")
        expect(DONE, "set", "-f", path, "bob", "--stdin", password=b"x" * 511 + b"\n")
        expect(DONE, "verify", "-f", path, "bob", "--stdin", password=b"x" * 511 + b"\n")


def wrong_command_lines():
    """Status 2, a sentence, and nothing happens; the password is never a word of the command line."""
    with place() as path:
        for words in ((), ("add",), ("frobnicate", "-f", path), ("add", "-f", path), ("add", "-f", path, "bob"),
                      ("add", "-f", path, "bob", "secret", "--home", "/"), ("list",), ("list", "-f", path, "bob"),
                      ("del", "-f", path), ("del", "-f", path, "bob", "--stdin"), ("set", "-f", path),
                      ("verify", "-f", path, "--stdin"), ("list", "-f", path, "--home", "/"),
                      ("set", "-f", path, "bob", "--uid", "-1"), ("set", "-f", path, "bob", "--uid", "4294967295"),
                      ("set", "-f", path, "bob", "--gid", "1x"), ("set", "-f", path, "bob", "--gid", ""),
                      ("--password", "x"), ("-f",)):
            expect(USAGE, *words, text="--help")
        check(os.listdir(os.path.dirname(path)) == [], "a wrong command line has made a file")
        expect(DONE, "--help", text="deftp-passwd add")
        expect(DONE, "--version", text="deftp-passwd ")
        for verb in ("list", "verify"):
            expect(REFUSED, verb, "-f", path, text="add makes it")


def a_file_of_another_server():
    """It is read as it is; what changes is one field of one line."""
    with place(TAKEN_OVER, 0o640) as path:
        _, text, complaint = expect(REFUSED, "list", "-f", path)
        wanted = {"bob": ("MD5", "yes"), "carol": ("SHA-512", "yes"), "dave": ("MD5", "no: locked"),
                  "eve@example.org": ("SHA-256", "yes")}
        for name, (method, login) in wanted.items():
            check(re.search(rf"^{re.escape(name)} +\d+ +\d+ +{method} +{login} +/srv/ftp/", text, re.M),
                  f"{name} is not listed as {method}, {login}: {text}")
        check(f"{path}:7: " in complaint, f"the wrong line is not told: {complaint}")
        _, text, _ = expect(REFUSED, "verify", "-f", path, text="4 users, 1 mistake")
        check(text.startswith(f"{path}:7: "), text)
        for name in ("bob", "carol"):
            expect(DONE, "verify", "-f", path, name, "--stdin", password=b"abc\n")
        expect(REFUSED, "verify", "-f", path, "dave", "--stdin", password=b"abc\n", text="no password can match")
        expect(DONE, "set", "-f", path, "carol", "--stdin", password=b"new\n")
        before, after = TAKEN_OVER.split(b"\n"), read(path).split(b"\n")
        check(before[:3] + before[4:] == after[:3] + after[4:], "another line has changed")
        old, new = before[3].split(b":"), after[3].split(b":")
        check(old[0] == new[0] and old[2:] == new[2:] and is_hash_of(b"new", new[1]), f"{old} became {new}")
        check(stat.S_IMODE(os.stat(path).st_mode) == 0o640, "the mode has changed")
        expect(DONE, "del", "-f", path, "dave")
        expect(DONE, "add", "-f", path, "fay", "--home", "/srv/ftp/fay", "--stdin", password=b"x\n")
        now = read(path).split(b"\n")
        check(now[:-2] == after[:5] + after[6:] and now[-2].startswith(b"fay:") and now[-1] == b"",
              f"comments and order are not kept: {now}")


def hashes_that_never_match():
    """SECURITY.md A6: none matches any password, and verify says so."""
    hashes = ["", "*", "!", "!!", "*0", "x", "$6$", "$6$salt$short", "$9$a$b", "$y$j9T$hV1GErwqIDB3ozQp.KcoJ."]
    lines = [f"user{n}:{hashed}:1:1::/:" for n, hashed in enumerate(hashes)]
    with place("\n".join(lines).encode()) as path:
        for number in range(len(hashes)):
            for password in (b"x\n", b"*\n", b"!\n", hashes[number].encode() + b"\n"):
                expect(REFUSED, "verify", "-f", path, f"user{number}", "--stdin", password=password)
        _, text, _ = expect(DONE, "list", "-f", path)
        check(text.count(" no: ") == len(hashes), text)
        # Locked ones are so on purpose; of the others each is a mistake.
        _, text, _ = expect(REFUSED, "verify", "-f", path)
        check(text.count("\n") == 1 + sum(1 for hashed in hashes if hashed[:1] not in ("*", "!")), text)


def files_of_others():
    """A file that others could have written is not believed, whatever is asked of it."""
    for mode in (0o666, 0o660, 0o620, 0o602, 0o644):
        with place(b"bob:x:1:1::/:\n", mode) as path:
            for words in (("list",), ("verify",), ("del", "bob"), ("set", "bob", "--home", "/x")):
                expect(REFUSED, words[0], "-f", path, *words[1:], text="chmod 640")
            check(read(path) == b"bob:x:1:1::/:\n", "it was written")
    with place() as path:
        os.mkfifo(path)
        expect(REFUSED, "list", "-f", path, text="no regular file")
    with place(b"bob:x:1:1::/:\n") as path:
        os.symlink(path, path + "-link")
        expect(DONE, "del", "-f", path + "-link", "bob")
        check(os.path.islink(path + "-link") and read(path) == b"", "the link was replaced, and not what it points to")
        # A link in place of the lock leads nowhere.
        os.symlink(path + "-victim", path + ".lock")
        expect(REFUSED, "add", "-f", path, "eve", "--home", "/", "--stdin", password=b"x\n", text="locked")
        check(not os.path.exists(path + "-victim"), "the lock's link was followed")


def owner_and_list_are_kept():
    """As root: owner, group and access control list of the file are those of the new one."""
    if os.geteuid() != 0:
        print("  not root: left out")
        return
    with place(TAKEN_OVER, 0o640) as path:
        os.chown(path, 0, 54321)
        # user::rw-, user:54322:r--, group::---, mask::r--, other::---
        entries = [(1, 6, -1), (2, 4, 54322), (4, 0, -1), (16, 4, -1), (32, 0, -1)]
        rules = b"\2\0\0\0" + b"".join(tag.to_bytes(2, "little") + bits.to_bytes(2, "little") +
                                       (who & 0xffffffff).to_bytes(4, "little") for tag, bits, who in entries)
        has_rules = True
        try:
            os.setxattr(path, "system.posix_acl_access", rules)
        except OSError:
            has_rules = False
        before = os.stat(path)
        expect(DONE, "set", "-f", path, "bob", "--stdin", password=b"x\n")
        after = os.stat(path)
        check((before.st_uid, before.st_gid, before.st_mode) == (after.st_uid, after.st_gid, after.st_mode), "owner or mode")
        check(before.st_ino != after.st_ino, "the file was written in place")
        if has_rules:
            check(os.getxattr(path, "system.posix_acl_access") == rules, "the access control list is lost")
        os.chown(path, 54321, 54321)
        expect(REFUSED, "list", "-f", path, text="neither to root nor to you")


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, *words):
        self.text = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(PROGRAM, [PROGRAM, *words])

    def expect(self, text, timeout=20):
        """Read until the text is there; what was before it is forgotten."""
        deadline = time.monotonic() + timeout * slowness()
        while text not in self.text:
            check(select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0],
                  f"{text!r} expected, got {self.text!r}")
            try:
                self.text += os.read(self.fd, 4096)
            except OSError:  # the terminal's other end is closed
                check(text in self.text, f"{text!r} expected, got {self.text!r}")
        at = self.text.index(text) + len(text)
        before, self.text = self.text[:at], self.text[at:]
        return before

    def is_echoing(self):
        """Whether what is typed is shown."""
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def type(self, keys):
        """Press keys when the program waits in silence for them."""
        settle(lambda: not self.is_echoing(), text="the terminal still echoes")
        os.write(self.fd, keys)

    def end(self):
        """Wait for it; returns the rest of the text and the status."""
        rest = self.text
        try:
            while True:
                part = os.read(self.fd, 4096)
                if not part:
                    break
                rest += part
        except OSError:
            pass
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.fd)
        return rest, status


def the_terminal_is_silent():
    """Asked twice, nothing is echoed; echo is back after the end."""
    with place() as path:
        terminal = Terminal("add", "-f", path, "bob", "--home", "/")
        seen = terminal.expect(b"New password of bob: ")
        terminal.type(b"s3cret words\n")
        seen += terminal.expect(b"The same again: ")
        terminal.type(b"s3cret words\n")
        seen += terminal.expect(b"has been added")
        rest, status = terminal.end()
        check(status == 0, f"it ended with {status}: {rest!r}")
        check(b"s3cret" not in seen + rest, f"the password was echoed: {seen + rest!r}")
        check(is_hash_of(b"s3cret words", field(path, "bob", 1)), "another password was taken")

        terminal = Terminal("set", "-f", path, "bob")
        terminal.expect(b"New password of bob: ")
        terminal.type(b"one\n")
        terminal.expect(b"again: ")
        terminal.type(b"other\n")
        rest, status = terminal.end()
        check(os.waitstatus_to_exitcode(status) == REFUSED and b"differ" in rest, f"{status}: {rest!r}")

        terminal = Terminal("verify", "-f", path, "bob")
        terminal.expect(b"Password of bob: ")
        terminal.type(b"s3cret words\n")
        rest, status = terminal.end()
        check(status == 0 and b"right" in rest and b"s3cret" not in rest, f"{status}: {rest!r}")

        for keys, text in ((b"\n", b"empty"), (b"\x04", b"empty"), (b"x" * 600 + b"\n", b"longer than 511")):
            terminal = Terminal("set", "-f", path, "bob")
            terminal.expect(b"New password of bob: ")
            terminal.type(keys)
            rest, status = terminal.end()
            check(os.waitstatus_to_exitcode(status) == REFUSED and text in rest, f"{keys[:8]!r}: {status}: {rest!r}")
        check(is_hash_of(b"s3cret words", field(path, "bob", 1)), "a refusal has changed the password")


def signals_restore_the_terminal():
    """Whatever ends it at the prompt, the terminal echoes again; after a stop signal it asks again in silence."""
    with place(TAKEN_OVER) as path:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            terminal = Terminal("set", "-f", path, "bob")
            terminal.expect(b"New password of bob: ")
            settle(lambda held=terminal: not held.is_echoing(), text="the terminal echoes")
            keeper = os.open(os.readlink(f"/proc/{terminal.pid}/fd/0"), os.O_RDWR | os.O_NOCTTY)  # the terminal stays
            os.kill(terminal.pid, number)
            _, status = os.waitpid(terminal.pid, 0)
            check(os.WIFSIGNALED(status) and os.WTERMSIG(status) == number, f"{number}: ended with {status}")
            check(terminal.is_echoing(), f"{number}: the terminal does not echo any more")
            os.close(keeper)
            os.close(terminal.fd)
        check(read(path) == TAKEN_OVER, "the file has changed")

        terminal = Terminal("verify", "-f", path, "bob")
        terminal.expect(b"Password of bob: ")
        settle(lambda: not terminal.is_echoing(), text="the terminal echoes")
        os.kill(terminal.pid, signal.SIGTSTP)  # as nobody could let it go on, the kernel does not really stop it
        terminal.expect(b"Password of bob: ")
        terminal.type(b"abc\n")
        rest, status = terminal.end()
        check(status == 0 and b"right" in rest, f"{status}: {rest!r}")


def the_password_is_nowhere_to_be_found():
    """While it waits for the second password: not dumpable, no core file, the first one in no other memory."""
    with place(TAKEN_OVER) as path:
        terminal = Terminal("set", "-f", path, "bob")
        terminal.expect(b"New password of bob: ")
        secret = b"q9-" + os.urandom(8).hex().encode()
        terminal.type(secret + b"\n")
        terminal.expect(b"again: ")
        with open(f"/proc/{terminal.pid}/limits", encoding="ascii") as stream:
            check(re.search(r"^Max core file size +0 +0 ", stream.read(), re.M), "it may dump core")
        check(os.stat(f"/proc/{terminal.pid}/maps").st_uid == 0, "it is dumpable")
        if os.geteuid() == 0:
            with open(f"/proc/{terminal.pid}/cmdline", "rb") as stream:
                check(secret not in stream.read(), "it is in the command line")
            places = find_in_memory(terminal.pid, secret)
            check(places and all("dd" in flags for flags in places), f"the password lies in memory with flags {places}")
        terminal.type(secret + b"\n")
        _, status = terminal.end()
        check(status == 0, f"it ended with {status}")


def find_in_memory(pid, secret):
    """The flags of each mapping in which the bytes are; a flag of dd: not in a core dump."""
    found, area = [], None
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if match:
                area = int(match.group(1), 16), int(match.group(2), 16)
            elif re.match(r"[0-9a-f]+-", line):
                area = None
            elif line.startswith("VmFlags:") and area:
                try:
                    memory.seek(area[0])
                    content = memory.read(area[1] - area[0])
                except (OSError, OverflowError):
                    continue  # the kernel's own pages
                found += [line.split()[1:]] * content.count(secret)
    return found


def two_writers():
    """Fifty times two at once: each change is there afterwards, and no other was lost."""
    with place(TAKEN_OVER + b"\n") as path:
        statuses = []

        def write(*words):
            statuses.append(tool(*words, password=b"password\n"))

        for turn in range(50):
            threads = [threading.Thread(target=write, args=("add", "-f", path, f"{name}{turn}", "--home", "/", "--stdin",
                                                            "--method", "sha256")) for name in ("left", "right")]
            threads.append(threading.Thread(target=write, args=("set", "-f", path, "bob", "--uid", str(1000 + turn))))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            bad = [found for found in statuses if found[0] != DONE]
            check(not bad, f"turn {turn}: {bad}")
            check(field(path, "bob", 2) == str(1000 + turn).encode(), f"turn {turn}: the change of bob is lost")
        for turn in range(50):
            for name in ("left", "right"):
                check(field(path, f"{name}{turn}", 5) == b"/", f"{name}{turn} is lost")
        wanted = [line for line in TAKEN_OVER.split(b"\n") if not line.startswith(b"bob:")]
        check([line for line in read(path).split(b"\n") if not re.match(b"bob:|left|right|$", line)] ==
              [line for line in wanted if line], "other lines have changed")
        check(os.listdir(os.path.dirname(path)) == ["users"], "something is left beside the file")


def the_same_user_twice():
    """Two add the same name at the same time: one is refused."""
    with place() as path:
        for turn in range(10):
            statuses = []
            threads = [threading.Thread(target=lambda now=turn: statuses.append(
                tool("add", "-f", path, f"user{now}", "--home", "/", "--stdin", "--method", "sha256",
                     password=b"password\n")[0])) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            check(sorted(statuses) == [DONE, REFUSED], f"turn {turn}: {statuses}")
            check(read(path).count(f"user{turn}:".encode()) == 1, f"user{turn} is there twice")


def a_held_lock_is_waited_for():
    """Who finds the file locked waits, and goes on when it is free."""
    with place(TAKEN_OVER) as path:
        with open(path + ".lock", "wb") as lock:
            os.chmod(path + ".lock", 0o600)
            data = bytearray(32)
            data[0:2] = fcntl.F_WRLCK.to_bytes(2, "little")
            fcntl.fcntl(lock.fileno(), 37, bytes(data))  # F_OFD_SETLK
            child = subprocess.Popen([PROGRAM, "del", "-f", path, "bob"], stdout=subprocess.DEVNULL)
            time.sleep(0.3)
            check(child.poll() is None and read(path) == TAKEN_OVER, "the lock was not honoured")
        check(child.wait(20) == DONE and field(path, "bob", 0) is None, "it did not go on")


def killed_at_any_moment():
    """After kill -9 the file is the old one or the new one, whole, and the next writer succeeds."""
    filler = b"".join(b"filler%d:!:%d:%d::/srv/%d:/bin/false\n" % (n, n + 1, n + 1, n) for n in range(30000))
    old = b"bob:!:1:1::/old:\n" + filler
    new = b"bob:!:1:1::/new:\n" + filler
    seen = {"old": 0, "new": 0}
    with place(old) as path:
        began = time.monotonic()
        expect(DONE, "set", "-f", path, "bob", "--home", "/new")
        usual = time.monotonic() - began
        for turn in range(120):
            wanted, home = (old, "/old") if read(path) == new else (new, "/new")
            child = subprocess.Popen([PROGRAM, "set", "-f", path, "bob", "--home", home], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0, usual * 1.1))
            child.kill()
            child.wait()
            content = read(path)
            check(content in (old, new), f"turn {turn}: the file has {len(content)} bytes and is neither old nor new")
            check(stat.S_IMODE(os.stat(path).st_mode) == 0o600, f"turn {turn}: its mode has changed")
            seen["new" if content == wanted else "old"] += 1
        check(seen["old"], f"it was never killed before the end: {seen}")
        for name in os.listdir(os.path.dirname(path)):
            found = os.stat(os.path.join(os.path.dirname(path), name))
            check(stat.S_IMODE(found.st_mode) & 0o077 == 0, f"{name} is left and can be read by others")
        expect(DONE, "set", "-f", path, "bob", "--home", "/last")
        check(os.listdir(os.path.dirname(path)) == ["users"], "leftovers were not removed")
    print(f"  killed before the change {seen['old']} times, after it {seen['new']} times")


def a_full_disk_changes_nothing():
    """What cannot be written whole is not written at all."""
    with place(TAKEN_OVER) as path:
        def limit():
            import resource  # pylint: disable=import-outside-toplevel
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        done = subprocess.run([PROGRAM, "set", "-f", path, "bob", "--home", "/x"], check=False, capture_output=True,
                              preexec_fn=limit)
        check(done.returncode == REFUSED and b"as it was" in done.stderr, f"{done}")
        check(read(path) == TAKEN_OVER, "the file has changed")
        check(os.listdir(os.path.dirname(path)) == ["users"], "something is left beside the file")


if __name__ == "__main__":
    sys.exit(run([all_verbs, each_method, bad_names_homes_and_passwords, wrong_command_lines, a_file_of_another_server,
                  hashes_that_never_match, files_of_others, owner_and_list_are_kept, the_terminal_is_silent,
                  signals_restore_the_terminal, the_password_is_nowhere_to_be_found, two_writers, the_same_user_twice,
                  a_held_lock_is_waited_for, killed_at_any_moment, a_full_disk_changes_nothing]))
