#!/usr/bin/env python3
"""tls_truncate: how uploads and downloads over TLS end, and what is believed (SECURITY.md T4; the loudest complaints of other servers' users):
close_notify, a bare FIN, a reset, a cut within a record, at many places, in TLS 1.2 and 1.3; and clients that only write and close at once."""

import fcntl
import os
import random
import socket
import struct
import sys
import termios
import time

from lib_system import check, descriptor_kinds, is_ready, need_root, reset, run, settle
from lib_tls import TlsClient, TlsDaemon, need_tls, records
from lib_users import read, worker_of

SEED = 4712
SIZES = (0, 1, 100, 16384, 16385, 200000, 1500000)
UPLOADS = 200


def upload(client, name, data, how):
    """An upload that ends in some way; gives the code of its reply."""
    link, code, text = client.start(f"STOR {name}")
    check(link is not None, f"STOR {name}: {text!r}")
    if how == "within":
        link.tls.write(data[:-100])
        link.flush()
        link.tls.write(data[-100:])
        link.link.sendall(link.take()[:-7])
        link.cut()
    else:
        link.sendall(data)
        if how == "notify":
            link.close()
        elif how == "fin":
            link.cut()
        elif how == "reset":
            settle(lambda: not unsent(link), text="the server does not take it")
            reset(link.link)
    code, text = client.reply()
    return code


def unsent(link):
    """How many bytes the other side has not acknowledged."""
    return struct.unpack("i", fcntl.ioctl(link.fileno(), termios.TIOCOUTQ, bytes(4)))[0]


EXPECTED = {
    # how the upload ends: codes by strict_close for a client that never, and one that has, ended one with close_notify
    "notify": {"auto": (226, 226), "require": (226, 226), "off": (226, 226)},
    "fin": {"auto": (226, 426), "require": (426, 426), "off": (226, 226)},
    "reset": {"auto": (426, 426), "require": (426, 426), "off": (426, 426)},
    "within": {"auto": (426, 426), "require": (426, 426), "off": (426, 426)},
}


def only_whole_uploads_count():
    """Each end, in each mode, by both versions; what stood under the name stays when it is not whole."""
    for strict in ("auto", "require", "off"):
        with TlsDaemon(options=[f"tls.strict_close={strict}", "uploads.mode=atomic", "uploads.keep_partial=no"]) as daemon:
            settle(lambda: is_ready(daemon))
            for version in ("1.2", "1.3"):
                for how, codes in EXPECTED.items():
                    for has_closed in (0, 1):
                        with TlsClient(daemon, "ann", version=version) as client:
                            if has_closed:
                                client.put("STOR first", b"first")
                            with open(daemon.home("name"), "wb") as stream:
                                stream.write(b"what was there")
                            os.chown(daemon.home("name"), daemon.ids["ann"], daemon.ids["ann"])
                            data = os.urandom(50000)
                            code = upload(client, "name", data, how)
                            wanted = codes[strict][has_closed]
                            check(code == wanted, f"{strict}, TLS {version}, {how}, has closed: {has_closed}: {code} instead of {wanted}")
                            expected = data if wanted == 226 else b"what was there"
                            check(read(daemon.home("name")) == expected, f"{strict}, TLS {version}, {how}: the file is wrong")
                            client.ask("NOOP", 200)
            check(sorted(os.listdir(daemon.home())) == ["first", "name"], f"left: {os.listdir(daemon.home())}")


def no_byte_is_lost():
    """Clients that only write and close at once, as many real ones do: no upload loses its end (TLS 1.3 and its tickets)."""
    source = random.Random(SEED)
    with TlsDaemon(options=["tls.strict_close=require"]) as daemon:
        settle(lambda: is_ready(daemon))
        for version in ("1.3", "1.2"):
            with TlsClient(daemon, "ann", version=version) as client:
                for number in range(UPLOADS if version == "1.3" else UPLOADS // 4):
                    data = source.randbytes(source.choice(SIZES) + source.randrange(50))
                    client.put("STOR up", data)
                    check(read(daemon.home("up")) == data, f"TLS {version}, upload {number} of {len(data)} bytes is another")


def connections(worker):
    """How many a worker has."""
    return sum(count for kind, count in descriptor_kinds(worker).items() if kind in ("tcp connection", "tcp ended"))


def downloads_end_in_order():
    """Our close_notify comes, then our FIN; what the client does then, within seconds, costs nothing."""
    with TlsDaemon() as daemon:
        content = os.urandom(300000)
        with open(daemon.home("file"), "wb") as stream:
            stream.write(content)
        settle(lambda: is_ready(daemon))
        for version in ("1.2", "1.3"):
            with TlsClient(daemon, "ann", version=version) as client:
                worker = worker_of(daemon, client)[0]
                check(client.fetch("RETR file") == content, "the content is wrong")
                check(client.fetch("LIST"), "the listing is empty")
                time.sleep(0.3)
                before = connections(worker)
                for end in ("notify", "cut", "reset", "early notify", "stays"):
                    link = client.begin("RETR file")
                    if end == "early notify":
                        link.notify()
                    got = b""
                    while part := link.recv(1 << 16):
                        got += part
                    check(got == content and link.end == "close_notify", f"{end}: {len(got)} bytes, then {link.end}")
                    code, text = client.reply()
                    check(code == 226, f"{end}: {text!r}")
                    if end == "cut":
                        link.cut()
                    elif end == "reset":
                        reset(link.link)
                    elif end == "stays":
                        stays = link
                    else:
                        link.close()
                    client.ask("NOOP", 200)
                # Nobody waits for ever for a client that says nothing more.
                settle(lambda worker=worker, before=before: connections(worker) == before, 8,
                       lambda worker=worker, before=before: f"before: {before}, now: {descriptor_kinds(worker)}")
                stays.cut()


def a_download_that_is_cut_is_said_so():
    """The client goes away in the middle: never 226."""
    with TlsDaemon() as daemon:
        with open(daemon.home("big"), "wb") as stream:
            stream.truncate(100 << 20)
        settle(lambda: is_ready(daemon))
        with TlsClient(daemon, "ann") as client:
            for end in ("fin", "reset", "close"):
                link = client.begin("RETR big")
                link.recv(1000)
                if end == "fin":
                    link.notify()
                    link.shutdown(socket.SHUT_RDWR)
                elif end == "reset":
                    reset(link.link)
                link.cut()
                code, text = client.reply()
                check(code in (426, 451), f"{end}: {text!r}")
            # A damaged record.
            link, _, _ = client.start("STOR damaged")
            link.tls.write(b"x" * 1000)
            record = bytearray(records(link.take())[0])
            record[100] ^= 1
            link.link.sendall(record)
            code, text = client.reply()
            check(code == 426, f"a damaged record: {text!r}")
            link.cut()
            client.put("STOR fine", b"x")


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    need_tls()
    sys.exit(run([only_whole_uploads_count, no_byte_is_lost, downloads_end_in_order, a_download_that_is_cut_is_said_so]))
