#!/usr/bin/env python3
"""Let one real client write to deftpd as a user: a tree of hard names, the rest of a cut upload, and the small commands;
compare what is on the disk, and what the same client fetches back.

    upload.py [--bin DIRECTORY] CLIENT direct|atomic
    upload.py [--bin DIRECTORY] dropbox | serve
"""

import argparse
import ftplib
import os
import re
import shutil
import stat
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))

from clients import Trouble, Unable  # noqa: E402
from lib_daemon import Daemon, skip, wait_for  # noqa: E402
from lib_system import TestFailure, need_root, reset, settle  # noqa: E402
from lib_users import PASSWORD, UserClient, UserDaemon  # noqa: E402
from run import HARD_NAMES, SAMPLE, TREE_FILES, checksum, compare, make_file, step  # noqa: E402
from uploaders import UPLOADERS  # noqa: E402

HALF_BYTES = 6000001
HALF_SENT = 3000000
TROUBLES = (Trouble, TestFailure, ftplib.Error, OSError, EOFError, subprocess.TimeoutExpired)
# Beyond those that are fetched: what a server could stumble over when it makes names.
MORE_NAMES = [
    "back\\slash", "brack[1]et", "[0-9]", "star*", "question?", "pipe|", "less<more>", "...", "..x", ".-", "tab\there",
    "y" * 255, "漢" * 85, ".half.deftpd-part.txt", " leading", "new", "SITE CHMOD 777 x",
]
NAMES = HARD_NAMES + MORE_NAMES
# What a client itself cannot say, or keep apart, and why.
LEFT_OUT = {
    "curl": ("\t",),          # it takes no control characters in URLs
    "tnftp": ('"', "\\"),     # its command language ends a word there
    "rclone": ("\t",),        # it gives such characters other ones on the server, and back
}
# What a client sends, but does not fetch with a tree.
NOT_FETCHED = {"ncftp": ("/...",)}
OLD_TIME = 1234567890  # 2009; each file's is a day later than the one before


def make_local(folder):
    """The tree to upload; gives the relative paths of its files."""
    paths = []
    for number in range(TREE_FILES):
        below = f"tree/d{number % 40}" + ("/deep er/ü" if number % 8 == 0 else "")
        os.makedirs(os.path.join(folder, below), exist_ok=True)
        paths.append(f"{below}/file{number}")
        make_file(os.path.join(folder, paths[-1]), 0 if number % 50 == 0 else number * number % 9000, number)
    for below in ("tree/hard", "tree/-dir with [space]"):
        os.makedirs(os.path.join(folder, below))
        for number, name in enumerate(NAMES):
            paths.append(f"{below}/{name}")
            make_file(os.path.join(folder, paths[-1]), 1000 + number, name)
    for number, path in enumerate(paths):
        os.utime(os.path.join(folder, path), (OLD_TIME, OLD_TIME + number * 86400 % 300000000))
    make_file(os.path.join(folder, "half"), HALF_BYTES, "half")
    make_file(os.path.join(folder, "note"), 777, "note")
    return [path.encode() for path in paths]


def wanted_of(name, client, paths):
    """The paths that this client is given."""
    kept = [path for path in paths if not any(part in path.decode() for part in LEFT_OUT.get(name, ()))]
    return kept if client.takes_all else kept[:TREE_FILES:SAMPLE] + [p for p in kept if b"/hard/" in p or b"[space]" in p]


def compare_times(folder, other, paths):
    """The modification times have to be the same, to the second."""
    wrong = []
    for path in paths:
        times = [int(os.stat(os.path.join(os.fsencode(place), path)).st_mtime) for place in (folder, other)]
        if times[0] != times[1]:
            wrong.append(f"modified at {times[1]} instead of {times[0]}: {path.decode()!r}")
    return wrong


def strangers(home, paths):
    """What is in the home's tree and was not uploaded."""
    known = {os.path.join(os.fsencode(home), path) for path in paths}
    return [f"not uploaded: {os.path.join(where, name)!r}" for where, _, names in os.walk(os.fsencode(home) + b"/tree")
            for name in names if os.path.join(where, name) not in known]


def check_tree(client, name, daemon, folder, paths):
    """Upload the tree, or a sample of it; fetch it back with the same client where that can."""
    wanted = wanted_of(name, client, paths)
    if client.puts_trees:
        for path in set(paths) - set(wanted):
            os.unlink(os.path.join(os.fsencode(folder), path))
        client.put_tree(b"tree", folder)
    else:
        client.put_files(wanted, folder)
    wrong = compare(folder, daemon.home(), wanted) + strangers(daemon.home(), wanted)
    if client.keeps_times and not wrong:
        wrong += compare_times(folder, daemon.home(), wanted)
    return wrong


def check_back(client, name, daemon, paths):
    """What is in the home, by the same client into another place."""
    place = os.path.join(daemon.place, "back")
    os.mkdir(place)
    there = [path for path in paths if os.path.isfile(os.path.join(os.fsencode(daemon.home()), path))]
    if client.fetches_trees:
        client.fetch_tree(b"tree", place)
    else:
        for path in there:
            os.makedirs(os.path.join(os.fsencode(place), os.path.dirname(path)), exist_ok=True)
        client.fetch_files(there, place)
    return compare(daemon.home(), place, [path for path in there if not path.decode().endswith(NOT_FETCHED.get(name, ()))])


def cut_upload(daemon, folder, name):
    """The first half of a file arrives, then the client is gone; gives how much there is to continue."""
    with open(os.path.join(folder, name), "rb") as stream:
        half = stream.read(HALF_SENT)
    client = UserClient(daemon)
    link, _, text = client.start(f"STOR {name}")
    if link is None:
        raise Trouble(text)
    link.sendall(half)
    settle(lambda: any(os.path.getsize(daemon.home(found)) == HALF_SENT for found in os.listdir(daemon.home())
                       if name in found), text="the half does not arrive")
    reset(link)
    reset(client.link)
    settle(lambda: not any(".deftpd-new" in found for found in os.listdir(daemon.home())), text="it is still in progress")
    with UserClient(daemon) as client:
        return client.size(name)


def check_rest(client, daemon, folder):
    """An upload is cut in the middle; the client sends the rest, and no more than that."""
    kept = cut_upload(daemon, folder, "half")
    if not kept:
        return [f"{kept} bytes are kept of a cut upload"]
    client.put_rest(b"half", folder)
    wrong = compare(folder, daemon.home(), [b"half"])
    left = [found for found in os.listdir(daemon.home()) if ".deftpd-" in found]
    wrong += [f"left behind: {left}"] if left else []
    line = f" {HALF_BYTES - kept} /half "
    if not wait_for(lambda: line in daemon.transfer_text(), 3):
        log = [line for line in daemon.transfer_text().splitlines() if "/half" in line]
        wrong.append(f"no upload of {HALF_BYTES - kept} bytes is in the transfer log: {log}")
    return wrong


def plant(daemon, name, content):
    """A file of the user's, from before."""
    with open(daemon.home(name), "wb") as stream:
        stream.write(content)
    os.chown(daemon.home(name), daemon.ids["ann"], daemon.ids["ann"])


def check_append(client, daemon, folder):
    """A file grows by another."""
    plant(daemon, "log", b"first line\n")
    client.append(b"note", b"log", folder)
    with open(daemon.home("log"), "rb") as log, open(os.path.join(folder, "note"), "rb") as note:
        return [] if log.read() == b"first line\n" + note.read() else ["the appended file is wrong"]


def check_commands(client, daemon, folder):
    """mkdir, rename, chmod, delete, rmdir."""
    plant(daemon, "victim", b"x")
    os.mkdir(daemon.home("empty"))
    os.chown(daemon.home("empty"), daemon.ids["ann"], daemon.ids["ann"])
    client.tidy(b"note", folder)
    wrong = [f"still there: {name}" for name in ("victim", "empty", "made/one", "deep") if os.path.exists(daemon.home(name))]
    if not os.path.exists(daemon.home("made/two")):
        return wrong + ["made/two is not there"]
    if checksum(daemon.home("made/two")) != checksum(os.path.join(folder, "note")):
        wrong.append("made/two has something else")
    mode = stat.S_IMODE(os.stat(daemon.home("made/two")).st_mode)
    if client.changes_modes and mode != 0o600:
        wrong.append(f"made/two has mode {mode:o}")
    if os.path.exists(daemon.home("made/lines")):
        with open(daemon.home("made/lines"), "rb") as lines:
            if lines.read() != b"one\n\ntwo\nthree without an end\n":
                wrong.append("the file sent by lines is wrong")
    return wrong


def check_unique(client, daemon, folder):
    """A name of the server's choice, which the client understands."""
    before = set(os.listdir(daemon.home()))
    name = client.put_unique(b"note", folder)
    if name is None:
        return []
    new = set(os.listdir(daemon.home())) - before
    if len(new) != 1:
        return [f"new names: {new}"]
    wrong = [] if checksum(daemon.home(*new)) == checksum(os.path.join(folder, "note")) else ["it has something else"]
    return wrong + ([f"the client takes it for {name!r}, it is {new}"] if name.lstrip("/") not in new else [])


def run_steps(steps):
    """Each step, whatever becomes of the one before; gives the number of complaints."""
    count = 0
    for title, action in steps:
        began = time.monotonic()
        try:
            found = action()
        except TROUBLES as trouble:
            found = [f"{type(trouble).__name__}: {trouble}"]
        count += step(title, found, began)
    return count


def as_user(client_name, mode, directory):
    """Everything, with one client, as a virtual user."""
    daemon = UserDaemon(directory, options=[f"uploads.mode={mode}", "max_sessions_per_address=0"])
    try:
        client = UPLOADERS[client_name](4, daemon.port, account=("ann", PASSWORD))
    except Unable as why:
        daemon.remove()
        skip(why)
    folder = os.path.join(daemon.place, "local")
    os.mkdir(folder)
    paths = make_local(folder)
    with daemon:
        steps = [("tree up", lambda: check_tree(client, client_name, daemon, folder, paths)),
                 ("tree back", lambda: check_back(client, client_name, daemon, paths)),
                 ("commands", lambda: check_commands(client, daemon, folder)),
                 ("unique name", lambda: check_unique(client, daemon, folder))]
        if client.resumes:
            steps.append(("resume", lambda: check_rest(client, daemon, folder)))
        if client.appends:
            steps.append(("append", lambda: check_append(client, daemon, folder)))
        wrong = run_steps(steps)
        show_log(daemon, wrong)
    return wrong


def show_log(daemon, wrong):
    """Only when something is wrong."""
    if wrong:
        print(f"--- log of the daemon\n{daemon.log_text()[-3000:]}---")


def run_plain(words, expected=True):
    """Run a client; gives its output. Its status has to be 0, or not 0."""
    done = subprocess.run(words, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                          env=dict(os.environ, LC_ALL="C.UTF-8", HOME="/nonexistent", TERM="dumb"))
    if (done.returncode == 0) != expected:
        raise Trouble(f"{words} ended with status {done.returncode}: {done.stdout[-1000:]!r}")
    return done.stdout


def drop(daemon, folder):
    """curl and lftp drop files; nobody replaces, lists, fetches or removes them."""
    note, box = os.path.join(folder, "note"), os.path.join(daemon.root, "incoming")
    url = f"ftp://127.0.0.1:{daemon.port}/incoming/"
    curl = ["curl", "-sS", "-q", "--fail"]
    run_plain(curl + ["-T", note, url + "by%20curl"])
    run_plain(["lftp", "--norc", "-c", f"set net:max-retries 1; set cmd:fail-exit yes; open {url}; put {note} -o by-lftp"])
    wrong = [f"{name} is not what was sent" for name in ("by curl", "by-lftp")
             if checksum(os.path.join(box, name)) != checksum(note)]
    wrong += [f"{name} can be read by {oct(mode)}" for name in ("by curl", "by-lftp")
              if (mode := os.stat(os.path.join(box, name)).st_mode) & 0o077]
    half = os.path.join(folder, "half")
    run_plain(curl + ["-T", half, url + "by%20curl"], False)
    run_plain(curl + ["-a", "-T", half, url + "by%20curl"], False)
    run_plain(curl + ["-o", "/dev/null", url + "by%20curl"], False)
    run_plain(curl + ["-Q", "DELE /incoming/by curl", f"ftp://127.0.0.1:{daemon.port}/"], False)
    run_plain(curl + ["-T", note, f"ftp://127.0.0.1:{daemon.port}/elsewhere"], False)
    listed = subprocess.run(curl + ["-l", url], check=False, capture_output=True, timeout=60).stdout
    wrong += ["the directory can be listed"] if b"by" in listed else []
    wrong += ["the file was changed"] if checksum(os.path.join(box, "by curl")) != checksum(note) else []
    wrong += [f"there are {os.listdir(box)}"] if sorted(os.listdir(box)) != ["by curl", "by-lftp"] else []
    shutil.move(os.path.join(box, "by curl"), os.path.join(daemon.root, "released"))
    os.chmod(os.path.join(daemon.root, "released"), 0o644)
    got = run_plain(curl + [f"ftp://127.0.0.1:{daemon.port}/released"])
    with open(note, "rb") as stream:
        wrong += [] if got == stream.read() else ["the released file is not what was sent"]
    return wrong


def as_dropbox(directory):
    """An anonymous drop box, with curl and lftp."""
    daemon = Daemon(directory, options=["anonymous.upload_directory=/incoming"])
    need_programs("curl", "lftp")
    box, folder = os.path.join(daemon.root, "incoming"), os.path.join(daemon.place, "local")
    os.mkdir(box)
    user = [option.split("=")[1] for option in daemon.default_options() if option.startswith("anonymous.user")]
    shutil.chown(box, (user or ["ftp"])[0])
    os.mkdir(folder)
    make_local(folder)
    with daemon:
        wrong = run_steps([("drop box", lambda: drop(daemon, folder))])
        show_log(daemon, wrong)
    return wrong


def need_programs(*names):
    """Skip where one is missing."""
    for name in names:
        if shutil.which(name) is None:
            skip(f"{name} is not installed")


def serve(daemon, folder):
    """Whoever reaches the server may change everything below the directory."""
    url = f"ftp://127.0.0.1:{daemon.port}/"
    lftp = ["lftp", "--norc", "-c", "set net:max-retries 1; set cmd:fail-exit yes; open " + url + "; "]
    note = os.path.join(folder, "note")
    run_plain(["curl", "-sS", "-q", "--fail", "-T", note, url + "note"])
    run_plain(lftp[:-1] + [lftp[-1] + f"lcd {folder}; mirror -R tree/d1 tree; mv note moved; mkdir more; rm tree/file1"])
    wrong = [] if checksum(os.path.join(daemon.root, "moved")) == checksum(note) else ["moved is not what was sent"]
    here, there = (set(os.listdir(place)) for place in (os.path.join(folder, "tree/d1"), os.path.join(daemon.root, "tree")))
    return wrong + ([f"there are {there}"] if here - {"file1"} != there or not re.search("file", str(there)) else [])


def as_serve(directory):
    """deftpd --serve DIR --writable, as root and as somebody else."""
    need_programs("curl", "lftp")
    wrong = 0
    for user in ("root", "nobody"):
        daemon = Daemon(directory, arguments=["--serve", "{root}", "--writable", "--port", "{port}"], user=user)
        shutil.chown(daemon.root, "nobody")
        os.chmod(daemon.root, 0o777)
        folder = os.path.join(daemon.place, "local")
        os.mkdir(folder)
        make_local(folder)
        with daemon:
            found = run_steps([(f"--serve --writable as {user}", lambda d=daemon, f=folder: serve(d, f))])
            show_log(daemon, found)
        wrong += found
    return wrong


def main():
    """One client in one mode, or one of the two others."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", help="directory of the programs")
    parser.add_argument("client", choices=[*UPLOADERS, "dropbox", "serve"])
    parser.add_argument("mode", nargs="?", choices=("direct", "atomic"), default="direct")
    given = parser.parse_args()
    need_root()
    if given.client == "dropbox":
        wrong = as_dropbox(given.bin)
    elif given.client == "serve":
        wrong = as_serve(given.bin)
    else:
        wrong = as_user(given.client, given.mode, given.bin)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
