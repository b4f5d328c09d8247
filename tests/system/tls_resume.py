#!/usr/bin/env python3
"""tls_resume: whose data connection it is (SECURITY.md T5, T6, D4): its own control connection's ticket, another's, an old one, none; tickets
used once each over thousands of files; and the memory of it all."""

import os
import ssl
import sys
import threading
import time

from lib_system import TestFailure, check, is_ready, is_sanitized, need_root, run, settle
from lib_tls import TlsClient, TlsDaemon, TlsLink, context_of, need_tls
from lib_users import worker_of

FILES = {"1.3": 5000, "1.2": 5000}
SETTLED = 500
CONTENT = os.urandom(100)


def memory_kb(process):
    """What a process has of its own."""
    with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as stream:
        return sum(int(line.split()[1]) for line in stream if line.startswith("Private_"))


def place_file(daemon):
    """Something to fetch."""
    with open(os.path.join(daemon.root, "file"), "wb") as stream:
        stream.write(CONTENT)


def each_ticket_is_used_once():
    """As RFC 8446 C.4 wants it: 5,000 files, each resumed, with a ticket that was not used before; and as many in TLS 1.2."""
    with TlsDaemon(options=["tls.resume=require"]) as daemon:
        place_file(daemon)
        settle(lambda: is_ready(daemon))
        troubles = []
        threads = [threading.Thread(target=long_session, args=(daemon, version, count, troubles)) for version, count in FILES.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check(not troubles, "; ".join(troubles))


def long_session(daemon, version, count, troubles):
    """One session that fetches and fetches."""
    try:
        with TlsClient(daemon, version=version) as client:
            worker = worker_of(daemon, client)[0]
            used, settled = set(), 0
            for number in range(count):
                link = client.dial(client.passive())
                client.ask("RETR file", 125, 150)
                session = client.link.session()
                used.add(session.id)
                with client.wrap(link, session) as link:
                    check(link.is_resumed(), f"TLS {version}: transfer {number} is not resumed")
                    check(link.recv(1 << 16) == CONTENT and link.recv(1) == b"", f"TLS {version}: transfer {number} is another")
                check(client.reply()[0] == 226, f"TLS {version}: transfer {number} fails")
                if number == SETTLED:
                    settled = memory_kb(worker)
            grown = memory_kb(worker) - settled
            check(version == "1.2" or len(used) == count, f"only {len(used)} tickets for {count} transfers")
            check(is_sanitized() or grown < 512, f"TLS {version}: {grown} kB more after {count} data connections")
    except (TestFailure, OSError) as error:
        troubles.append(f"TLS {version}: {error!r}")


def refused(client, session, version):
    """A data connection with that session gets nothing; gives the reply. It may be cut before the client's handshake is done."""
    link = client.dial(client.passive())
    client.ask("RETR file", 125, 150)
    try:
        tls = TlsLink(link, client.context, None, session).handshake()
        check(not tls.is_resumed(), f"TLS {version}: a foreign session was resumed")
        check(tls.recv(100) == b"", f"TLS {version}: a stranger got data")
        tls.cut()
    except (ssl.SSLError, ConnectionError):
        pass
    link.close()
    return client.reply()


def only_the_own_ticket_counts():
    """Another session's, another user's, one of a session that is over, none. REIN ends TLS, and what it could resume."""
    with TlsDaemon(users=("ann", "bob"), options=["tls.resume=require", "data_timeout=3"]) as daemon:
        place_file(daemon)
        for user in ("ann", "bob"):
            with open(daemon.home("file", user=user), "wb") as stream:
                stream.write(CONTENT)
        settle(lambda: is_ready(daemon))
        for version in ("1.3", "1.2"):
            context = context_of(version)

            def one(user=None, context=context):
                return TlsClient(daemon, user, context=context)

            over = one("ann")
            over.fetch("RETR file")
            strangers = {"one that is over": over.link.session()}
            over.close()
            other, bob, ann = one("ann"), one("bob"), one("ann")
            for name, client in (("another of his", other), ("another user", bob)):
                client.passive()
                strangers[name] = client.link.session()
            strangers["none"] = None
            for name, session in strangers.items():
                code, text = refused(ann, session, version)
                check(code == 522, f"TLS {version}, {name}: {text!r}")
                check(ann.fetch("RETR file") == CONTENT, f"TLS {version}, {name}: the own one does not work any more")
            before = ann.link.session()
            ann.begin_anew()
            ann.enter("bob")
            ann.protect()
            check(ann.fetch("RETR file") == CONTENT, f"TLS {version}: nothing can be resumed after REIN")
            # And as a control connection's: it is another process, so that the handshake is a whole one.
            client = TlsClient(daemon, has_login=False, is_private=False, context=context)
            client.ask("QUIT", 221)
            link = client.dial(("127.0.0.1", daemon.port))
            link.recv(1000)
            link.sendall(b"AUTH TLS\r\n")
            link.recv(1000)
            tls = TlsLink(link, context, None, before).handshake()
            check(not tls.is_resumed(), "a control connection has resumed another process's session")
            for client in (other, bob, ann):
                client.close()


def a_neighbour_steals_nothing():
    """SECURITY.md D4: somebody behind the same address connects first, in clear or with TLS; the client gets its file, he gets nothing."""
    with TlsDaemon(options=["data_timeout=20"]) as daemon:
        place_file(daemon)
        settle(lambda: is_ready(daemon))
        for version in ("1.3", "1.2"):
            with TlsClient(daemon, version=version) as client:
                check(client.fetch("RETR file") == CONTENT, "the first transfer")
                for manner in ("silent", "clear", "tls", "foreign", "closes"):
                    address = client.passive()
                    thief = client.dial(address)
                    client.ask("RETR file", 125, 150)
                    what = act_as(thief, manner, client, daemon, version)
                    link = client.wrap(client.dial(address))
                    got = link.recv(1 << 16)
                    check(got == CONTENT, f"TLS {version}, {manner}: {got!r}")
                    link.close()
                    code, text = client.reply()
                    check(code == 226, f"TLS {version}, {manner}: {text!r}")
                    check(what != CONTENT, f"{manner}: the thief has it")


def act_as(thief, manner, client, daemon, version):
    """What a thief does with his connection; gives what he got."""
    try:
        if manner == "clear":
            thief.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while data := thief.recv(1000):
                check(CONTENT not in data, "the thief has it")
        elif manner in ("tls", "foreign"):
            session = None
            if manner == "foreign":
                other = TlsClient(daemon, context=client.context)
                other.passive()
                session = other.link.session()
            tls = TlsLink(thief, client.context if session else context_of(version), None, session).handshake()
            return tls.recv(1000)
        elif manner == "silent":
            thief.close()
    except (ssl.SSLError, OSError):
        pass
    finally:
        thief.close()
    return None


def many_hours_pass():
    """A session of many hours: the tickets say that they live for days."""
    with TlsDaemon(options=["tls.resume=require"]) as daemon:
        place_file(daemon)
        settle(lambda: is_ready(daemon))
        for version in ("1.3", "1.2"):
            with TlsClient(daemon, version=version) as client:
                client.passive()
                session = client.link.session()
                check(version == "1.2" or session.has_ticket, "no ticket came before the transfer")
                hours = (session.ticket_lifetime_hint if session.has_ticket else session.timeout) / 3600
                check(hours >= 24 or session.ticket_lifetime_hint == 0, f"TLS {version}: a session lives {hours:.1f} hours")
                time.sleep(0.1)


def settled_kb(worker):
    """Its memory in a moment: what a transfer had is given back behind the reply."""
    time.sleep(0.1)
    return memory_kb(worker)


def large_buffers_are_given_back():
    """What encrypts and gathers a large file is not kept behind it, nor by connections whose client does not close them."""
    large = os.urandom(4 << 20)
    with TlsDaemon(users=("ann",)) as daemon:
        with open(daemon.home("large", user="ann"), "wb") as stream:
            stream.write(large)
        settle(lambda: is_ready(daemon))
        for version in ("1.3", "1.2"):
            with TlsClient(daemon, "ann", version=version) as client:
                worker = worker_of(daemon, client)[0]
                before = memory_kb(worker)
                for _ in range(4):  # malloc() keeps more from the second time on
                    check(client.fetch("RETR large") == large, "another file")
                fetched = memory_kb(worker) - before
                link, code, text = client.start("STOR copy")
                check(link is not None, f"STOR: {code} {text!r}")
                link.sendall(large)
                link.close()
                check(client.reply()[0] == 226, "STOR fails")
                stored = min(settled_kb(worker) for _ in range(3)) - before
                links = []
                for _ in range(8):
                    links.append(client.begin("RETR large"))
                    while links[-1].recv(1 << 20):
                        pass
                    check(client.reply()[0] == 226, "RETR fails")
                waiting = memory_kb(worker) - before
                print(f"TLS {version}: {fetched} kB more after downloads, {stored} kB after an upload, {waiting} kB with 8 that linger")
                check(is_sanitized() or max(fetched, stored) <= 200, f"TLS {version}: {fetched} and {stored} kB are kept")
                check(is_sanitized() or waiting <= 1000, f"TLS {version}: connections that linger hold {waiting} kB")


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    need_tls()
    sys.exit(run([only_the_own_ticket_counts, a_neighbour_steals_nothing, many_hours_pass, large_buffers_are_given_back, each_ticket_is_used_once]))
