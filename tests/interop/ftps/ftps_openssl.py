"""openssl s_client: one for the control connection, and one more for each data connection, which is given its session.

    ftps_openssl.py PORT VERSION COUNT
"""

import os
import re
import subprocess
import sys


S_CLIENT = ["openssl", "s_client", "-quiet", "-no-CAfile", "-no-CApath", "-no-CAstore"]


class Session:
    """A control connection by hand. Each new session of it goes into the file session."""

    def __init__(self, port, version):
        self.version = ["-tls1_2"] if version == "1.2" else ["-tls1_3"]
        self.process = subprocess.Popen(
            [*S_CLIENT, "-connect", f"127.0.0.1:{port}", "-starttls", "ftp",
             "-sess_out", "session", *self.version],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def reply(self):
        """The next reply's last line."""
        while True:
            line = self.process.stdout.readline().decode()
            if not line or re.match(r"\d\d\d ", line):
                return line

    def ask(self, command, wanted):
        """A command, whose reply begins so."""
        self.process.stdin.write(command.encode() + b"\r\n")
        self.process.stdin.flush()
        reply = self.reply()
        if not reply.startswith(wanted):
            raise SystemExit(f"{command}: {reply}")
        return reply

    def start(self, command, **streams):
        """Begin a transfer; gives the s_client of its data connection."""
        port = re.search(r"\|(\d+)\|", self.ask("EPSV", "229")).group(1)
        words = [*S_CLIENT, "-nocommands", "-connect", f"127.0.0.1:{port}", *self.version]
        words += ["-sess_in", "session"] if os.path.exists("session") else []
        # Input that has ended is the end of an upload, but of no download.
        words += ["-no_ign_eof"] if "stdin" in streams else []
        streams.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(words, stderr=subprocess.DEVNULL, **streams)
        self.ask(command, "150")
        return process

    def transfer(self, command, **streams):
        """A whole transfer."""
        process = self.start(command, **streams)
        reply = self.reply()
        if not reply.startswith("226"):
            process.kill()
            raise SystemExit(f"{command}: {reply}")
        process.wait(20)


def main(port, version, count):
    """The scenario; see ../ftps.py."""
    session = Session(port, version)
    session.ask("USER " + os.environ["FTPS_USER"], "331")
    session.ask("PASS " + os.environ["FTPS_PASSWORD"], "230")
    for command in ("PBSZ 0", "PROT P", "TYPE I"):
        session.ask(command, "200")
    with open("list", "wb") as file:
        session.transfer("LIST", stdout=file)
    for i in range(count):
        with open(f"up/f{i}", "rb") as file:
            session.transfer(f"STOR f{i}", stdin=file)
    for i in range(count):
        with open(f"down/f{i}", "wb") as file:
            session.transfer(f"RETR f{i}", stdout=file)
    with open("down/half", "ab") as file:
        session.ask(f"REST {file.tell()}", "350")
        session.transfer("RETR half", stdout=file)
    big = session.start("RETR big", stdout=subprocess.PIPE)
    big.stdout.read(1000)
    big.kill()
    if not session.reply().startswith("426"):
        raise SystemExit("big was not aborted")
    with open("list2", "wb") as file:
        session.transfer("LIST", stdout=file)
    session.ask("QUIT", "221")
    session.process.wait(20)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
