#!/usr/bin/env python3
"""passive_theft: strangers who reach the passive port first, a thousand times, get nothing and do not break the transfer."""

import os
import socket
import sys
import threading
import time

from lib_daemon import Daemon
from lib_system import check, connect, cpu_seconds, enter_network, is_ready, read_all, reset, run, settle

HOST4, CLIENT4, STRANGER4 = "192.0.2.1", "192.0.2.2", "192.0.2.3"
HOST6, CLIENT6, STRANGER6 = "2001:db8:1::1", "2001:db8:2::2", "2001:db8:2::3"
ADDRESSES = [f"{host}/24" for host in (HOST4, CLIENT4, STRANGER4)] + [f"{host}/64" for host in (HOST6, CLIENT6, STRANGER6)]
CONTENT = os.urandom(200000)
STRANGERS = 1000
# How a stranger behaves: waits to be closed, closes at once, resets, sends something.
MANNERS = ("waits", "closes", "resets", "sends")


def stranger(address, source, manner):
    """One connection from somewhere else."""
    link = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET)
    link.settimeout(10)
    link.bind((source, 0))
    link.connect(address)
    if manner == "closes":
        link.close()
    elif manner == "resets":
        reset(link)
    elif manner == "sends":
        link.sendall(b"x" * 100)
    return link


def gets_nothing(link):
    """Whether the server ended this connection without a byte."""
    if link.fileno() < 0:
        return True
    try:
        return link.recv(100) == b""
    except (ConnectionResetError, BrokenPipeError):
        return True
    finally:
        link.close()


def steal(client, source, count, is_command_first):
    """Strangers come between the 229 and the client; before or after the command."""
    address = client.passive()
    if is_command_first:
        client.send("RETR file")
        time.sleep(0.05)
    crowd = []
    for number in range(count):
        crowd.append(stranger(address, source, MANNERS[number % len(MANNERS)]))
        if is_command_first:
            check(gets_nothing(crowd.pop()), "a stranger got something")
    link = client.dial(address)
    if not is_command_first:
        client.send("RETR file")
    check(client.reply()[0] in (125, 150), "the transfer does not begin")
    # One more, while the transfer is under way.
    try:
        crowd.append(stranger(address, source, "waits"))
    except ConnectionRefusedError:
        pass  # the port is closed already
    check(read_all(link) == CONTENT, "the content is wrong")
    check(client.reply()[0] == 226, "the transfer is not complete")
    check(all([gets_nothing(link) for link in crowd]), "a stranger got something")


def strangers_come_first():
    """By IPv4 and IPv6."""
    daemon = Daemon(options=["data_timeout=60", "max_sessions_per_address=0"])
    daemon.options.append(f"listen=*:{daemon.port}")
    with open(os.path.join(daemon.root, "file"), "wb") as stream:
        stream.write(CONTENT)
    with daemon:
        settle(lambda: is_ready(daemon))
        used = sum(cpu_seconds(p.pid) for p in daemon.programs("deftpd-worker"))
        for family, host, source, thief in ((4, HOST4, CLIENT4, STRANGER4), (6, HOST6, CLIENT6, STRANGER6)):
            with connect(daemon, family=family, host=host, source=source) as client:
                steal(client, thief, STRANGERS, False)
                steal(client, thief, STRANGERS, True)
                steal(client, thief, 0, False)
        used = sum(cpu_seconds(p.pid) for p in daemon.programs("deftpd-worker")) - used
        check(used < 5, f"the strangers cost {used:.1f} s of processor time")


def a_flood_does_not_starve_the_client():
    """Strangers wait in the listener's queue, and more come all the time, when the client comes."""
    daemon = Daemon(options=["max_sessions_per_address=0"])
    daemon.options.append(f"listen=*:{daemon.port}")
    with open(os.path.join(daemon.root, "file"), "wb") as stream:
        stream.write(CONTENT)
    with daemon:
        settle(lambda: is_ready(daemon))
        with connect(daemon, host=HOST4, source=CLIENT4) as client:
            address = client.passive()
            is_over = threading.Event()

            def crowd():
                while not is_over.is_set():
                    try:
                        stranger(address, STRANGER4, "closes")
                    except OSError:
                        pass

            crowds = [threading.Thread(target=crowd) for _ in range(3)]
            for each in crowds:
                each.start()
            time.sleep(0.02)
            try:
                link = client.dial(address)
                client.send("RETR file")
                check(client.reply()[0] in (125, 150), "the transfer does not begin")
                check(read_all(link) == CONTENT, "the content is wrong")
                check(client.reply()[0] == 226, "the transfer is not complete")
            finally:
                is_over.set()
                for each in crowds:
                    each.join()


if __name__ == "__main__":
    enter_network(ADDRESSES)
    sys.exit(run([strangers_come_first, a_flood_does_not_starve_the_client]))
