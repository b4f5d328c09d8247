#!/usr/bin/env python3
"""rates: the limits of a session, a user and an address, towards the client and from it. That a limit is an upper one is
asserted strictly (but for the burst that a bucket holds); that it is used, generously."""

import os
import sys
import threading
import time

from lib_system import TestFailure, check, need_root, run
from lib_users import UserClient, UserDaemon, versioned

RATE = 400000
SECONDS = 4.0
# A bucket holds half a second's worth.
BURST_S = 0.5
SHARED_BURST_S = 1.0  # while sessions begin, their shares are not told yet


class Mover(threading.Thread):
    """A session that downloads or uploads for so many seconds; `moved` is how much."""

    def __init__(self, daemon, user, is_upload, seconds, start_at, host=None):
        super().__init__()
        self.client = UserClient(daemon, user, host=host)
        self.is_upload = is_upload
        self.seconds = seconds
        self.start_at = start_at
        self.moved = 0
        self.trouble = None
        self.name_on_disk = daemon.home(f"up-{id(self)}", user=user)

    def run(self):
        try:
            self.move()
        except (OSError, TestFailure) as trouble:
            self.trouble = trouble

    def move(self):
        """Begin at the agreed time, and count what has come through at the end of it."""
        link = self.client.dial(self.client.passive())
        time.sleep(max(0, self.start_at - time.monotonic()))
        self.client.ask(f"STOR {os.path.basename(self.name_on_disk)}" if self.is_upload else "RETR big", 150, 125)
        end = time.monotonic() + self.seconds
        link.settimeout(0.05)
        block = bytes(65536)
        while time.monotonic() < end:
            try:
                if self.is_upload:
                    link.send(block)
                else:
                    self.moved += len(link.recv(1 << 16))
            except TimeoutError:
                pass
        if self.is_upload:
            # What has been written is what counts; what is in the sockets has not come through.
            self.moved = os.path.getsize(self.name_on_disk)
        link.close()
        self.client.close()


def measure(daemon, users, is_upload, hosts=None):
    """Sessions of these users at once; what each has moved in SECONDS."""
    start_at = time.monotonic() + 0.3 + 0.1 * len(users)
    movers = [Mover(daemon, user, is_upload, SECONDS, start_at, host) for user, host in
              zip(users, hosts or [None] * len(users))]
    for mover in movers:
        mover.start()
    for mover in movers:
        mover.join()
        check(mover.trouble is None, f"{mover.trouble}")
    return [mover.moved for mover in movers]


def make_files(daemon):
    """Something to fetch."""
    for user in daemon.homes:
        with open(daemon.home("big", user=user), "wb") as stream:
            stream.write(versioned("big", 16 * 1024 * 1024))


def within(moved, rate, what, burst_s=BURST_S):
    """Never more than the rate allows, and most of it."""
    most = rate * (SECONDS + burst_s) + 0.05 * rate * SECONDS
    print(f"  {what}: {moved / SECONDS / 1000:.0f} kB/s of {rate / 1000:.0f}")
    check(moved <= most, f"{what}: {moved} bytes in {SECONDS} s, allowed are {rate} a second")
    check(moved >= 0.5 * rate * SECONDS, f"{what}: only {moved} bytes in {SECONDS} s of {rate} a second")


def each_session_has_its_own():
    """rates.session_*: two sessions of one user each have the whole rate."""
    with UserDaemon(options=[f"rates.session_down={RATE}", f"rates.session_up={RATE // 2}"]) as daemon:
        make_files(daemon)
        for is_upload, rate in ((False, RATE), (True, RATE // 2)):
            for moved in measure(daemon, ["ann", "ann"], is_upload):
                within(moved, rate, f"session, {'up' if is_upload else 'down'}")


def sessions_of_a_user_share():
    """rates.user_*: three sessions of ann together have the rate, in fair parts; bob has his own."""
    with UserDaemon(users=("ann", "bob"), options=[f"rates.user_down={RATE}", f"rates.user_up={RATE}"]) as daemon:
        make_files(daemon)
        for is_upload in (False, True):
            way = "up" if is_upload else "down"
            *anns, bobs = measure(daemon, ["ann", "ann", "ann", "bob"], is_upload)
            within(sum(anns), RATE, f"user with three sessions, {way}", SHARED_BURST_S)
            within(bobs, RATE, f"user with one session, {way}", SHARED_BURST_S)
            fair = sum(anns) / 3
            check(all(0.75 * fair <= moved <= 1.25 * fair for moved in anns), f"{way}: not fair: {anns}")


def what_one_leaves_others_get():
    """A session that ends, or idles, leaves its part to the others."""
    with UserDaemon(options=[f"rates.user_down={RATE}"]) as daemon:
        make_files(daemon)
        idle = [UserClient(daemon) for _ in range(3)]
        moved = measure(daemon, ["ann"], False)[0]
        within(moved, RATE, "user, three sessions idle", SHARED_BURST_S)
        check(moved >= 0.75 * RATE * SECONDS, f"idle sessions take a part: {moved}")
        for client in idle:
            client.close()


def an_address_shares():
    """rates.address_*: users of one address share, whoever they are; another address has its own."""
    options = [f"rates.address_down={RATE}", f"rates.address_up={RATE}"]
    with UserDaemon(users=("ann", "bob"), options=options) as daemon:
        make_files(daemon)
        for is_upload in (False, True):
            way = "up" if is_upload else "down"
            moved = measure(daemon, ["ann", "bob"], is_upload)
            within(sum(moved), RATE, f"address, {way}", SHARED_BURST_S)
            fair = sum(moved) / 2
            check(all(0.75 * fair <= part <= 1.25 * fair for part in moved), f"{way}: not fair: {moved}")


def the_smallest_holds():
    """A session's own limit below its part of the user's."""
    options = [f"rates.user_down={RATE}", f"rates.session_down={RATE // 4}"]
    with UserDaemon(options=options) as daemon:
        make_files(daemon)
        for moved in measure(daemon, ["ann", "ann"], False):
            within(moved, RATE // 4, "session below its part", SHARED_BURST_S)


if __name__ == "__main__":
    need_root()
    sys.exit(run([each_session_has_its_own, sessions_of_a_user_share, what_one_leaves_others_get, an_address_shares,
                  the_smallest_holds]))
