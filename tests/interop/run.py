#!/usr/bin/env python3
"""Let one real client fetch a tree, half a file and 3 GiB from deftpd, and compare everything.

    run.py [--bin DIRECTORY] CLIENT 4|6 [active]
"""

import argparse
import fcntl
import hashlib
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))

from clients import CLIENTS, Trouble, Unable  # noqa: E402
from lib_daemon import Daemon, has_ipv6, skip, slowness  # noqa: E402

BIG_BYTES = 3 * 1024 * 1024 * 1024
MARK_BYTES = 16
MARKS = (0, (1 << 31) - 5, (1 << 31) + 4096, BIG_BYTES // 3, BIG_BYTES - MARK_BYTES)
PIPE_BYTES = 1 << 20
ZEROS = bytes(PIPE_BYTES)
HALF_BYTES = 6000001
TREE_FILES = 2000
SAMPLE = 25  # every so-manyth plain name, for clients that are given names
# Names that servers and clients have stumbled over. No client gets more than its own syntax can say.
HARD_NAMES = [
    "with space", "two  spaces", "trailing dot.", "quote'single", 'quote"double', "back`tick", "semi;colon=x",
    "hash#", "percent%41", "plus+", "amp&ersand", "ümläut", "漢字", "emoji 🎉", "Ελληνικά", "-dash", "--help",
    "-rf", "~tilde", "dollar$HOME", "paren(1)", "comma,", "at@host", "bang!", "226 Transfer complete",
    ".hidden", "UPPER lower", "x" * 200, "é" * 100, "excl!am", "caret^", "brace{a,b}", "equal=",
]
# What a client itself cannot say or keep apart, and why.
LEFT_OUT = {
    "inetutils": ('"', "'"),  # its command language ends a word there
    "tnftp": ('"',),          # the same
    "wget": ("%41",),         # it takes listed names for parts of a URL and decodes them
}


def make_file(path, size, seed):
    """A file with reproducible bytes."""
    block = hashlib.sha256(str(seed).encode()).digest() * 64
    with open(path, "wb") as stream:
        stream.write((block * (size // len(block) + 1))[:size])


def mark_at(offset):
    """What the big file, otherwise zeros, has at this offset."""
    return b"%0*d" % (MARK_BYTES, offset)


def big_bytes(at, size):
    """A part of the big file, without reading it."""
    marks = [mark for mark in MARKS if at - MARK_BYTES < mark < at + size]
    if not marks:
        return ZEROS if size == PIPE_BYTES else ZEROS[:size]
    part = bytearray(size + 2 * MARK_BYTES)
    for mark in marks:
        start = mark - at + MARK_BYTES
        part[start:start + MARK_BYTES] = mark_at(mark)
    return bytes(part[MARK_BYTES:MARK_BYTES + size])


def make_tree(root):
    """The files that all clients fetch; gives the relative paths of those in tree/."""
    paths = []
    for number in range(TREE_FILES):
        folder = f"tree/d{number % 40}" + ("/deep er/ü" if number % 8 == 0 else "")
        os.makedirs(os.path.join(root, folder), exist_ok=True)
        paths.append(f"{folder}/file{number}")
        make_file(os.path.join(root, paths[-1]), number * number % 9000, number)
    for folder in ("tree/hard", "tree/-dir with space"):
        os.makedirs(os.path.join(root, folder))
        for number, name in enumerate(HARD_NAMES):
            paths.append(f"{folder}/{name}")
            make_file(os.path.join(root, paths[-1]), 1000 + number, name)
    make_file(os.path.join(root, "half"), HALF_BYTES, "half")
    with open(os.path.join(root, "big"), "wb") as stream:
        stream.truncate(BIG_BYTES)
        for offset in MARKS:
            stream.seek(offset)
            stream.write(mark_at(offset))
    return [path.encode() for path in paths]


def checksum(path):
    """The SHA-256 of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def compare(root, folder, paths):
    """Each path has to be in the folder with the same checksum; gives the complaints."""
    wrong = []
    for path in paths:
        got = os.path.join(os.fsencode(folder), path)
        if not os.path.isfile(got):
            wrong.append(f"missing: {path.decode()!r}")
        elif checksum(got) != checksum(os.path.join(os.fsencode(root), path)):
            wrong.append(f"different: {path.decode()!r}")
    return wrong


def count_files(folder):
    """How many files are below the folder."""
    return sum(len(files) for _, _, files in os.walk(folder))


def check_tree(client, name, root, folder, paths):
    """Fetch the tree, or a sample of it."""
    wanted = [path for path in paths if not any(part in path.decode() for part in LEFT_OUT.get(name, ()))]
    if client.fetches_trees:
        client.fetch_tree(b"tree", folder)
        extra = count_files(os.path.join(folder, "tree")) - len(paths)
        more = [f"{extra} files too many"] if extra > 0 else []
        return compare(root, folder, wanted) + more
    if name != "curl":
        wanted = wanted[:TREE_FILES:SAMPLE] + wanted[TREE_FILES:]
    for path in wanted:
        os.makedirs(os.path.join(os.fsencode(folder), os.path.dirname(path)), exist_ok=True)
    client.fetch_files(wanted, folder)
    return compare(root, folder, wanted)


def check_half(client, root, folder):
    """Resume a download in the middle."""
    with open(os.path.join(root, "half"), "rb") as source, open(os.path.join(folder, "half"), "wb") as half:
        half.write(source.read(HALF_BYTES // 2))
    client.resume(b"half", folder)
    return compare(root, folder, [b"half"])


def check_big(client, folder):
    """Stream 3 GiB and compare them as they come."""
    process = client.open_stream(b"big", folder)
    fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    at = 0
    while data := os.read(process.stdout.fileno(), PIPE_BYTES):
        if data != big_bytes(at, len(data)):
            process.kill()
            return [f"big differs in the {len(data)} bytes after {at}"]
        at += len(data)
    try:
        status = process.wait(20 * slowness())
    except subprocess.TimeoutExpired:
        process.kill()
        return ["the client does not end after the big file"]
    if at != BIG_BYTES or status != 0:
        return [f"{at} bytes of the big file came, status {status}"]
    return []


def step(title, wrong, began):
    """Say how a step went; gives its number of complaints."""
    print(f"{title}: {'as it should be' if not wrong else 'WRONG'} ({time.monotonic() - began:.1f} s)", flush=True)
    for line in wrong[:20]:
        print("   ", line)
    return len(wrong)


def check(client, name, daemon, paths):
    """All three; gives the number of complaints."""
    folder = os.path.join(daemon.place, "local")
    os.mkdir(folder)
    wrong = 0
    steps = [("tree", lambda: check_tree(client, name, daemon.root, folder, paths)),
             ("resume", lambda: check_half(client, daemon.root, folder))]
    if not client.is_active and client.family == 4:  # once per client is enough for the largest part
        steps.append(("3 GiB", lambda: check_big(client, folder)))
    for title, action in steps:
        began = time.monotonic()
        try:
            found = action()
        except (Trouble, OSError, EOFError, subprocess.TimeoutExpired) as trouble:
            found = [str(trouble)]
        wrong += step(title, found, began)
    return wrong


def main():
    """One client, one family."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", help="directory of the programs")
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("family", type=int, choices=(4, 6))
    parser.add_argument("mode", nargs="?", choices=("active",))
    given = parser.parse_args()
    if given.family == 6 and not has_ipv6():
        skip("no IPv6 on the loopback interface")
    daemon = Daemon(given.bin)
    try:
        client = CLIENTS[given.client](given.family, daemon.port, given.mode == "active")
    except Unable as why:
        daemon.remove()
        skip(why)
    paths = make_tree(daemon.root)
    wrong = 1
    with daemon:
        wrong = check(client, given.client, daemon, paths)
        if wrong:
            print(f"--- log of the daemon\n{daemon.log_text()[-3000:]}---")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
