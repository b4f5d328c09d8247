"""tree: the files that a dialogue prepares below the anonymous root."""

import calendar
import os
import time


def content(seed, size):
    """Reproducible bytes, with every byte value and all kinds of line ends."""
    block = bytearray()
    state = seed * 2654435761 % (1 << 32) or 1
    while len(block) < min(size, 1 << 16):
        state = (state * 1664525 + 1013904223) % (1 << 32)
        block += state.to_bytes(4, "little")
        if state % 7 == 0:
            block += b"\r\n"
        if state % 11 == 0:
            block += b"\n"
    block = bytes(block[:1 << 16])
    return (block * (size // len(block) + 1))[:size] if size else b""


class Tree:
    """Makes files below a directory; remembers what is in them."""

    def __init__(self, root):
        self.root = os.fsencode(root)

    def path(self, name):
        """The path of a name in the host's file system."""
        return os.path.join(self.root, name)

    def read(self, name):
        """What is in a file."""
        with open(self.path(name), "rb") as stream:
            return stream.read()

    def make_file(self, name, what):
        """A file with the text, or, if it is a number, with so many reproducible bytes."""
        with open(self.path(name), "wb") as stream:
            stream.write(content(len(name), int(what)) if what.isdigit() else what)

    def make_sparse(self, name, size):
        """A file of zeros that takes no space."""
        with open(self.path(name), "wb") as stream:
            stream.truncate(int(size))

    def make_many(self, pattern, count):
        """Empty files; %d in the name becomes the number."""
        for number in range(int(count)):
            self.make_file(pattern.replace(b"%d", b"%d" % number), b"")

    def make_directory(self, name):
        """A directory and those above it."""
        os.makedirs(self.path(name), exist_ok=True)

    def make_symlink(self, name, target):
        """A symbolic link."""
        os.symlink(target, self.path(name))

    def make_fifo(self, name):
        """A named pipe."""
        os.mkfifo(self.path(name))

    def set_mode(self, name, mode):
        """Permission bits, octal."""
        os.chmod(self.path(name), int(mode, 8))

    def set_mtime(self, name, when):
        """Time of change, YYYYMMDDHHMMSS in UTC."""
        seconds = calendar.timegm(time.strptime(when.decode(), "%Y%m%d%H%M%S"))
        os.utime(self.path(name), (seconds, seconds))
