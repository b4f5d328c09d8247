#!/usr/bin/env python3
"""tls_stall: handshakes that stop after each message, and within each, on the control connection, the implicit port and data connections
(SECURITY.md T8; scanners that start TLS and stall drove a core of other servers to 100 %): no processor time, and an end in time."""

import os
import socket
import ssl
import sys
import threading
import time

from lib_daemon import PortLock, slowness
from lib_system import Client, check, cpu_seconds, is_ready, is_sanitized, need_root, run, settle
from lib_tls import Pair, TlsClient, TlsDaemon, TlsLink, context_of, need_tls, records

LOGIN_TIMEOUT = 4
DATA_TIMEOUT = 3
MEMORY_MAX_KB = 3 * 1024
LOOK = 1.5  # seconds of looking at processor time


def flights(link, context, count):
    """The client's flight of that number, 1 or 2, not sent yet."""
    tls = TlsLink(link, context).start()
    data = tls.take()
    if count == 1:
        return data
    link.sendall(data)
    while True:
        check(tls.receive(10), "the server says nothing")
        try:
            tls.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        data = tls.take()
        if data:
            return data


def places(data):
    """Where to stop: nothing, within a header, within and behind each record, before the last byte."""
    found, at = {0, 1, 4, 5, 6, len(data) - 1}, 0
    for record in records(data):
        found |= {at + 3, at + len(record) // 2, at + len(record)}
        at += len(record)
    return sorted(place for place in found if 0 <= place < len(data))


def stops():
    """(version, flight, place) of all stalls."""
    found = []
    for version in ("1.2", "1.3"):
        found += [(version, 1, place) for place in (0, 1, 5, 6, 100)] + [(version, 1, -1), (version, 1, None)]
        found += [(version, 2, place) for place in (1, 5, 6, 40, -20, -1)]
    return found


def stall(link, version, flight, place):
    """Go so far and stop; None is the whole of the flight."""
    data = flights(link, context_of(version), flight)
    link.sendall(data[:place] if place is not None else data)


def workers_cpu(daemon):
    """Processor time of all workers and the master."""
    total = 0
    for process in daemon.programs("deftpd-worker") + daemon.programs("deftpd"):
        try:
            total += cpu_seconds(process.pid)
        except OSError:
            pass
    return total


def memory_kb(process):
    """What a process has of its own; 0 when it is over."""
    try:
        with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as stream:
            return sum(int(line.split()[1]) for line in stream if line.startswith("Private_"))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def stay_idle(daemon, what):
    """Nothing is computed while all wait."""
    time.sleep(0.5)
    before = workers_cpu(daemon)
    time.sleep(LOOK)
    used = workers_cpu(daemon) - before
    check(used < 0.15 * slowness(), f"{what}: stalled handshakes used {used:.2f} s of processor time in {LOOK} s")


def until_end(link):
    """Read what still comes; True: the server has closed."""
    link.settimeout((LOGIN_TIMEOUT + 4) * slowness())
    try:
        while link.recv(65536):
            pass
    except ConnectionResetError:
        pass
    except socket.timeout:
        return False
    finally:
        link.close()
    return True


def commands_do_not_wait():
    """AUTH TLS and the implicit port, everything at once; one that sends a byte at a time has no more time than others."""
    implicit = PortLock()
    with TlsDaemon(options=[f"login_timeout={LOGIN_TIMEOUT}", f"listen_implicit_tls=127.0.0.1:{implicit.port}", "spare_max=8"]) as daemon:
        settle(lambda: is_ready(daemon))
        began = time.monotonic()
        stalled = []
        for version, flight, place in stops():
            client = Client(daemon)
            check(client.reply()[0] == 220, "no 220")
            client.ask("AUTH TLS", 234)
            stall(client.link, version, flight, place)
            stalled.append((f"AUTH, {version}, flight {flight}, {place}", client.link))
            link = socket.create_connection(("127.0.0.1", implicit.port), timeout=10)
            stall(link, version, flight, place)
            stalled.append((f"implicit, {version}, flight {flight}, {place}", link))
        dripping = Client(daemon)
        dripping.reply()
        dripping.ask("AUTH TLS", 234)
        drops = flights(dripping.link, context_of(), 1)

        def drip():
            try:
                for at in range(len(drops)):
                    dripping.link.sendall(drops[at:at + 1])
                    time.sleep(0.2)
            except OSError:
                pass

        thread = threading.Thread(target=drip)
        thread.start()
        stay_idle(daemon, "control")
        for process in daemon.programs("deftpd-worker"):
            check(is_sanitized() or memory_kb(process) < MEMORY_MAX_KB, f"{process} has {memory_kb(process)} kB for a client that has not logged in")
        # Others are served meanwhile.
        with TlsClient(daemon) as client:
            client.fetch("LIST")
        for name, link in stalled + [("one byte at a time", dripping.link)]:
            check(until_end(link), f"{name}: the server waits for ever")
        thread.join()
        took = time.monotonic() - began
        check(took < (LOGIN_TIMEOUT + 4) * slowness(), f"the last one was ended after {took:.1f} s")
        settle(lambda: len(daemon.programs("deftpd-worker")) < 12, text="the workers stay")
    implicit.release()


def data_do_not_wait():
    """Data connections: data_timeout ends the wait, ABOR before it; STAT and NOOP are answered all the time."""
    with TlsDaemon(options=[f"data_timeout={DATA_TIMEOUT}"]) as daemon:
        with open(os.path.join(daemon.root, "file"), "wb") as stream:
            stream.write(b"x" * 1000)
        settle(lambda: is_ready(daemon))
        clients = []
        for version, flight, place in stops():
            client = TlsClient(daemon, version=version)
            link = client.dial(client.passive())
            client.ask("RETR file", 150, 125)
            stall(link, version, flight, place)
            clients.append((f"{version}, flight {flight}, {place}", client, link))
        aborted = TlsClient(daemon)
        link = aborted.dial(aborted.passive())
        aborted.ask("RETR file", 150, 125)
        aborted.ask("NOOP", 200)
        aborted.ask("ABOR", 426)
        check(aborted.reply()[0] == 226, "no 226 for ABOR")
        check(until_end(link), "the data connection stays after ABOR")
        aborted.fetch("RETR file")
        aborted.close()
        for name, client, _ in clients:
            check(client.ask("STAT", 211), name)
        stay_idle(daemon, "data")
        for name, client, link in clients:
            code, text = client.reply()
            check(code in (425, 426, 522), f"{name}: {text!r}")
            check(until_end(link), f"{name}: the data connection stays")
            check(len(client.fetch("RETR file")) == 1000, f"{name}: the next transfer is wrong")
            client.close()


def a_large_certificate_is_bounded():
    """A client's chain of 60 kB is read, or refused; one of 400 kB is refused; neither takes long."""
    daemon = TlsDaemon(options=[f"login_timeout={LOGIN_TIMEOUT}"])
    mine = daemon.certificates.issued("ann", "ann", usage="clientAuth")
    daemon.options.append(f"tls.client_ca={daemon.certificates.made['ca'].certificate}")
    with open(mine.certificate, encoding="ascii") as stream:
        text = stream.read()
    with daemon:
        settle(lambda: is_ready(daemon))
        for size in (60000, 400000):
            chain = Pair(daemon.certificates.place, f"chain{size}")
            other = daemon.certificates.own(f"other{size}")
            with open(other.certificate, encoding="ascii") as stream:
                filler = stream.read()
            with open(chain.certificate, "w", encoding="ascii") as stream:
                stream.write(text + filler * (size * 4 // 3 // len(filler)))
            os.link(mine.key, chain.key)
            before, began = workers_cpu(daemon), time.monotonic()
            try:
                with TlsClient(daemon, certificate=chain) as client:
                    client.ask("NOOP", 200)
                    check(size < 100000, f"{size} bytes of certificates were taken")
            except (OSError, ssl.SSLError):
                pass
            except Exception as error:  # a check of TlsClient: the session ended in the login
                check(size > 100000, f"{error}")
            check(time.monotonic() - began < LOGIN_TIMEOUT + 4, "it took too long")
            check(workers_cpu(daemon) - before < 1 * slowness(), "it cost too much")
        with TlsClient(daemon, certificate=mine) as client:
            client.ask("NOOP", 200)


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    need_tls()
    sys.exit(run([commands_do_not_wait, data_do_not_wait, a_large_certificate_is_bounded]))
