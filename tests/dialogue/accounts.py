"""accounts: the users of a file of our own that a dialogue wants, and what the daemon has to be told of them."""

import ctypes
import os
import pwd
import random
import string

# Few rounds: the tests are about what happens around the hash.
SALT_PREFIX = "$6$rounds=1000$"
LETTERS = string.ascii_letters + string.digits


def crypt(password):
    """A hash of the password, by crypt(3)."""
    salt = SALT_PREFIX + "".join(random.choice(LETTERS) for _ in range(8))
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), salt.encode()).decode()


def owner():
    """Whose files the users' are: nobody's business, but not root's."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


class Accounts:
    """Users with passwords; all of them see the daemon's tree as /."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.passwords = {}
        self.lines = []

    def add(self, name, password, *settings):
        """user NAME PASSWORD [KEY=VALUE...]: settings are those of the section of that name."""
        name, password = name.decode(), password.decode()
        uid, gid = owner()
        self.passwords[name] = password
        self.lines.append(f"{name}:{crypt(password)}:{uid}:{gid}::{self.daemon.root}:/bin/false")
        if settings:
            body = " ".join(setting.decode().replace("=", " = ", 1) for setting in settings)
            self.daemon.configuration += f'user "{name}" {{ {body} }}\n'

    def settle(self):
        """Before the daemon starts: write the file, and give the tree to the users."""
        if not self.lines:
            return
        path = os.path.join(self.daemon.place, "users")
        with open(path, "w", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
            stream.write("\n".join(self.lines) + "\n")
        self.daemon.options += [f"virtual_users.file={path}", "virtual_users.user="]
        if not any(option.startswith("logins.max_delay=") for option in self.daemon.options):
            self.daemon.options.append("logins.max_delay=0")
        if os.geteuid() == 0:
            self.give(self.daemon.root)

    @staticmethod
    def give(root):
        """Let the users own the tree."""
        os.chown(root, *owner())
        for folder, names, files in os.walk(os.fsencode(root)):
            for name in names + files:
                os.chown(os.path.join(folder, name), *owner(), follow_symlinks=False)
