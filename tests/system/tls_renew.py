#!/usr/bin/env python3
"""tls_renew: certificates that renew themselves (SECURITY.md T14; FEATURES: renewed ones that are not picked up): the files are watched; a right
pair is used for new sessions, as certbot swaps its links or by a rename; a wrong one is refused with a word, and the old one stays; and
all the while clients come and go, and none is turned away."""

import os
import re
import shutil
import signal
import ssl
import sys
import threading
import time

from lib_daemon import Daemon, slowness
from lib_system import TestFailure, check, is_ready, need_root, run, settle
from lib_tls import DAY, TlsClient, TlsDaemon, need_tls

NOTICED = 25  # seconds: two looks, a check, a new forkserver
LOAD = 3


def shown(daemon, name=None):
    """Which of the pairs a new session gets: its name."""
    with TlsClient(daemon, has_login=False, is_private=False, name=name) as client:
        for pair in daemon.certificates.made.values():
            if client.link.shows(pair):
                return pair.name
    raise TestFailure("a certificate that was never made")


class Load:
    """Clients that come, list, and go, until the end; any trouble is kept."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.is_over = False
        self.count = 0
        self.troubles = []
        self.threads = [threading.Thread(target=self.work) for _ in range(LOAD)]

    def work(self):
        """One after the other."""
        while not self.is_over:
            try:
                with TlsClient(self.daemon) as client:
                    client.fetch("LIST")
                    client.ask("QUIT", 221)
                self.count += 1
            except (TestFailure, OSError, ssl.SSLError) as error:
                self.troubles.append(repr(error))
                return
            time.sleep(0.05)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *ignored):
        self.is_over = True
        for thread in self.threads:
            thread.join()
        check(not self.troubles, f"after {self.count} sessions: {self.troubles}")
        check(self.count > 20, f"only {self.count} sessions")


class Files:
    """The files that the daemon reads, as certbot keeps them: links into an archive."""

    def __init__(self, daemon):
        self.live = os.path.join(daemon.place, "tls", "live")
        self.daemon = daemon
        os.mkdir(self.live)

    def path(self, kind):
        """Of the certificate or the key."""
        return os.path.join(self.live, {"certificate": "fullchain.pem", "key": "privkey.pem"}[kind])

    def link(self, certificate, key):
        """Let the links point elsewhere, at a stroke each."""
        for kind, target in (("certificate", certificate), ("key", key)):
            new = self.path(kind) + ".new"
            os.symlink(target, new)
            os.replace(new, self.path(kind))

    def use(self, pair):
        """The links point to a pair."""
        self.link(pair.certificate, pair.key)


def told(daemon, start, pattern):
    """Wait for a line of the log, behind a place in it."""
    def line():
        return re.search(pattern, daemon.log_text()[start:], re.M)
    return settle(line, NOTICED, lambda: f"/{pattern}/ is not in the log:\n{daemon.log_text()[start:]}").group(0)


def new_ones_are_used(daemon, files):
    """A swap of links, a rename over the files, a write into them; sessions that run are untouched."""
    made = daemon.certificates
    one, two, three = made.made["server"], made.own("two", kind="rsa"), made.own("three")
    check(shown(daemon) == "server", "the first one is another")
    with TlsClient(daemon, version="1.3") as old, TlsClient(daemon, version="1.2") as old2:
        check(old.fetch("LIST") and old2.fetch("LIST"), "nothing is listed")
        start = len(daemon.log_text())
        files.use(two)
        told(daemon, start, "new certificate in use.*")
        settle(lambda: shown(daemon) == "two", 5, "the new one is not shown")
        # As many tools do: new files, renamed over the old ones.
        start = len(daemon.log_text())
        for source, kind in ((three.certificate, "certificate"), (three.key, "key")):
            shutil.copy2(source, files.path(kind) + ".tmp")
            os.replace(files.path(kind) + ".tmp", files.path(kind))
        told(daemon, start, "new certificate in use.*")
        settle(lambda: shown(daemon) == "three", 5, "the new one is not shown")
        # Written in place, the key some moments before the certificate: half of it is never used.
        start = len(daemon.log_text())
        with open(one.key, "rb") as source, open(files.path("key"), "wb") as target:
            target.write(source.read())
        time.sleep(1)
        with open(one.certificate, "rb") as source, open(files.path("certificate"), "wb") as target:
            target.write(source.read())
        told(daemon, start, "new certificate in use.*")
        settle(lambda: shown(daemon) == "server", 5, "the new one is not shown")
        # Old sessions have seen nothing of it, and may resume what they have.
        for client in (old, old2):
            check(client.fetch("LIST"), "an old session is broken")
            client.ask("QUIT", 221)


def wrong_ones_are_refused(daemon, files):
    """Each kind of mistake: an error with the path in the log, and the old one stays; then a right one is taken."""
    made = daemon.certificates
    right = made.made["three"]
    garbage = os.path.join(made.place, "garbage")
    with open(garbage, "w", encoding="ascii") as stream:
        stream.write("-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n")
    empty = os.path.join(made.place, "empty")
    open(empty, "w", encoding="ascii").close()
    expired = made.issued("expired", "localhost", begins=-3 * DAY, ends=-DAY)
    early = made.issued("early", "localhost", begins=DAY, ends=30 * DAY)
    for name, certificate, key in (
            ("another's key", right.certificate, made.made["two"].key), ("expired", expired.certificate, expired.key),
            ("not yet valid", early.certificate, early.key), ("garbage", garbage, right.key), ("empty", empty, right.key),
            ("missing", os.path.join(made.place, "nothing"), right.key), ("a directory", made.place, right.key)):
        start = len(daemon.log_text())
        files.link(certificate, key)
        pattern = rf"error.*{re.escape(made.place)}.*"
        line = told(daemon, start, pattern)
        time.sleep(0.3)
        check(shown(daemon) == "server", f"{name}: the old one does not stay: {line}")
        # It is said once, not at each look.
        count = len(re.findall(pattern, daemon.log_text()[start:]))
        check(count <= 3, f"{name}: {count} errors for one mistake")
    # A reload with a wrong pair changes nothing either.
    start = len(daemon.log_text())
    daemon.child.send_signal(signal.SIGHUP)
    time.sleep(2 * slowness())
    check(shown(daemon) == "server", "a reload has taken a wrong pair")
    start = len(daemon.log_text())
    files.use(right)
    told(daemon, start, "new certificate in use.*")
    settle(lambda: shown(daemon) == "three", 5, "the right one is not shown")


def renewals_under_load():
    """All of it, while clients come and go; no forkserver and no worker is left over."""
    daemon = TlsDaemon()
    files = Files(daemon)
    files.use(daemon.pair)
    daemon.options += [f"tls.certificate={files.path('certificate')}", f"tls.private_key={files.path('key')}"]
    daemon.options = [option for option in daemon.options if option not in daemon.pair.options()]
    with open(os.path.join(daemon.root, "file"), "wb") as stream:
        stream.write(b"x")
    with daemon:
        settle(lambda: is_ready(daemon))
        before = len(daemon.tree())
        with Load(daemon):
            new_ones_are_used(daemon, files)
            wrong_ones_are_refused(daemon, files)
        settle(lambda: len(daemon.tree()) <= before + 3, 15, lambda: f"{before} processes before, now {daemon.tree()}")


def what_is_wrong_at_the_start():
    """No start with a wrong pair; one that has expired, will soon, or is not yet valid is served, with a warning."""
    daemon = TlsDaemon()
    made = daemon.certificates
    other = made.own("other")
    for name, begins, ends, words in (("expired", -10 * DAY, -DAY, "has expired on"), ("soon", -10 * DAY, 5 * DAY, "expires on"),
                                      ("early", DAY, 30 * DAY, "is not valid before")):
        pair = made.issued(name, "localhost", begins=begins, ends=ends)
        with Daemon(options=pair.options()) as served:
            settle(lambda served=served: is_ready(served))
            settle(lambda served=served, words=words: re.search(rf"warning.*({words})", served.log_text()),
                   text=lambda served=served: f"no warning: {served.log_text()}")
            with TlsClient(served, has_login=False, is_private=False) as client:
                check(client.link.shows(pair), "another certificate is shown")
    for name, certificate, key in (("another's key", made.made["server"].certificate, other.key), ("missing", made.place + "/none", other.key),
                                   ("no certificate", other.key, other.key)):
        refused = Daemon(options=[f"tls.certificate={certificate}", f"tls.private_key={key}"])
        try:
            refused.start()
        except Exception as error:
            check("ended at once, status 1" in str(error) and made.place in str(error), f"{name}: {error}")
        else:
            refused.kill()
            refused.remove()
            raise TestFailure(f"{name}: the daemon starts")
    daemon.remove()


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    need_tls()
    sys.exit(run([what_is_wrong_at_the_start, renewals_under_load]))
