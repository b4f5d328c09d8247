"""clients: real FTP clients of other people, each driven to fetch a file, a tree, and the second half of a file.

Every client fetches the file `big` to its standard output, so that 3 GiB are compared without being stored. A client that
can fetch trees by itself gets the whole tree; the others are given a list of names.
"""

import ftplib
import os
import shutil
import subprocess
import sys
import urllib.parse

TIMEOUT_S = 120
FAMILY_HOSTS = {4: "127.0.0.1", 6: "::1"}


class Unable(Exception):
    """The client is missing, or cannot do this at all."""


class Trouble(Exception):
    """The client failed."""


class Client:
    """What all have in common. Paths are bytes, relative to the root of the session."""

    program = None
    fetches_trees = True   # else fetch_files() gets a sample
    families = (4, 6)

    def __init__(self, family, port, is_active=False, account=None):
        """account: (user, password), or None to be anonymous."""
        self.family = family
        self.host = FAMILY_HOSTS[family]
        self.port = port
        self.is_active = is_active
        self.account = account
        if self.program and not shutil.which(self.program):
            raise Unable(f"{self.program} is not installed")
        if family not in self.families:
            raise Unable(f"{self.program} does not speak IPv{family}")

    def url(self, path=b"", is_directory=False):
        """The URL of a path; every byte that could mean something else is escaped."""
        host = f"[{self.host}]" if self.family == 6 else self.host
        who = ":".join(urllib.parse.quote(word) for word in self.account) + "@" if self.account else ""
        return f"ftp://{who}{host}:{self.port}/" + urllib.parse.quote(path) + ("/" if is_directory else "")

    def run(self, words, text=None, folder=None, statuses=(0,)):
        """Run the client to its end; gives what it said."""
        environment = dict(os.environ, LC_ALL="C.UTF-8", HOME=folder or "/tmp", TERM="dumb")
        done = subprocess.run(
            words, input=text, cwd=folder, env=environment, timeout=TIMEOUT_S, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode not in statuses:
            raise Trouble(f"{self.program} ended with status {done.returncode}: {done.stdout[-2000:]!r}")
        return done.stdout

    def stream(self, words, text=None, folder=None):
        """Start the client with its standard output as a pipe; gives the process."""
        environment = dict(os.environ, LC_ALL="C.UTF-8", HOME=folder or "/tmp", TERM="dumb")
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr,
                                   cwd=folder, env=environment)
        if text:
            process.stdin.write(text)
        process.stdin.close()
        return process

    def fetch_tree(self, path, folder):
        """The tree into the folder."""
        raise NotImplementedError

    def fetch_files(self, paths, folder):
        """These files into the folder, at the same relative paths; their directories are there."""
        raise NotImplementedError

    def open_stream(self, path, folder):
        """A process that writes the file to its standard output."""
        raise NotImplementedError

    def resume(self, path, folder):
        """Complete the half file of the same name in the folder."""
        raise NotImplementedError


class Curl(Client):
    """curl: a list of URLs over six connections; CWD for each directory, or none at all."""

    program = "curl"
    fetches_trees = False

    def words(self):
        """The options that are always given."""
        method = "nocwd" if self.family == 6 else "multicwd"
        return ["curl", "-sS", "--fail", "-q", "--ftp-method", method] + (
            ["--ftp-port", "-"] if self.is_active else [])

    def fetch_files(self, paths, folder):
        lines = []
        for path in paths:
            local = os.path.join(os.fsencode(folder), path).decode("utf-8", "surrogateescape")
            quoted = local.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'url = "{self.url(path)}"\noutput = "{quoted}"\n')
        # Over six connections: with one, curl 7.88 sleeps for a second whenever the reply to EPSV has come before
        # it first looks (over the loopback interface it often has); events of the others wake it.
        parallel = ["-Z", "--parallel-max", "6", "--no-progress-meter"]
        self.run(self.words() + parallel + ["-g", "-K", "-"], "".join(lines).encode("utf-8", "surrogateescape"), folder)

    def open_stream(self, path, folder):
        return self.stream(self.words() + [self.url(path)], folder=folder)

    def resume(self, path, folder):
        self.run(self.words() + ["-C", "-", "-o", path.decode(), self.url(path)], folder=folder)


class Wget(Client):
    """wget: reads the output of LIST."""

    program = "wget"

    def words(self):
        """The options that are always given."""
        return ["wget", "-nv", "--no-config", "--tries=1", "--restrict-file-names=nocontrol", "--local-encoding=UTF-8"] + (
            ["--no-passive-ftp"] if self.is_active else [])

    def fetch_tree(self, path, folder):
        self.run(self.words() + ["-r", "-l", "inf", "-nH", "--preserve-permissions",
                                 self.url(path, is_directory=True)], folder=folder)

    def open_stream(self, path, folder):
        return self.stream(self.words() + ["-q", "-O", "-", self.url(path)], folder=folder)

    def resume(self, path, folder):
        self.run(self.words() + ["-c", self.url(path)], folder=folder)


class Lftp(Client):
    """lftp: mirror with several connections, get, and both kinds of data connections."""

    program = "lftp"

    def script(self, commands):
        """The words that run these commands."""
        active = "off" if self.is_active else "on"
        return ["lftp", "--norc", "-c",
                f"set ftp:passive-mode {active}; set net:max-retries 2; set net:timeout 10; set cmd:fail-exit yes; "
                f"set ftp:sync-mode {'on' if self.family == 4 else 'off'}; "
                f"open {self.url()}; {commands}"]

    def fetch_tree(self, path, folder):
        self.run(self.script(f"mirror --parallel=4 --no-umask {path.decode()} {path.decode()}"), folder=folder)

    def open_stream(self, path, folder):
        return self.stream(self.script(f"cat {path.decode()}"), folder=folder)

    def resume(self, path, folder):
        self.run(self.script(f"get -c {path.decode()}"), folder=folder)


def quoted(path):
    """A word in the language of the BSD clients."""
    return b'"' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


class Tnftp(Client):
    """tnftp, NetBSD's client: commands from standard input."""

    program = "tnftp"
    fetches_trees = False

    def words(self):
        """The options that are always given."""
        return ["tnftp", "-n", "-V", f"-{self.family}"] + (["-A"] if self.is_active else []) + [
            self.host, str(self.port)]

    def script(self, commands):
        """Login, the commands, the end."""
        user, password = self.account or ("anonymous", "guest@example.net")
        return f'user {user} "{password}"\nprompt off\nbinary\n'.encode() + commands + b"bye\n"

    def fetch_files(self, paths, folder):
        commands = b"".join(b"get " + quoted(path) + b" " + quoted(b"./" + path) + b"\n" for path in paths)
        self.run(self.words(), self.script(commands), folder)

    def open_stream(self, path, folder):
        return self.stream(["tnftp", "-V", f"-{self.family}", "-o", "-"] + (["-A"] if self.is_active else [])
                           + [self.url(path)], folder=folder)

    def resume(self, path, folder):
        self.run(self.words(), self.script(b"reget " + quoted(path) + b"\n"), folder)


class Inetutils(Client):
    """The client of GNU inetutils: commands from standard input."""

    program = "inetutils-ftp"
    fetches_trees = False

    def words(self):
        """The options that are always given."""
        return ["inetutils-ftp", "-n", "-i", f"-{self.family}", "-A" if self.is_active else "-p",
                self.host, str(self.port)]

    @staticmethod
    def script(commands):
        """Login, the commands, the end."""
        return b"user anonymous guest@example.net\nbinary\n" + commands + b"bye\n"

    def fetch_files(self, paths, folder):
        commands = b"".join(b"get " + quoted(path) + b" " + quoted(b"./" + path) + b"\n" for path in paths)
        self.run(self.words(), self.script(commands), folder)

    def open_stream(self, path, folder):
        fifo = os.path.join(folder, "stream")
        os.mkfifo(fifo)
        words = ["sh", "-c", 'cat stream & "$@" >&2; wait', "sh"] + self.words()
        return self.stream(words, self.script(b"get " + quoted(path) + b' "|cat >stream"\n'), folder)

    def resume(self, path, folder):
        self.run(self.words(), self.script(b"reget " + quoted(path) + b"\n"), folder)


class Ncftp(Client):
    """ncftpget, which resumes unless told otherwise; it knows no IPv6."""

    program = "ncftpget"
    families = (4,)

    def words(self):
        """The options that are always given."""
        who = ["-u", self.account[0], "-p", self.account[1]] if self.account else []
        return [self.program, "-V", "-P", str(self.port), "-t", "20", "-r", "1", "-E" if self.is_active else "-F"] + who

    def fetch_tree(self, path, folder):
        self.run(self.words() + ["-R", "-T", self.host, ".", path.decode()], folder=folder)

    def open_stream(self, path, folder):
        return self.stream(self.words() + ["-c", self.host, path.decode()], folder=folder)

    def resume(self, path, folder):
        self.run(self.words() + ["-z", self.host, ".", path.decode()], folder=folder)


class Ftplib(Client):
    """Python's ftplib, in a process of its own for the stream."""

    def connect(self):
        """A session."""
        session = ftplib.FTP(timeout=20, encoding="utf-8")
        session.connect(self.host, self.port)
        session.login(*(self.account or ()))
        session.set_pasv(not self.is_active)
        return session

    def fetch_tree(self, path, folder):
        session = self.connect()
        session.encoding = "utf-8"
        folders = [path.decode()]
        while folders:
            here = folders.pop()
            os.makedirs(os.path.join(folder, here), exist_ok=True)
            for name, facts in list(session.mlsd(here)):
                where = f"{here}/{name}"
                if facts["type"] == "dir":
                    folders.append(where)
                elif facts["type"] == "file":
                    with open(os.path.join(folder, where), "wb") as stream:
                        session.retrbinary("RETR " + where, stream.write)
        session.quit()

    def open_stream(self, path, folder):
        program = (
            "import ftplib, sys\n"
            "s = ftplib.FTP(timeout=20)\n"
            f"s.connect({self.host!r}, {self.port})\n"
            "s.login()\n"
            f"s.set_pasv({not self.is_active})\n"
            f"s.retrbinary('RETR ' + {path.decode()!r}, sys.stdout.buffer.write, 1 << 20)\n"
            "s.quit()\n")
        return self.stream([sys.executable, "-c", program], folder=folder)

    def resume(self, path, folder):
        local = os.path.join(folder, path.decode())
        session = self.connect()
        with open(local, "ab") as stream:
            session.retrbinary("RETR " + path.decode(), stream.write, rest=stream.tell())
        session.quit()


CLIENTS = {"curl": Curl, "wget": Wget, "lftp": Lftp, "tnftp": Tnftp, "inetutils": Inetutils,
           "ncftp": Ncftp, "ftplib": Ftplib}
