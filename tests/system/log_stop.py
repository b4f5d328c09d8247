#!/usr/bin/env python3
"""log_stop: a reader of the logs who stops blocks no session, loses lines only when a bounded memory is full, and is told how many. A
full disk is told, too; a journal gets each event with its fields; hostile names make no lines."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

from lib_daemon import SKIPPED, Daemon
from lib_system import Client, check, connect, cpu_seconds, enter_mounts, is_ready, run, settle, without_root

SESSIONS = 1000
JOURNAL = "/run/systemd/journal/socket"
HOSTILE = ["line\nfeed", "es\x1b[31mcape", "back\\slash", "blank and tab\t", "quote\"s", "c1\u009bcsi", "bidi\u202e", "latin-\udce4", "%s%n%x",
           "-rf", "\u00e4\u20ac"]


class FifoDaemon(Daemon):
    """A daemon whose standard error and transfer log are FIFOs that nobody reads."""

    def __init__(self, **how):
        super().__init__(**how)
        self.fifos = {}
        for path in (self.error_path, self.transfer_log):
            os.mkfifo(path, 0o622)
            os.chmod(path, 0o622)
            self.fifos[path] = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def drain(self, path):
        """What waits in a FIFO."""
        parts = []
        while True:
            try:
                part = os.read(self.fifos[path], 1 << 16)
            except BlockingIOError:
                return b"".join(parts)
            if not part:
                return b"".join(parts)
            parts.append(part)

    def log_text(self):
        """The log is not a file here; the test reads it."""
        return ""

    def transfer_text(self):
        """Neither is this."""
        return ""


def put(daemon, name, content=b"content\n"):
    """A file in the anonymous root."""
    with open(os.path.join(os.fsencode(daemon.root), os.fsencode(name)), "wb") as stream:
        stream.write(content)


def a_stopped_reader_blocks_nobody():
    """1,000 sessions with nobody reading; then everything that was kept comes, in order, and the rest is counted."""
    name = "n" * 200
    with FifoDaemon(options=["max_sessions=3000", "max_sessions_per_address=0"]) as daemon:
        put(daemon, name)
        time.sleep(1)
        begun = time.monotonic()
        for _ in range(SESSIONS):
            with connect(daemon) as client:
                check(client.fetch("RETR " + name) == b"content\n", "the content is wrong")
        took = time.monotonic() - begun
        print(f"  {SESSIONS} sessions in {took:.1f} s")
        # 65,536 bytes fit in each pipe, some MiB in the recorder: nothing was lost yet.
        text = read_lines(daemon, daemon.transfer_log, lambda text: text.count(b"\n") >= SESSIONS)
        check(text.count(b" ftp 0 * c\n") == SESSIONS, f"{text.count(b' c')} of {SESSIONS} transfers are in the log")
        text = read_lines(daemon, daemon.error_path, lambda text: text.count(b"session ended") >= SESSIONS)
        check(text.count(b"session ended") == SESSIONS, "ends of sessions are missing")
        check(all(re.match(rb"\d{4}-\d\d-\d\dT[\d:]{8}Z (info|warning|error)[ :]", line) or line.startswith(b"deftpd: ")
                  for line in text.splitlines()), "a line is torn")


def read_lines(daemon, path, is_enough):
    """Read a FIFO until it is enough."""
    text = [b""]

    def read():
        text[0] += daemon.drain(path)
        return is_enough(text[0])

    settle(read, 20, lambda: f"{text[0].count(10)} lines have come, the last are {text[0][-500:]!r}")
    time.sleep(0.5)
    return text[0] + daemon.drain(path)


def lost_lines_are_counted_and_told():
    """More than the recorder keeps: lines are dropped, nobody waits, and the log says how many."""
    # An escape is four times as long: some 800 bytes of name make 3,200.
    deep = "/".join(["\x01" * 200] * 4)
    count = 2000
    with FifoDaemon() as daemon:
        os.makedirs(os.path.join(daemon.root, os.path.dirname(deep)))
        put(daemon, deep, b"")
        time.sleep(1)
        begun = time.monotonic()
        with connect(daemon) as client:
            for _ in range(count):
                client.fetch("RETR " + deep)
                time.sleep(0.001)  # a recorder that gets no processor would let the worker drop records instead
        print(f"  {count} transfers in {time.monotonic() - begun:.1f} s")
        texts = {path: b"" for path in daemon.fifos}

        def is_told():
            for path in texts:
                texts[path] += daemon.drain(path)
            return all(b"lines of the %s log were lost" % kind in texts[daemon.error_path] for kind in (b"event", b"transfer"))

        settle(is_told, 20, lambda: f"nothing is told; the last are {texts[daemon.error_path][-500:]!r}")
        time.sleep(1.5)
        is_told()
        text = texts[daemon.error_path]
        lost = {kind: sum(int(number) for number in re.findall(rb"(\d+) lines of the %s log were lost" % kind, text))
                for kind in (b"event", b"transfer")}
        dropped = sum(int(number) for number in re.findall(rb"had to drop (\d+) records", text))
        arrived = {b"event": text.count(b": sent "), b"transfer": texts[daemon.transfer_log].count(b"\n")}
        for kind, seen in arrived.items():
            print(f"  {kind.decode()}s: {seen} written, {lost[kind]} lost, {dropped} dropped before")
            check(lost[kind] > 0, "nothing was lost, so nothing was tested")
            # Login and end are events, too.
            check(count <= seen + lost[kind] + dropped <= count + dropped + 3, "the count is wrong")


def a_full_disk_is_told():
    """Writing the transfer log fails: sessions go on, and the event log says why lines are missing when there is room again."""
    in_own_mounts(disk_in_our_mounts)


def in_own_mounts(test):
    """Run a test in a process with mounts of its own."""
    if without_root(test.__name__):
        return
    process = os.fork()
    if process == 0:
        status = 1
        try:
            enter_mounts()
            status = test()
        except SystemExit as ended:
            status = ended.code
        finally:
            sys.stdout.flush()
            os._exit(status)
    _, status = os.waitpid(process, 0)
    status = os.waitstatus_to_exitcode(status)
    check(status in (0, SKIPPED), f"{test.__name__} has failed")
    if status == SKIPPED:
        print("  skipped: no file system can be mounted")


def mount(folder, options="mode=777"):
    """A small file system in memory."""
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=False).returncode == 0


def disk_in_our_mounts():
    """In a process with mounts of its own."""
    with Daemon() as daemon:
        put(daemon, "file")
        settle(lambda: is_ready(daemon))
        # The log moves onto a full disk.
        folder = os.path.dirname(daemon.transfer_log)
        if not mount(folder, "mode=777,size=64k"):
            return SKIPPED
        filler = os.path.join(folder, "filler")
        with open(daemon.transfer_log, "wb"), open(filler, "wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(bytes(4096))
            except OSError:
                pass
        os.chmod(daemon.transfer_log, 0o666)
        mark = len(daemon.log_text())
        daemon.child.send_signal(signal.SIGHUP)
        settle(lambda: "read anew" in daemon.log_text()[mark:], text="the reload is not confirmed")
        with connect(daemon) as client:
            for _ in range(5):
                client.fetch("RETR file")
            time.sleep(2.5)
            check("were lost" not in daemon.log_text(), "it is told before anything could be written")
            os.unlink(filler)
            client.fetch("RETR file")
            settle(lambda: "5 lines of the transfer log were lost: No space left on device" in daemon.log_text(),
                   text="the full disk is not told")
            check(daemon.transfer_text().count(" /file b _ o a ") == 1, "the log does not go on")
        subprocess.run(["umount", "-l", folder], check=True)
    return 0


def hostile_names_stay_on_their_line():
    """One event is one line, and one transfer is one line with all its fields, whatever the name."""
    with Daemon() as daemon:
        for name in HOSTILE:
            put(daemon, name)
        settle(lambda: is_ready(daemon))
        with Client(daemon) as client:
            client.reply()
            client.ask("USER anonymous", 331, 230)
            client.ask("PASS me@x \x1b[2J \x7f", 230, 501, 500)
            fetched = 0
            for name in HOSTILE:
                if "\n" in name:
                    continue  # no command can carry it; the listing's business
                link = client.dial(client.passive())
                client.link.sendall(b"RETR " + os.fsencode(name) + b"\r\n")
                code, _ = client.reply()
                if code in (125, 150):
                    fetched += 1
                    link.recv(100)
                    check(client.reply()[0] == 226, "no 226")
                link.close()
            check(fetched >= len(HOSTILE) - 3, f"only {fetched} could be fetched")
        settle(lambda: "session ended" in daemon.log_text() and daemon.transfer_text().count("\n") >= fetched,
               text=lambda: f"{fetched} were fetched, the logs have {daemon.transfer_text()!r} and {daemon.log_text()!r}")
        with open(daemon.error_path, "rb") as stream:
            events = stream.read()
        with open(daemon.transfer_log, "rb") as stream:
            transfers = stream.read()
        check(events.count(b": sent ") == fetched, "an event is missing")
        check(transfers.count(b"\n") == fetched, "a transfer is missing")
        for line in (events + transfers).splitlines():
            line.decode("utf-8")  # well-formed
            check(not re.search(rb"[\x00-\x1f\x7f\\](?<!\\(?=x[0-9a-f]{2}))", line.replace(b"\\x", b"")), f"a control character: {line!r}")
            check("\u202e" not in line.decode() and "\u009b" not in line.decode(), f"a confusing character: {line!r}")
        for line in transfers.splitlines():
            check(re.fullmatch(rb"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} \d+ [0-9a-f.:]+ \d+ /\S+ [ab] _ [io] [ar] \S+ ftp 0 \* [ci]", line),
                  f"no xferlog line: {line!r}")


def the_journal_gets_fields():
    """A stand-in for journald hears each event as a datagram, under the recorder's confinement; when it is gone, standard error does."""
    in_own_mounts(journal_in_our_mounts)


def journal_in_our_mounts():
    """In a process with mounts of its own."""
    if not mount("/run"):
        return SKIPPED
    os.makedirs(os.path.dirname(JOURNAL))
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.bind(JOURNAL)
    os.chmod(JOURNAL, 0o666)
    journal.settimeout(10)
    with Daemon(options=["log.events=journal"]) as daemon:
        put(daemon, "a b")
        fields = []

        def heard(word):
            while not fields or word not in fields[-1].get("MESSAGE", ""):
                text = journal.recv(1 << 20).decode()
                check(text.endswith("\n"), f"no whole datagram: {text!r}")
                fields.append(dict(line.split("=", 1) for line in text.splitlines()))
            return fields[-1]

        check(heard("is ready")["PRIORITY"] == "6", "the priority is wrong")
        client = connect(daemon)
        client.fetch("RETR a b")
        found = heard("sent")
        wanted = {"MESSAGE": 'sent "/a b" (8 bytes in', "PRIORITY": "6", "SYSLOG_IDENTIFIER": "deftpd", "FTP_REMOTE": "127.0.0.1",
                  "FTP_USER": "anonymous", "FTP_PATH": "/a b"}
        for key, value in wanted.items():
            check(found.get(key, "").startswith(value), f"{key} is {found.get(key)!r}")
        check(found["FTP_SESSION"].isdigit(), "no session")
        check("sent" not in daemon.log_text(), "the event is on standard error, too")
        journal.close()
        # The first event tells the recorder that nobody listens any more, the next ones go to standard error.
        settle(lambda: client.fetch("RETR a b") and "standard error" in daemon.log_text(), 20, "nothing is said about the lost journal")
        client.fetch("RETR a b")
        settle(lambda: 'sent "/a b"' in daemon.log_text(), text="events are lost with the journal")
        client.close()
    return 0


def a_stopped_recorder_blocks_nobody():
    """SIGSTOP to the recorder itself: sessions go on, and afterwards their records come."""
    if without_root("a_stopped_recorder"):
        return
    with Daemon(options=["max_sessions_per_address=0"]) as daemon:
        put(daemon, "file")
        settle(lambda: is_ready(daemon))
        recorder = daemon.programs("deftpd-recorder")[0]
        os.kill(recorder.pid, signal.SIGSTOP)
        for _ in range(SESSIONS):
            with connect(daemon) as client:
                client.fetch("RETR file")
        used = sum(cpu_seconds(process.pid) for process in daemon.tree())
        time.sleep(1)
        used = sum(cpu_seconds(process.pid) for process in daemon.tree()) - used
        check(used < 0.2, f"waiting for the recorder costs {used:.2f} s of processor time a second")
        os.kill(recorder.pid, signal.SIGCONT)
        # The workers kept what it could not read.
        settle(lambda: daemon.transfer_text().count("\n") >= SESSIONS, 20,
               lambda: f"{daemon.transfer_text().count(chr(10))} of {SESSIONS} transfers were logged")
        check(daemon.transfer_text().count("\n") == SESSIONS and "had to drop" not in daemon.log_text(), "the count is wrong")


if __name__ == "__main__":
    sys.exit(run([a_stopped_reader_blocks_nobody, lost_lines_are_counted_and_told, a_full_disk_is_told, hostile_names_stay_on_their_line,
                  the_journal_gets_fields, a_stopped_recorder_blocks_nobody]))
