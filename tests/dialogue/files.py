"""files: what a dialogue asks about the files in the daemon's tree after commands have changed them."""

import os
import stat
import time

from control import Failure
from lib_daemon import wait_for
from script import ScriptError, words
from tree import content


class Files:
    """The statements of a Player that look at the tree; it has `tree`."""

    tree = None

    def do_holds(self, rest):
        """holds NAME TEXT|SIZE: as the statement `file` would have made it"""
        name, what = words(rest)
        expected = content(len(name), int(what)) if what.isdigit() else what

        def found():
            try:
                return self.tree.read(name)
            except OSError:
                return None

        # what a cut connection leaves behind comes to pass a little later
        if not wait_for(lambda: found() == expected, 2):
            got = found()
            raise Failure(f"{name!r} holds {None if got is None else got[:100]!r}, expected {expected[:100]!r}")

    def do_gone(self, rest):
        """gone NAME...: nothing has that name"""
        for name in words(rest):
            path = self.tree.path(name)
            if not wait_for(lambda path=path: not os.path.lexists(path), 2):
                raise Failure(f"{name!r} is still there")

    def do_there(self, rest):
        """there NAME file|dir|symlink"""
        name, kind = words(rest)
        is_kind = {b"file": stat.S_ISREG, b"dir": stat.S_ISDIR, b"symlink": stat.S_ISLNK}.get(kind)
        if is_kind is None:
            raise ScriptError(f"there: {kind}?")
        try:
            mode = os.lstat(self.tree.path(name)).st_mode
        except OSError as error:
            raise Failure(f"{name!r}: {error}") from error
        if not is_kind(mode):
            raise Failure(f"{name!r} has mode {mode:o}")

    def do_hasmode(self, rest):
        """hasmode NAME OCTAL"""
        name, mode = words(rest)
        found = stat.S_IMODE(os.lstat(self.tree.path(name)).st_mode)
        if found != int(mode, 8):
            raise Failure(f"{name!r} has mode {found:o}, expected {mode.decode()}")

    def do_hasmtime(self, rest):
        """hasmtime NAME YYYYMMDDHHMMSS"""
        name, when = words(rest)
        found = time.strftime("%Y%m%d%H%M%S", time.gmtime(os.lstat(self.tree.path(name)).st_mtime))
        if found != when.decode():
            raise Failure(f"{name!r} was modified at {found}, expected {when.decode()}")

    def do_hastarget(self, rest):
        """hastarget NAME TEXT"""
        name, target = words(rest)
        found = os.readlink(self.tree.path(name))
        if found != target:
            raise Failure(f"{name!r} points to {found!r}")

    def do_entries(self, rest):
        """entries DIRECTORY WORD...: exactly these names, in any order"""
        folder, *names = words(rest)
        path = self.tree.path(folder)
        if not wait_for(lambda: sorted(os.listdir(path)) == sorted(names), 2):
            raise Failure(f"in {folder!r} are {sorted(os.listdir(path))}")
