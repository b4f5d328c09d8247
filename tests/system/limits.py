#!/usr/bin/env python3
"""limits: max_sessions and max_sessions_per_address hold before a process is spent; IPv6 is counted by /64. A refused client gets
one 421 line with a sentence."""

import re
import sys
import time

from lib_daemon import Daemon
from lib_system import Client, check, connect, enter_network, is_ready, run, settle
from lib_users import UserClient, UserDaemon

HOST4, HOST6 = "192.0.2.1", "2001:db8:1::1"
ADDRESSES = [f"{HOST4}/24"] + [f"192.0.2.{last}/24" for last in range(2, 8)] + [
    f"{HOST6}/64", "2001:db8:1:0:ffff::2/64", "2001:db8:1::3/64", "2001:db8:2::1/64", "2001:db8:2:0:1::2/64"]


def listening(*options):
    """A daemon that listens on all addresses of our network."""
    daemon = Daemon(options=list(options))
    daemon.options.append(f"listen=*:{daemon.port}")
    return daemon


def refused(daemon, **how):
    """Whether the client is refused; it must be in the right way."""
    with Client(daemon, **how) as client:
        code, text = client.reply()
        if code != 421:
            return False
        check(re.match(r"421 [A-Z].{10,}[.!]$", text), f"no sentence: {text!r}")
        check(client.line() == "", "more than one line")
        return True


def greeted(daemon, **how):
    """A client that is let in."""
    client = Client(daemon, **how)
    code, text = client.reply()
    check(code == 220, f"{how}: 220 expected, got {text!r}")
    return client


def process_ids(daemon):
    """Who is there now."""
    return sorted(p.pid for p in daemon.tree())


def the_total_is_limited():
    """max_sessions=3; sessions at private workers count, too. Who has logged in keeps his place (early_drop.h)."""
    daemon = UserDaemon(options=["max_sessions=3", "max_sessions_per_address=0"])
    daemon.options.append(f"listen=*:{daemon.port}")
    with daemon:
        settle(lambda: is_ready(daemon))
        time.sleep(0.5)
        inside = [UserClient(daemon, host=HOST4, source="192.0.2.2"), connect(daemon, host=HOST4, source="192.0.2.3"),
                  connect(daemon, family=6, host=HOST6)]
        time.sleep(0.5)
        before = process_ids(daemon)
        for _ in range(200):
            check(refused(daemon, host=HOST4, source="192.0.2.4"), "a fourth client is let in")
        check(process_ids(daemon) == before, "a process was spent on a refused client")
        inside.pop().close()
        settle(lambda: not refused(daemon, host=HOST4), text="a free place is not given away")
        for client in inside:
            client.ask("NOOP", 200)
            client.close()


def an_ipv4_address_is_limited():
    """max_sessions_per_address=2, others are not concerned."""
    with listening("max_sessions_per_address=2") as daemon:
        settle(lambda: is_ready(daemon))
        inside = [greeted(daemon, host=HOST4, source="192.0.2.2") for _ in range(2)]
        before = process_ids(daemon)
        for _ in range(50):
            check(refused(daemon, host=HOST4, source="192.0.2.2"), "a third client of the address is let in")
        check(process_ids(daemon) == before, "a process was spent on a refused client")
        inside += [greeted(daemon, host=HOST4, source="192.0.2.3") for _ in range(2)]
        check(refused(daemon, host=HOST4, source="192.0.2.3"), "the other address is not limited")
        # The one that is at a private worker still counts.
        inside[0].ask("USER somebody", 331, 530)
        time.sleep(0.3)
        check(refused(daemon, host=HOST4, source="192.0.2.2"), "a handed-over session is not counted")
        inside[0].close()
        settle(lambda: not refused(daemon, host=HOST4, source="192.0.2.2"), text="an ended session is still counted")
        for client in inside:
            client.close()


def an_ipv6_network_is_limited():
    """Three addresses of one /64 share the limit, another /64 has its own."""
    with listening("max_sessions_per_address=3") as daemon:
        settle(lambda: is_ready(daemon))
        inside = [greeted(daemon, family=6, host=HOST6, source=source)
                  for source in (HOST6, "2001:db8:1:0:ffff::2", "2001:db8:1::3")]
        for source in (HOST6, "2001:db8:1:0:ffff::2", "2001:db8:1::3"):
            check(refused(daemon, family=6, host=HOST6, source=source), f"{source}: the /64 is not limited")
        inside += [greeted(daemon, family=6, host=HOST6, source=source)
                   for source in ("2001:db8:2::1", "2001:db8:2::1", "2001:db8:2:0:1::2")]
        check(refused(daemon, family=6, host=HOST6, source="2001:db8:2::1"), "the other /64 is not limited")
        # IPv4 clients of the same listener are counted by themselves, not as ::ffff:0:0/64.
        inside += [greeted(daemon, host=HOST4, source=f"192.0.2.{last}") for last in (2, 3, 4, 5)]
        for client in inside:
            client.close()


def the_log_is_not_flooded():
    """A thousand refusals are a few lines."""
    with listening("max_sessions=1") as daemon:
        settle(lambda: is_ready(daemon))
        with connect(daemon, host=HOST4):
            for _ in range(1000):
                check(refused(daemon, host=HOST4), "a second client is let in")
            time.sleep(0.5)
            lines = [line for line in daemon.log_text().splitlines() if "refus" in line.lower() or "421" in line]
            check(len(lines) < 20, f"{len(lines)} lines about refused clients")


if __name__ == "__main__":
    enter_network(ADDRESSES)
    sys.exit(run([the_total_is_limited, an_ipv4_address_is_limited, an_ipv6_network_is_limited, the_log_is_not_flooded]))
