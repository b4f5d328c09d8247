"""lib_accounts: real users of this machine and real PAM services, made for one test and removed after it.

As root only. Names begin with "dft" and hold the test's process number, so that tests may run at the same time and
nothing of the machine is touched.
"""

import atexit
import crypt
import grp
import os
import pwd
import random
import re
import shutil
import subprocess
import tempfile
import time

from lib_daemon import Daemon
from lib_system import Client, check, need_program, need_root, settle, skip

FIRST_UID = 100000
PAM_PLACE = "/etc/pam.d"
PAGE = 4096
UNIX = """auth required pam_unix.so
account required pam_unix.so
session required pam_permit.so
"""


def need_accounts():
    """Skip the test where no users can be made."""
    need_root()
    for program in ("useradd", "userdel", "groupadd", "groupdel"):
        need_program(program)
    if not os.path.isdir(PAM_PLACE):
        skip(f"there is no {PAM_PLACE}")


def run_quietly(*words):
    """A program that must succeed. Another test may hold the lock of the users' files for a moment."""
    for _ in range(50):
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        if done.returncode == 0 or "cannot lock" not in done.stderr:
            break
        time.sleep(0.1)
    check(done.returncode == 0, f"{words}: {done.stderr}")


def remove_leftovers():
    """What tests that were killed have left: users, groups and services that name a process which is no more."""
    def is_left(name):
        match = re.match(r"dft(\d+)", name)
        return match and not os.path.exists(f"/proc/{match.group(1)}")

    for user in filter(is_left, [entry.pw_name for entry in pwd.getpwall()]):
        subprocess.run(["userdel", "-f", user], check=False, capture_output=True)
    for group in filter(is_left, [entry.gr_name for entry in grp.getgrall()]):
        subprocess.run(["groupdel", group], check=False, capture_output=True)
    for service in filter(is_left, os.listdir(PAM_PLACE)):
        os.unlink(os.path.join(PAM_PLACE, service))


def free_low_uid():
    """A uid below 1000 that nobody has."""
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    return random.choice([uid for uid in range(800, 1000) if uid not in taken])


class User:
    """One user: name, password, uid, home."""

    def __init__(self, name, password, uid, home):
        self.name = name
        self.password = password
        self.uid = uid
        self.home = home


class Accounts:
    """The users, groups and services of one test."""

    def __init__(self):
        self.prefix = f"dft{os.getpid()}"
        remove_leftovers()
        self.place = tempfile.mkdtemp(prefix="deftpd-test-users-")
        os.chmod(self.place, 0o755)
        self.users = {}
        self.groups = []
        self.services = []
        # Tests that run at the same time have other numbers.
        self.next_uid = FIRST_UID + os.getpid() % 10000 * 100
        self.next_gid = self.next_uid
        atexit.register(self.remove)

    def user(self, kind, *words, password=None, hashed=None, has_home=True, uid=None, shell="/bin/sh", groups=()):
        """Make a user. words: further options of useradd."""
        if uid is None:
            self.next_uid += 1
            uid = self.next_uid
        name = self.prefix + kind
        # Random, so that it is found nowhere by chance.
        password = password or kind + "-" + os.urandom(9).hex()
        home = os.path.join(self.place, kind)
        if hashed is None:
            hashed = crypt.crypt(password, "$6$rounds=1000$" + os.urandom(4).hex())
        more = ["-G", ",".join(groups)] if groups else []
        run_quietly("useradd", "--no-log-init", "-M", "-N", "-g", "nogroup", "-u", str(uid), "-d", home, "-s", shell, "-p", hashed,
                    *more, *words, name)
        self.users[kind] = User(name, password, uid, home)
        if has_home:
            os.mkdir(home, 0o700)
            os.chown(home, uid, 65534)
        return self.users[kind]

    def group(self, kind):
        """Make a group; returns its name."""
        self.next_gid += 1
        run_quietly("groupadd", "-g", str(self.next_gid), self.prefix + kind)
        self.groups.append(self.prefix + kind)
        return self.prefix + kind

    def service(self, kind, text):
        """Make a PAM service; returns its name."""
        name = f"{self.prefix}-{kind}"
        with open(os.path.join(PAM_PLACE, name), "w", encoding="utf-8") as stream:
            stream.write(text)
        self.services.append(name)
        return name

    def script(self, kind, text):
        """A program for pam_exec; returns its path."""
        path = os.path.join(self.place, kind + ".sh")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def file(self, kind, text, mode=0o600):
        """A file for a module; returns its path."""
        path = os.path.join(self.place, kind)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(path, mode)
        return path

    def remove(self):
        """Take everything back."""
        for user in self.users.values():
            subprocess.run(["userdel", "-f", user.name], check=False, capture_output=True)
        for group in self.groups:
            subprocess.run(["groupdel", group], check=False, capture_output=True)
        for service in self.services:
            os.unlink(os.path.join(PAM_PLACE, service))
        shutil.rmtree(self.place, ignore_errors=True)
        self.users, self.groups, self.services = {}, [], []


def local_daemon(accounts, service=None, options=(), **how):
    """A daemon for local users, by pam_unix unless a service is named; guessing costs nothing."""
    service = service or accounts.service(f"unix{len(accounts.services)}", UNIX)
    return Daemon(options=["local_users.enabled=yes", f"local_users.pam_service={service}", "logins.max_delay=0",
                           "max_sessions_per_address=0", *options], **how)


class Login(Client):
    """One try to log in; what came of it is in code, text and seconds."""

    def __init__(self, daemon, name, password, **how):
        super().__init__(daemon, **how)
        greeting, text = self.reply()
        check(greeting == 220, f"220 expected, got {text!r}")
        self.user_text = self.ask("USER " + name, 331)
        began = time.monotonic()
        self.send("PASS " + password)
        self.code, self.text = self.reply()
        self.seconds = time.monotonic() - began

    def is_in(self):
        """Whether the user is logged in."""
        return self.code == 230

    def answer(self, text):
        """Answer a second question."""
        self.send("ACCT " + text)
        self.code, self.text = self.reply()
        return self.code

    def quit(self):
        """Leave, as a person does."""
        self.ask("QUIT", 221)
        self.close()


def try_login(daemon, user, password=None, **how):
    """Log in and leave; returns the Login."""
    login = Login(daemon, user.name, user.password if password is None else password, **how)
    login.close()
    return login


def must_enter(daemon, user, password=None, **how):
    """A login that succeeds and stays."""
    login = Login(daemon, user.name, user.password if password is None else password, **how)
    check(login.is_in(), f"{user.name} cannot log in: {login.text!r}\n{daemon.log_text()}")
    return login


def agent_of(daemon, user):
    """The agent that is this user."""
    return settle(lambda: next((p for p in daemon.programs("deftpd-agent")
                                if p.status().get("Uid", "").split()[:1] == [str(user.uid)]), None),
                  text=f"{user.name} has no agent")


def memory_holds(pid, secrets):
    """Which of the bytes lie in a process's memory."""
    found = set()
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r.*?(\[v[a-z]+\])?$", line)
            if not match or match.group(3):
                continue
            content = read_memory(memory, int(match.group(1), 16), int(match.group(2), 16))
            found |= {secret for secret in secrets if secret in content}
    return found


def read_memory(memory, first, last):
    """What is in a mapping; pages that are not there, as behind the end of a file, are left out."""
    parts = []
    at, step = first, last - first
    while at < last:
        memory.seek(at)
        try:
            part = memory.read(min(step, last - at))
        except OSError:
            if step > PAGE:
                step = PAGE
                continue
            part = b""
        parts.append(part)
        at += len(part) or PAGE
    return b"".join(parts)
