#!/usr/bin/env python3
"""backdoor: USER and HELP with every string of two bytes, and with the words that opened the back doors of other servers' archives,
start no process and open no port (SECURITY.md A23, CVE-2011-2523, CVE-2010-20103)."""

import sys
from collections import Counter

from lib_system import Client, check, enter_network, is_ready, run, settle
from lib_users import UserClient, UserDaemon

PROGRAMS = {"deftpd", "deftpd-worker", "deftpd-agent", "deftpd-auth", "deftpd-recorder"}
CHUNK = 4096
TWO_BYTES = [bytes((first, second)) for first in range(256) for second in range(256)]
# A line's end in it makes two commands of one, and the second is unknown: before the login ten of those end the session.
ONE_LINE = [two for two in TWO_BYTES if b"\n" not in two]
# IAC SE ends what a telnet command has begun, and may eat a line's end; SYST has a reply that nothing else here has.
MARKER = b"NOOP\xff\xf0\r\nNOOP\r\nSYST\r\n"
TRIGGERS = (b"HELP ACIDBITCHEZ", b"USER nergal:)", b"USER :)", b"USER ftp:)", b"USER ACIDBITCHEZ", b"SITE EXEC id", b"SITE %p", b"SITE INDEX %s",
            b"USER %n%n", b"PASS ACIDBITCHEZ", b"SITE CHMOD", b"HELP :)", b"DEBUG", b"WIZ", b"SHELL", b"EXEC /bin/sh", b"QUOTE id", b"SITE HELP ACIDBITCHEZ", b"ACCT :)", b"CLNT :)", b"HOST [::]")


def listeners():
    """Every listening TCP port, and every open UDP, raw and UNIX one, of this network."""
    found = Counter()
    for table, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", None), ("udp6", None), ("raw", None), ("raw6", None)):
        with open(f"/proc/net/{table}", encoding="ascii") as stream:
            rows = [line.split() for line in stream][1:]
        found.update((table, row[1]) for row in rows if state in (None, row[3]))
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as stream:
        found.update(("unix", line.split()[7]) for line in list(stream)[1:] if len(line.split()) > 7)
    return found


def programs(daemon):
    """How many processes there are of each program, of the whole session, however they have parted from the master."""
    return Counter(process.program for process in daemon.survivors() if process.state != "Z")


def say_all(client, daemon, lines):
    """Say the lines, many at once; whatever the replies are, no other program runs and nobody else listens."""
    ports = listeners()
    count = 0
    for at in range(0, len(lines), CHUNK):
        count += say_some(client, b"".join(line + b"\r\n" for line in lines[at:at + CHUNK]) + MARKER)
        check(set(programs(daemon)) <= PROGRAMS, f"after {lines[at][:20]}: {programs(daemon)}")
        check(listeners() == ports, f"after {lines[at][:20]}: {listeners() - ports} listens")
    return count


def say_some(client, data):
    """Send while reading, so that neither side waits for the other; returns the number of replies."""
    client.link.setblocking(False)
    count, codes = 0, b""
    try:
        while True:
            try:
                data = data[client.link.send(data):] if data else b""
            except BlockingIOError:
                pass
            client.link.setblocking(not data)
            client.link.settimeout(10 if not data else 0)
            try:
                more = client.link.recv(1 << 18)
            except BlockingIOError:
                continue
            check(more, "the session is over")
            codes += more
            count += more.count(b"\n")
            if b"\n215 " in b"\n" + codes and codes.endswith(b"\n"):
                return count
            codes = codes[-2000:]
    finally:
        client.link.settimeout(10)


def nothing_opens():
    """Before a login by a shared worker, by a private one, and as a user."""
    with UserDaemon() as daemon:
        settle(lambda: is_ready(daemon))
        with UserClient(daemon) as client:
            client.ask("PWD", 257)
        settle(lambda: len(daemon.programs("deftpd-worker")) > 1)
        before = settled(daemon)
        ports = listeners()
        with Client(daemon) as client:
            client.reply()
            check(say_all(client, daemon, [b"HELP " + two for two in ONE_LINE]) >= len(ONE_LINE), "too few replies to HELP")
        with Client(daemon) as client:
            client.reply()
            client.ask("USER nobody-here", 331)
            check(say_all(client, daemon, [b"USER " + two for two in ONE_LINE]) >= len(ONE_LINE), "too few replies to USER")
        with Client(daemon) as client:
            client.reply()
            say_all(client, daemon, list(TRIGGERS))
            client.ask("USER nergal:)", 331)
            client.ask("PASS pass", 530)
        with UserClient(daemon) as client:
            say_all(client, daemon, [b"HELP " + two for two in TWO_BYTES] + list(TRIGGERS))
        settle(lambda: programs(daemon) == before, 15, lambda: f"before {before}, now {programs(daemon)}")
        check(listeners() == ports, f"{listeners() - ports} listens")


def settled(daemon):
    """The programs that run when nothing changes any more."""
    last = [programs(daemon)]

    def is_same():
        now = programs(daemon)
        last[0], was = now, last[0]
        return now == was and "deftpd-auth" in now

    settle(is_same)
    return last[0]


if __name__ == "__main__":
    enter_network([])
    sys.exit(run([nothing_opens]))
