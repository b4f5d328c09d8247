#!/usr/bin/env python3
"""signals: SIGTERM ends everything and says 421; SIGHUP reads the configuration anew, for new sessions; a wrong file changes
nothing and says why; 200 reloads leak nothing."""

import os
import signal
import sys
import time

from lib_daemon import Daemon, slowness
from lib_system import (Client, check, connect, cpu_seconds, descriptor_kinds, is_ready, read_all, run,
                        settle, without_root)

BIG_BYTES = 1 << 26
RELOADS = 200
CONFIGURATION = """listen = {{"127.0.0.1:{port}"}}
max_sessions = {max_sessions}
shared_workers = 1
spare_min = 1
spare_max = 4
active_port = 0
{users}
anonymous {{ enabled = yes root = "{root}" }}
log {{ transfers = "{transfers}" events = "stderr" }}
"""


class FileDaemon(Daemon):
    """A daemon whose whole configuration is in its file."""

    def __init__(self, **changes):
        super().__init__(arguments=[])
        self.path = os.path.join(self.place, "deftpd.conf")
        self.arguments = ["-c", self.path]
        self.other_root = os.path.join(self.place, "other")
        os.mkdir(self.other_root, 0o755)
        for folder, text in ((self.root, b"old\n"), (self.other_root, b"new\n")):
            with open(os.path.join(folder, "which"), "wb") as stream:
                stream.write(text)
            with open(os.path.join(folder, "big"), "wb") as stream:
                stream.truncate(BIG_BYTES)
        self.write(**changes)

    def write(self, text=None, root=None, max_sessions=100):
        """Write the file anew, in one step."""
        given = {option.split("=")[0]: option.split("=")[1] for option in self.default_options()}
        users = "\n".join(f'{key} = "{given[key]}"' for key in ("worker_user", "recorder_user") if key in given)
        whole = CONFIGURATION.format(port=self.port, max_sessions=max_sessions, root=root or self.root, users=users,
                                     transfers=self.transfer_log)
        if "anonymous.user" in given:
            whole = whole.replace("enabled = yes", f'enabled = yes user = "{given["anonymous.user"]}"')
        with open(self.path + ".new", "w", encoding="utf-8") as stream:
            stream.write(whole if text is None else text)
        os.rename(self.path + ".new", self.path)

    def reload(self):
        """SIGHUP."""
        self.child.send_signal(signal.SIGHUP)


def which(daemon):
    """From which root a new session is served."""
    with connect(daemon) as client:
        return client.fetch("RETR which").decode().strip()


def sigterm_says_goodbye():
    """Every session, whatever it does, gets 421; the processes end; what was written is in the log."""
    with FileDaemon() as daemon:
        settle(lambda: is_ready(daemon))
        greeted = Client(daemon)
        greeted.reply()
        idle = connect(daemon)
        idle.fetch("RETR which")
        private = Client(daemon)
        private.reply()
        private.ask("USER somebody", 331, 530)
        busy = connect(daemon)
        link = busy.begin("RETR big")
        check(link.recv(10), "no data")
        # Nothing is read any more: the transfer cannot end by itself.
        begun = time.monotonic()
        complaints = daemon.stop()
        took = time.monotonic() - begun
        check(not complaints, "; ".join(complaints))
        check(took < 5, f"the end took {took:.1f} s")
        for name, client in (("greeted", greeted), ("idle", idle), ("private", private), ("busy", busy)):
            code, text = client.reply()
            while code and code != 421:
                check(code in (426, 451), f"{name}: {text!r}")
                code, text = client.reply()
            check(code == 421, f"{name}: 421 expected, got {text!r}")
            check(client.reply() == (0, ""), f"{name}: the connection does not end")
        check(" /which b _ o a " in daemon.transfer_text(), "the transfer log lost a line")


def who_starts_it_may_ignore_children():
    """An ignored SIGCHLD is inherited; the daemon learns all the same how its processes end, and ends itself in time."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with FileDaemon() as daemon:
        signal.signal(signal.SIGCHLD, before)
        settle(lambda: is_ready(daemon))
        victim = daemon.programs("deftpd-recorder")[0]
        os.kill(victim.pid, signal.SIGKILL)
        settle(lambda: any(p.pid != victim.pid for p in daemon.programs("deftpd-recorder")),
               text="another recorder has not been started")
        began = time.monotonic()
        daemon.stop()
        check(time.monotonic() - began < 2 * slowness(), f"it ended after {time.monotonic() - began:.1f} s")


def a_wrong_file_changes_nothing():
    """It says where and why; sessions go on, new ones as before."""
    with FileDaemon() as daemon:
        settle(lambda: is_ready(daemon))
        client = connect(daemon)
        before = sorted(p.pid for p in daemon.tree())
        for text, words in (("max_sesions = 3\n", "max_sesions"), ("anonymous {\n", "deftpd.conf"),
                            ('anonymous { enabled = yes root = "/nonexistent/root" }\n', "/nonexistent/root")):
            daemon.write(text=text)
            mark = len(daemon.log_text())
            daemon.reload()
            settle(lambda: words in daemon.log_text()[mark:], text=lambda: f"nothing is said about {text!r}")
            check("deftpd.conf:" in daemon.log_text()[mark:], "the line is not named")
            check(which(daemon) == "old", "a new session is served from elsewhere")
        os.unlink(daemon.path)
        mark = len(daemon.log_text())
        daemon.reload()
        settle(lambda: "deftpd.conf" in daemon.log_text()[mark:], text="nothing is said about a missing file")
        check(client.fetch("RETR which") == b"old\n", "the old session is not served")
        check(before == sorted(p.pid for p in daemon.tree()), "processes were replaced")


def a_right_file_serves_new_sessions():
    """Old sessions and transfers go on as they were."""
    with FileDaemon() as daemon:
        settle(lambda: is_ready(daemon))
        old = connect(daemon)
        link = old.begin("RETR big")
        first = link.recv(1000)
        daemon.write(root=daemon.other_root)
        daemon.reload()
        settle(lambda: which(daemon) == "new", text="new sessions do not see the new root")
        check(len(first) + len(read_all(link)) == BIG_BYTES, "the old transfer was cut")
        check(old.reply()[0] == 226, "the old transfer did not complete")
        check(old.fetch("RETR which") == b"old\n", "the old session sees the new root")
        old.close()


def limits_follow_the_file():
    """A lower max_sessions holds for who comes after."""
    with FileDaemon() as daemon:
        settle(lambda: is_ready(daemon))
        first, second = connect(daemon), connect(daemon)
        daemon.write(max_sessions=2)
        daemon.reload()

        def is_refused():
            with Client(daemon) as client:
                return client.reply()[0] == 421

        settle(is_refused, text="a third client is still let in")
        check(first.ask("NOOP", 200) and second.ask("NOOP", 200), "an old session is gone")


def many_reloads_leak_nothing():
    """200 of them, under load: descriptors and processes as before."""
    if without_root("many_reloads"):
        return
    with FileDaemon() as daemon:
        settle(lambda: is_ready(daemon))
        check(which(daemon) == "old", "not served")
        time.sleep(1)
        master = daemon.tree()[0]
        before = descriptor_kinds(master), len(daemon.tree())
        roots = (daemon.other_root, daemon.root)
        for number in range(RELOADS):
            daemon.write(root=roots[number % 2])
            daemon.reload()
            if number % 20 == 0:
                check(which(daemon) in ("old", "new"), "not served")
            else:
                time.sleep(0.02)
        settle(lambda: which(daemon) == "old", 20, "the last file is not in force")
        settle(lambda: (descriptor_kinds(daemon.tree()[0]), len(daemon.tree())) == before, 30,
               lambda: f"before: {before}, now: {descriptor_kinds(daemon.tree()[0])}, {daemon.tree()}")
        used = cpu_seconds(daemon.child.pid)
        time.sleep(1)
        check(cpu_seconds(daemon.child.pid) - used < 0.2, "the master does not come to rest")


if __name__ == "__main__":
    sys.exit(run([sigterm_says_goodbye, who_starts_it_may_ignore_children, a_wrong_file_changes_nothing, a_right_file_serves_new_sessions,
                  limits_follow_the_file, many_reloads_leak_nothing]))
