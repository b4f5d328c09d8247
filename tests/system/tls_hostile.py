#!/usr/bin/env python3
"""tls_hostile: what no honest client sends: commands behind AUTH at every byte (SECURITY.md T1), other protocols (T3), renegotiation and floods
(T7), names that are none, key updates while data move (T12), records of one byte. The session ends or goes on; the daemon does."""

import os
import socket
import ssl
import sys
import time

from lib_daemon import PortLock, slowness
from lib_system import Client, check, connect, cpu_seconds, is_ready, need_root, run, settle
from lib_tls import TlsClient, TlsDaemon, TlsLink, context_of, need_tls, tls_peer
from lib_users import worker_of

INJECTED = b"USER anonymous\r\nPASS x\r\nMKD injected\r\nNOOP\r\n"
FLOOD = 10000
# What browsers and others say first. These end the session.
CROSS = (b"GET /?<script>alert(1)</script> HTTP/1.1\r\nHost: ftp.example.net\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\n\r\nUSER anonymous\r\nPASS x\r\n",
         b"EHLO example.net\r\nMAIL FROM:<a@b>\r\n", b"HELO example.net\r\n", b"Host: ftp.example.net\r\n\r\n",
         b"".join(b"a%02d LOGIN <script> x\r\n" % number for number in range(12)))
# These are too few unknown commands to be sure; but what they say is not said back.
STRANGE = (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"OPTIONS sip:<script> SIP/2.0\r\n\r\n", b"CONNECT script:21 HTTP/1.1\r\n\r\n",
           b"SSH-2.0-OpenSSH_script\r\n" + b"\0\0\1\x14\x06" * 50)
NAMES = ("a" * 255, "a" * 300, "..", ".", "-", "a..b", "*.example.net", "xn--", "127.0.0.1", "[::1]", "a\\x00b", "\\xff\\xfe", "%s%n", "a b", "A.EXAMPLE.",
         "\\x0d\\x0aUSER x")
# ALPN as it travels.
ALPNS = (("\\x03ftp", True), ("\\x08http/1.1\\x03ftp", True), ("\\x08http/1.1", False), ("\\x02h2", False), ("\\x03FTP", False), ("\\x04ftps", False),
         ("\\xff" + "a" * 255, False))


def ends(link, timeout=8, has_end=True):
    """Read to the end; what came."""
    link.settimeout(timeout * slowness())
    got = b""
    try:
        while data := link.recv(65536):
            got += data
    except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
        pass
    except socket.timeout:
        check(not has_end, f"the server does not end it; it has said {got!r}")
    return got


def worker_seconds(daemon):
    """Processor time of all workers."""
    return sum(cpu_seconds(process.pid) for process in daemon.programs("deftpd-worker"))


def nothing_behind_auth_is_carried_out():
    """The bytes behind AUTH TLS come in every split; also with NULs between, and with a true handshake behind them."""
    with TlsDaemon(options=["anonymous.read_only=no"]) as daemon:
        os.chmod(daemon.root, 0o777)
        settle(lambda: is_ready(daemon))
        line = b"AUTH TLS\r\n"
        told = 0
        for padding in (b"", b"\0", b"\0" * 20, b"\n", b"\r\n", b" "):
            text = line + padding + INJECTED
            for at in range(1, len(line) + len(padding) + 8, 1 if not padding else 3):
                with Client(daemon) as client:
                    client.reply()
                    client.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    client.link.sendall(text[:at])
                    time.sleep(0.005)
                    try:
                        client.link.sendall(text[at:])
                        got = ends(client.link)
                    except (ConnectionResetError, BrokenPipeError):
                        got = b""
                    lines = [line for line in got.split(b"\r\n") if line[:3].isdigit()]
                    check(all(line[:3] in (b"234", b"421") for line in lines), f"split at {at}: {got!r}")
                    told += b"421" in got
        check(told > 10, f"only {told} sessions were told why they end")
        # The handshake is done, and what came before it has no effect.
        for behind in (b"", b"NOOP\r\n"):
            with Client(daemon) as client:
                client.reply()
                link = TlsLink(client.link, context_of()).start()
                client.link.sendall(line + behind + link.take())
                got = ends(client.link)
                check(got.startswith(b"421") and got.count(b"\r\n") == 1, f"{behind!r} and a ClientHello: {got!r}")
        check(not os.path.exists(os.path.join(daemon.root, "injected")), "an injected command was carried out")
        check("bytes behind AUTH" in daemon.log_text(), "the log says nothing")
        with TlsClient(daemon) as client:
            client.fetch("LIST")


def other_protocols_end():
    """In clear, under TLS and on the implicit port; nothing that they said is said back."""
    implicit = PortLock()
    with TlsDaemon(options=[f"listen_implicit_tls=127.0.0.1:{implicit.port}"]) as daemon:
        settle(lambda: is_ready(daemon))
        for text in CROSS + STRANGE:
            for where in ("clear", "auth", "implicit"):
                link = None
                if where == "clear":
                    link = socket.create_connection(("127.0.0.1", daemon.port), timeout=10)
                elif where == "auth":
                    link = TlsClient(daemon, has_login=False, is_private=False).link
                else:
                    link = TlsLink(socket.create_connection(("127.0.0.1", implicit.port), timeout=10), context_of()).handshake()
                try:
                    link.sendall(text)
                except (ConnectionResetError, BrokenPipeError):
                    pass
                got = ends(link) if text in CROSS else ends(link, 0.2, False)
                link.close()
                check(b"script" not in got and b"230" not in got and b"331" not in got, f"{where}, {text[:20]!r}: {got!r}")
        # The handshake of another protocol in clear, on the implicit port and behind AUTH.
        for text in CROSS + STRANGE:
            with socket.create_connection(("127.0.0.1", implicit.port), timeout=10) as link:
                link.sendall(text)
                check(b"220" not in ends(link), "FTP in clear on the implicit port")
    implicit.release()


def alpn_and_names():
    """ALPN: ours or none. SNI: whatever it is, the handshake succeeds or fails; the log has no control characters of it."""
    with TlsDaemon() as daemon:
        settle(lambda: is_ready(daemon))

        def hello(*words):
            with Client(daemon) as client:
                client.reply()
                client.ask("AUTH TLS", 234)
                return tls_peer(client.link, "hello", *words)

        for alpn, is_right in ALPNS:
            got = hello("localhost", alpn)
            check(("reply" in got) == is_right, f"ALPN {alpn}: {got}")
            check(is_right or "no application protocol" in got.get("failed", ""), f"ALPN {alpn}: {got}")
            check(not is_right or got["alpn"] == "ftp", f"ALPN {alpn}: {got}")
        for name in NAMES:
            got = hello(name)
            check("reply" in got or "failed" in got, f"SNI {name}: {got}")
        check("\0" not in daemon.log_text() and "\nUSER" not in daemon.log_text() and "\r" not in daemon.log_text(), "SNI writes into the log")
        with TlsClient(daemon) as client:
            client.ask("NOOP", 200)


def floods_are_bounded():
    """Renegotiation; 10,000 key updates; 10,000 empty records; 10,000 of one byte; 10,000 changes of the cipher before the handshake's end."""
    with TlsDaemon(options=["login_timeout=20"]) as daemon:
        settle(lambda: is_ready(daemon))

        def begin():
            client = Client(daemon)
            client.reply()
            client.ask("AUTH TLS", 234)
            return client

        before = worker_seconds(daemon)
        with begin() as client:
            got = tls_peer(client.link, "renegotiate")
            check(got.get("handshake") == "TLSv1.2", f"{got}")
            check("refused" in got or got.get("renegotiations") == "0" or "ended" in got, f"the server has renegotiated: {got}")
        with begin() as client:
            got = tls_peer(client.link, "updates", "5")
            check(got.get("reply", "").startswith("200"), f"5 key updates: {got}")
        with begin() as client:
            got = tls_peer(client.link, "updates", str(FLOOD))
            check("reply" not in got and "ended" in got, f"{FLOOD} key updates: {got}")
        with begin() as client:
            got = tls_peer(client.link, "empty", "5")
            check(got.get("reply", "").startswith("200"), f"5 empty records: {got}")
        with begin() as client:
            got = tls_peer(client.link, "empty", str(FLOOD))
            check("reply" not in got and "ended" in got, f"{FLOOD} empty records: {got}")
        with begin() as client:
            link = TlsLink(client.link, context_of("1.3")).start()
            try:
                client.link.sendall(link.take() + b"\x14\x03\x03\x00\x01\x01" * FLOOD)
                link.handshake(5)
                link.recv(100)
                check(link.end, "so many changes of the cipher are taken")
            except OSError:
                pass
        used = worker_seconds(daemon) - before
        check(used < 2 * slowness(), f"floods used {used:.1f} s of processor time")
        with TlsClient(daemon) as client:
            worker = worker_of(daemon, client)[0]
            before = cpu_seconds(worker.pid)
            for at in range(FLOOD // 6):
                for byte in b"NOOP\r\n":
                    client.link.tls.write(bytes((byte,)))
                if at % 50 == 49:
                    client.link.flush()
                    for _ in range(50):
                        check(client.reply()[0] == 200, "no 200")
            client.link.flush()
            for _ in range(FLOOD // 6 % 50):
                check(client.reply()[0] == 200, "no 200")
            used = cpu_seconds(worker.pid) - before
            check(used < 3 * slowness(), f"{FLOOD} records of one byte used {used:.1f} s of processor time")
        with connect(daemon) as client:
            client.fetch("LIST")


def a_hello_in_pieces():
    """The ClientHello in segments of one byte, and in records of one byte, which RFC 8446 5.1 allows."""
    with TlsDaemon() as daemon:
        settle(lambda: is_ready(daemon))
        for is_by_record in (False, True):
            for version in ("1.2", "1.3"):
                with Client(daemon) as client:
                    client.reply()
                    client.ask("AUTH TLS", 234)
                    client.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    link = TlsLink(client.link, context_of(version)).start()
                    data = link.take()
                    for at in range(5 if is_by_record else 0, len(data)):
                        client.link.sendall((data[:3] + b"\0\1" if is_by_record else b"") + data[at:at + 1])
                    try:
                        link.handshake()
                        link.sendall(b"NOOP\r\n")
                        check(link.recv(100).startswith(b"200"), "no 200")
                    except ssl.SSLError:
                        check(is_by_record, "the handshake fails")  # OpenSSL may find it too strange
        with TlsClient(daemon) as client:
            client.fetch("LIST")


def keys_are_updated_while_data_move():
    """SECURITY.md T12: key updates of the client during an upload and a download change nothing, if they are few."""
    with TlsDaemon() as daemon:
        with open(daemon.home("big"), "wb") as stream:
            stream.truncate(20 << 20)
        settle(lambda: is_ready(daemon))
        with TlsClient(daemon, "ann", is_private=False) as client:
            client.ask("PBSZ 0", 200)
            client.ask("PROT P", 200)
            link = client.dial(client.passive())
            client.ask("STOR up", 125, 150)
            got = tls_peer(link, "upload", "50")
            check(got.get("chunks") == "50", f"{got}")
            link.close()
            check(client.reply()[0] == 226, "the upload fails")
            check(os.path.getsize(daemon.home("up")) == 50 * 16384, "the upload is another")
            link = client.dial(client.passive())
            client.ask("RETR big", 125, 150)
            got = tls_peer(link, "download", "15")
            check(got.get("bytes") == str(20 << 20) and got.get("end") == "close_notify" and got.get("updates") == "15", f"{got}")
            link.close()
            check(client.reply()[0] == 226, "the download fails")
            # A flood is an end.
            link = client.dial(client.passive())
            client.ask("STOR flood", 125, 150)
            got = tls_peer(link, "updates", str(FLOOD))
            link.close()
            code, text = client.reply()
            check(code == 426, f"a flood of key updates: {text!r}, {got}")
            client.ask("NOOP", 200)


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    need_tls()
    sys.exit(run([nothing_behind_auth_is_carried_out, other_protocols_end, alpn_and_names, floods_are_bounded, a_hello_in_pieces,
                  keys_are_updated_while_data_move]))
