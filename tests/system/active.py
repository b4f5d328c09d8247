#!/usr/bin/env python3
"""active: data connections leave from port 20 as root, over IPv4 and IPv6, and go to nobody but the client itself."""

import os
import socket
import sys

from lib_daemon import Daemon
from lib_system import TestFailure, check, connect, enter_network, is_ready, read_all, run, settle

HOST4, CLIENT4, OTHER4 = "192.0.2.1", "192.0.2.2", "192.0.2.3"
HOST6, CLIENT6, OTHER6 = "2001:db8:1::1", "2001:db8:2::2", "2001:db8:3::3"
ADDRESSES = [f"{host}/24" for host in (HOST4, CLIENT4, OTHER4)] + [f"{host}/64" for host in (HOST6, CLIENT6, OTHER6)]
CONTENT = os.urandom(300000)


def started(*options):
    """A daemon on all addresses, with one file."""
    daemon = Daemon(options=list(options))
    daemon.options.append(f"listen=*:{daemon.port}")
    with open(os.path.join(daemon.root, "file"), "wb") as stream:
        stream.write(CONTENT)
    return daemon


def listener(host, port=0):
    """Where the server shall connect to, or must not."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    link = socket.socket(family)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    link.bind((host, port))
    link.listen(8)
    return link


def port_command(host, port):
    """PORT or EPRT for an address."""
    if ":" in host:
        return f"EPRT |2|{host}|{port}|"
    return f"PORT {host.replace('.', ',')},{port // 256},{port % 256}"


def transfer(client, host):
    """RETR in active mode; returns from where the server came."""
    with listener(host) as target:
        target.settimeout(10)
        client.ask(port_command(host, target.getsockname()[1]), 200)
        client.send("RETR file")
        link, source = target.accept()
        check(client.reply()[0] in (125, 150), "no 150")
        check(read_all(link) == CONTENT, "the content is wrong")
        check(client.reply()[0] == 226, "no 226")
        return source[:2]


def data_comes_from_port_20():
    """PORT, EPRT with IPv4 and IPv6; several after another, and at once from several sessions."""
    with started() as daemon:
        settle(lambda: is_ready(daemon))
        for host, client_host, family in ((HOST4, CLIENT4, 4), (HOST6, CLIENT6, 6)):
            with connect(daemon, family=family, host=host, source=client_host) as client:
                for _ in range(5):
                    source = transfer(client, client_host)
                    check(source == (host, 20), f"the data connection comes from {source}")
        with connect(daemon, host=HOST4, source=CLIENT4) as client, listener(CLIENT4) as target:
            client.ask(f"EPRT |1|{CLIENT4}|{target.getsockname()[1]}|", 200)
            client.send("RETR file")
            link, source = target.accept()
            check(source == (HOST4, 20), f"the data connection comes from {source}")
            link.close()
        clients = [connect(daemon, host=HOST4, source=source) for source in (CLIENT4, OTHER4) for _ in range(4)]
        targets = [listener(client.source) for client in clients]
        for client, target in zip(clients, targets):
            client.ask(port_command(client.source, target.getsockname()[1]), 200)
            client.send("RETR file")
        for client, target in zip(clients, targets):
            link, source = target.accept()
            check(source == (HOST4, 20), f"the data connection comes from {source}")
            check(read_all(link) == CONTENT, "the content is wrong")
            client.close()


def any_port_when_told():
    """active_port=0."""
    with started("active_port=0") as daemon:
        settle(lambda: is_ready(daemon))
        with connect(daemon, host=HOST4, source=CLIENT4) as client:
            host, port = transfer(client, CLIENT4)
            check(host == HOST4 and port >= 1024, f"the data connection comes from {host}:{port}")


def nobody_else_is_reached():
    """Foreign addresses, other forms of them, and ports below 1024 are refused; nothing arrives there."""
    with started() as daemon:
        settle(lambda: is_ready(daemon))
        for host, client_host, others, family in ((HOST4, CLIENT4, (OTHER4, HOST4, "127.0.0.1"), 4),
                                                  (HOST6, CLIENT6, (OTHER6, HOST6, "::1"), 6)):
            with connect(daemon, family=family, host=host, source=client_host) as client:
                for other in others:
                    with listener(other) as target:
                        expect_refusal(client, port_command(other, target.getsockname()[1]))
                        expect_silence(client, target)
                with listener(client_host, 1023) as target:
                    expect_refusal(client, port_command(client_host, 1023))
                    expect_silence(client, target)
                expect_refusal(client, port_command(client_host, 0))
                source = transfer(client, client_host)
                check(source == (host, 20), "the session is of no use any more")
        with connect(daemon, family=6, host=HOST6, source=CLIENT6) as client, listener(CLIENT4) as target:
            expect_refusal(client, f"EPRT |1|{CLIENT4}|{target.getsockname()[1]}|")
            expect_refusal(client, f"EPRT |2|::ffff:{CLIENT4}|{target.getsockname()[1]}|")
            expect_silence(client, target)


def expect_refusal(client, command):
    """500, 501 or what RFC 2428 has for a family."""
    text = client.ask(command)
    if text[:3] not in ("500", "501", "504", "522"):
        raise TestFailure(f"{command}: {text!r}")


def expect_silence(client, target):
    """A transfer now fails, and nobody has connected."""
    client.send("RETR file")
    code, text = client.reply()
    while code in (125, 150):
        code, text = client.reply()
    check(code in (425, 503), f"a transfer without data connection: {text!r}")
    target.settimeout(0.1)
    try:
        link, source = target.accept()
    except TimeoutError:
        return
    link.close()
    raise TestFailure(f"{source} has connected to {target.getsockname()}")


if __name__ == "__main__":
    enter_network(ADDRESSES)
    sys.exit(run([data_comes_from_port_20, any_port_when_told, nobody_else_is_reached]))
