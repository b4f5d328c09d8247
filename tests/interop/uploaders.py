"""uploaders: real FTP clients of other people, each driven to write: a tree, the rest of a file, and the small commands.

They are those of clients.py, logged in as a user, and two more. Local names are below `folder`, remote ones below the
user's root; both have the same relative paths, as bytes.
"""

import io
import os
import subprocess

from clients import TIMEOUT_S, Client, Curl, Ftplib, Lftp, Ncftp, Tnftp, Trouble, quoted


LINES = b"one\n\ntwo\r\nthree without an end"


class Uploader:
    """What all can do; a client that cannot says so by the flags."""

    puts_trees = True      # else put_files() gets names
    takes_all = True       # else a sample: it is too slow, or has a session for each file
    keeps_times = False    # modification times are carried over
    resumes = True
    appends = True
    changes_modes = True

    def put_tree(self, name, folder):
        """The local tree to the same name."""
        raise NotImplementedError

    def put_files(self, paths, folder):
        """These files, with the directories that they need."""
        raise NotImplementedError

    def put_rest(self, name, folder):
        """Complete what the server has of a file."""
        raise NotImplementedError

    def append(self, name, remote, folder):
        """Append a file to a remote one."""
        raise NotImplementedError

    def tidy(self, name, folder):
        """Make the directory "made", put the file there as "one", call it "two", make that 0600 if it can; remove the file
        "victim" and the directory "empty"."""
        raise NotImplementedError

    def put_unique(self, name, folder):
        """Upload to a name of the server's choice; gives what the client takes that name to be. None: it cannot."""
        return None


def folders_of(paths):
    """The directories of these paths, parents first."""
    found = []
    for path in paths:
        parts = path.split(b"/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = b"/".join(parts[:depth])
            if folder not in found:
                found.append(folder)
    return found


class CurlUp(Uploader, Curl):
    """curl -T: over six connections, which make the directories that they need."""

    puts_trees = False

    def put_files(self, paths, folder):
        lines = []
        for path in paths:
            local = os.path.join(os.fsencode(folder), path).decode("utf-8", "surrogateescape")
            text = local.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'upload-file = "{text}"\nurl = "{self.url(path)}"\n')
        self.run(self.words() + ["--ftp-create-dirs", "-Z", "--parallel-max", "6", "--no-progress-meter", "-g", "-K", "-"],
                 "".join(lines).encode("utf-8", "surrogateescape"), folder)

    def put_rest(self, name, folder):
        self.run(self.words() + ["-C", "-", "-T", name.decode(), self.url(name)], folder=folder)

    def append(self, name, remote, folder):
        self.run(self.words() + ["-a", "-T", name.decode(), self.url(remote)], folder=folder)

    def tidy(self, name, folder):
        self.run(self.words() + ["--ftp-create-dirs", "-T", name.decode(), self.url(b"made/one"),
                                 "-Q", "-RNFR /made/one", "-Q", "-RNTO /made/two", "-Q", "-SITE CHMOD 600 /made/two",
                                 "-Q", "-DELE /victim", "-Q", "-RMD /empty"], folder=folder)


class LftpUp(Uploader, Lftp):
    """lftp: mirror -R over four connections, put, put -c, and its file commands."""

    keeps_times = True
    appends = False

    def put_tree(self, name, folder):
        self.run(self.script(f"mirror -R --parallel=4 --no-umask {name.decode()} {name.decode()}"), folder=folder)

    def put_rest(self, name, folder):
        self.run(self.script(f"reput {name.decode()}"), folder=folder)

    def tidy(self, name, folder):
        self.run(self.script(f"mkdir made; put {name.decode()} -o made/one; mv made/one made/two; "
                             "chmod 600 made/two; rm victim; rmdir empty"), folder=folder)


class TnftpUp(Uploader, Tnftp):
    """tnftp: its commands, one for each file."""

    puts_trees = False
    takes_all = False

    def put_files(self, paths, folder):
        commands = [b"mkdir " + quoted(path) + b"\n" for path in folders_of(paths)]
        commands += [b"put " + quoted(b"./" + path) + b" " + quoted(path) + b"\n" for path in paths]
        self.run(self.words(), self.script(b"".join(commands)), folder)

    def put_rest(self, name, folder):
        # Its "reput" does not exist; "restart" wants the number.
        size = self.run(self.words(), self.script(b"size " + quoted(name) + b"\n"), folder).split()[-1]
        self.run(self.words(), self.script(b"restart " + size + b"\nput " + quoted(name) + b"\n"), folder)

    def append(self, name, remote, folder):
        self.run(self.words(), self.script(b"append " + quoted(name) + b" " + quoted(remote) + b"\n"), folder)

    def tidy(self, name, folder):
        self.run(self.words(), self.script(
            b"mkdir made\nput " + quoted(name) + b" made/one\nrename made/one made/two\nchmod 600 made/two\n"
            b"delete victim\nrmdir empty\n"), folder)


class NcftpUp(Uploader, Ncftp):
    """ncftpput: -R, and -z, which asks for the size; commands by its own options."""

    program = "ncftpput"

    def put_tree(self, name, folder):
        self.run(self.words() + ["-R", self.host, "/", name.decode()], folder=folder)

    def put_rest(self, name, folder):
        # -s: its sendfile() sends the file from its beginning, whatever it has said by REST.
        self.run(self.words() + ["-s", "-z", self.host, "/", name.decode()], folder=folder)

    def append(self, name, remote, folder):
        # It appends to the remote file of the same name.
        os.rename(os.path.join(os.fsencode(folder), name), os.path.join(os.fsencode(folder), remote))
        self.run(self.words() + ["-A", self.host, "/", remote.decode()], folder=folder)
        os.rename(os.path.join(os.fsencode(folder), remote), os.path.join(os.fsencode(folder), name))

    def tidy(self, name, folder):
        commands = ["RNFR /made/one", "RNTO /made/two", "SITE CHMOD 600 /made/two", "DELE /victim", "RMD /empty"]
        self.run(self.words() + [word for line in commands for word in ("-Y", line)]
                 + ["-m", "-C", self.host, name.decode(), "/made/one"], folder=folder)

    def fetch_tree(self, path, folder):
        self.program = "ncftpget"
        try:
            super().fetch_tree(path, folder)
        finally:
            self.program = "ncftpput"


class FtplibUp(Uploader, Ftplib):
    """Python's ftplib."""

    puts_trees = False

    def put_files(self, paths, folder):
        session = self.connect()
        for path in folders_of(paths):
            session.mkd(path.decode())
        for path in paths:
            with open(os.path.join(os.fsencode(folder), path), "rb") as stream:
                session.storbinary("STOR " + path.decode(), stream)
        session.quit()

    def put_rest(self, name, folder):
        session = self.connect()
        session.voidcmd("TYPE I")
        size = session.size(name.decode())
        with open(os.path.join(os.fsencode(folder), name), "rb") as stream:
            stream.seek(size)
            session.storbinary("STOR " + name.decode(), stream, rest=size)
        session.quit()

    def append(self, name, remote, folder):
        session = self.connect()
        with open(os.path.join(os.fsencode(folder), name), "rb") as stream:
            session.storbinary("APPE " + remote.decode(), stream)
        session.quit()

    def tidy(self, name, folder):
        session = self.connect()
        session.mkd("made")
        with open(os.path.join(os.fsencode(folder), name), "rb") as stream:
            session.storbinary("STOR made/one", stream)
        session.rename("made/one", "made/two")
        session.sendcmd("SITE CHMOD 600 made/two")
        session.delete("victim")
        session.rmd("empty")
        session.storlines("STOR made/lines", io.BytesIO(LINES))
        session.quit()


PERL = r"""
use strict; use warnings; use Net::FTP; use File::Basename;
my ($host, $port, $user, $password, $action, @words) = @ARGV;
my $ftp = Net::FTP->new($host, Port => $port, Timeout => 30, Passive => 1) or die "connect: $@";
sub need { my ($ok, $what) = @_; die "$what: " . $ftp->message unless $ok; }
need($ftp->login($user, $password), "login");
need($ftp->binary, "binary");
if ($action eq "tree") {
    my (@lines) = <STDIN>; chomp @lines;
    my %made;
    for my $path (@lines) {
        my $folder = dirname($path);
        need($ftp->mkdir($folder, 1), "mkdir $folder") unless $made{$folder}++;
        need($ftp->put("./$path", $path), "put $path");
    }
} elsif ($action eq "fetch") {
    my (@lines) = <STDIN>; chomp @lines;
    for my $path (@lines) { need($ftp->get($path, "./$path"), "get $path"); }
} elsif ($action eq "rest") {
    my $size = $ftp->size($words[0]); need($size, "size");
    open(my $file, "<", $words[0]) or die; binmode $file; seek($file, $size, 0);
    $ftp->restart($size);
    need($ftp->put($file, $words[0]), "put");
} elsif ($action eq "append") {
    need($ftp->append($words[0], $words[1]), "append");
} elsif ($action eq "unique") {
    my $name = $ftp->put_unique($words[0], "wish"); need($name, "put_unique");
    print "unique=$name\n";
} elsif ($action eq "tidy") {
    need($ftp->mkdir("made"), "mkdir");
    need($ftp->put($words[0], "made/one"), "put");
    need($ftp->rename("made/one", "made/two"), "rename");
    need($ftp->site("CHMOD 600 made/two") == 2, "chmod");
    need($ftp->delete("victim"), "delete");
    need($ftp->rmdir("empty"), "rmdir");
    need($ftp->mkdir("deep/er/est", 1), "mkdir recursive");
    need($ftp->put($words[0], "deep/er/est/file with space"), "put deep");
    need($ftp->rmdir("deep", 1), "rmdir recursive");
}
need($ftp->quit, "quit");
"""


class PerlUp(Uploader, Client):
    """Perl's Net::FTP, by a small program of ours."""

    program = "perl"
    fetches_trees = False
    puts_trees = False

    def perl(self, action, *words, text=None, folder=None):
        """Run the program."""
        return self.run(["perl", "-e", PERL, self.host, str(self.port), *self.account, action, *words], text, folder)

    def put_files(self, paths, folder):
        self.perl("tree", text=b"\n".join(paths) + b"\n", folder=folder)

    def fetch_files(self, paths, folder):
        self.perl("fetch", text=b"\n".join(paths) + b"\n", folder=folder)

    def put_rest(self, name, folder):
        self.perl("rest", name.decode(), folder=folder)

    def append(self, name, remote, folder):
        self.perl("append", name.decode(), remote.decode(), folder=folder)

    def tidy(self, name, folder):
        self.perl("tidy", name.decode(), folder=folder)

    def put_unique(self, name, folder):
        said = self.perl("unique", name.decode(), folder=folder)
        return said.split(b"unique=")[1].split(b"\n")[0].decode()


class RcloneUp(Uploader, Client):
    """rclone: sync by size and time both ways; it sets the times by MFMT."""

    program = "rclone"
    keeps_times = True
    resumes = False
    appends = False
    changes_modes = False

    def rclone(self, *words, folder):
        """Run it; gives what it said."""
        hidden = subprocess.run(["rclone", "obscure", self.account[1]], check=True, timeout=TIMEOUT_S,
                                stdout=subprocess.PIPE, text=True).stdout.strip()
        return self.run(["rclone", "--config", "/dev/null", "--ftp-host", self.host, "--ftp-port", str(self.port),
                         "--ftp-user", self.account[0], "--ftp-pass", hidden, "--retries", "1",
                         "--low-level-retries", "2", "--transfers", "4", "--checkers", "4", *words], folder=folder)

    def put_tree(self, name, folder):
        self.rclone("sync", os.path.join(folder, name.decode()), f":ftp:{name.decode()}", folder=folder)
        # Equal sizes and times: the second time there is nothing to do.
        said = self.rclone("sync", "-v", os.path.join(folder, name.decode()), f":ftp:{name.decode()}", folder=folder)
        if b"There was nothing to transfer" not in said:
            raise Trouble(f"rclone syncs the same tree again: {said[-2000:]!r}")

    def fetch_tree(self, path, folder):
        self.rclone("sync", f":ftp:{path.decode()}", os.path.join(folder, path.decode()), folder=folder)
        said = self.rclone("check", "--size-only", f":ftp:{path.decode()}", os.path.join(folder, path.decode()), folder=folder)
        if b"0 differences found" not in said:
            raise Trouble(f"rclone finds differences: {said[-2000:]!r}")

    def tidy(self, name, folder):
        self.rclone("mkdir", ":ftp:made", folder=folder)
        self.rclone("copyto", os.path.join(folder, name.decode()), ":ftp:made/one", folder=folder)
        self.rclone("moveto", ":ftp:made/one", ":ftp:made/two", folder=folder)
        self.rclone("deletefile", ":ftp:victim", folder=folder)
        self.rclone("rmdir", ":ftp:empty", folder=folder)


UPLOADERS = {"curl": CurlUp, "lftp": LftpUp, "tnftp": TnftpUp, "ncftp": NcftpUp, "ftplib": FtplibUp, "perl": PerlUp,
             "rclone": RcloneUp}
