"""player: plays one dialogue against one daemon. The language is in README.md; each verb is one method here."""

import re
import socket
import time

import script
from control import Control, Failure, reset
from data import Data, passive_address
from files import Files
from lib_daemon import FAMILIES, HOSTS, slowness, wait_for
from secure import Secure
from script import ScriptError, unescape, words
from tree import content

PATIENCE_S = 5.0


class Client:
    """One session of a dialogue: a control connection and its present data connection."""

    def __init__(self, control):
        self.control = control
        self.reply = None
        self.data = None
        self.is_small = False
        self.is_private = False  # PROT P
        self.context = None
        self.server_name = None


class Player(Files, Secure):
    """Plays the statements after `option`; see Dialogue in run.py."""

    def __init__(self, daemon, tree, passwords, certificates, is_verbose):
        self.daemon = daemon
        self.certificates = certificates
        self.tree = tree
        self.passwords = passwords
        self.is_verbose = is_verbose
        self.clients = {}
        self.now = None
        self.strangers = []
        self.variables = {"daemon_port": daemon.port} | certificates.variables
        self.marked = time.monotonic()
        self.patience = PATIENCE_S * slowness()
        self.transcript = []

    def play(self, statement):
        """Do one statement."""
        self.say("#", statement.text)
        name = {">": "say_line", "<": "expect"}.get(statement.verb, statement.verb)
        method = getattr(self, "do_" + name, None)
        if method is None:
            raise ScriptError(f"unknown statement {statement.verb}")
        method(script.expand(statement.rest, self.variables))

    def say(self, side, what):
        """Add a line to the transcript, which is shown when something fails."""
        line = f"{side} {what if isinstance(what, str) else repr(bytes(what))[:300]}"
        self.transcript.append(line)
        if self.is_verbose:
            print(line, flush=True)

    def finish(self):
        """At the end each session that is still open has nothing to say but the answer to NOOP."""
        for name, client in self.clients.items():
            if not client.control.is_over:
                self.now = client
                self.say("#", f"(end of the dialogue, session {name})")
                self.do_sync("")

    def close(self):
        """Close every connection."""
        for client in self.clients.values():
            client.control.link.close()
            if client.data:
                client.data.close()
        for link in self.strangers:
            link.close()

    # sessions

    def do_connect(self, rest):
        """connect [NAME] [4|6] [from ADDRESS] [slow] [implicit]"""
        name, family, source, is_small = "main", 4, None, False
        port = self.daemon.port
        given = [word.decode() for word in words(rest)]
        while given:
            word = given.pop(0)
            if word in ("4", "6"):
                family = int(word)
            elif word == "from":
                source = given.pop(0)
            elif word == "slow":
                is_small = True
            elif word == "implicit":
                port = self.variables["implicit_port"]
            else:
                name = word
        control = Control(FAMILIES[family], (HOSTS[family], port), source, self.say)
        self.now = self.clients[name] = Client(control)
        self.now.is_small = is_small

    def do_login(self, rest):
        """login [secure [1.2|1.3]] [as NAME]: as connect, then TLS, and the login of that user, or an anonymous one"""
        user, password = "anonymous", "guest@example.net"
        given = rest.split()
        security = None
        if given[:1] == ["secure"]:
            security = given[1] if given[1:2] in (["1.2"], ["1.3"]) else ""
            given = given[2 if security else 1:]
        if given[:1] == ["as"]:
            user = given[1]
            password = self.passwords[user]
            given = given[2:]
        self.do_connect(" ".join(given))
        self.do_expect("220")
        if security is not None:
            self.do_auth(security)
            self.do_prot("P")
        self.command("331", f"USER {user}".encode())
        self.command("230", f"PASS {password}".encode())

    def do_use(self, rest):
        """use NAME"""
        self.now = self.clients[rest.strip()]

    def command(self, codes, line):
        """Send a line and expect the reply."""
        self.now.control.send(line + b"\r\n")
        self.do_expect(codes)

    def do_say_line(self, rest):
        """> LINE"""
        self.now.control.send(unescape(rest) + b"\r\n")

    def do_send(self, rest):
        """send BYTES"""
        self.now.control.send(unescape(rest))

    def do_repeat(self, rest):
        """repeat COUNT BYTES"""
        count, _, text = rest.partition(" ")
        self.now.control.send(unescape(text) * int(count))

    def do_pieces(self, rest):
        """pieces SIZE BYTES"""
        size, _, text = rest.partition(" ")
        self.now.control.send_pieces(int(size), unescape(text))

    def do_urgent(self, rest):
        """urgent BYTES"""
        self.now.control.send_urgent(unescape(rest))

    def do_expect(self, rest):
        """< CODE[|CODE]... [REGEX]"""
        codes, _, pattern = rest.partition(" ")
        reply = self.now.control.reply(self.patience)
        self.now.reply = reply
        if str(reply.code) not in codes.split("|"):
            raise Failure(f"expected {codes}, got: {reply.text()}")
        if pattern and not re.search(pattern, reply.text(), re.M):
            raise Failure(f"expected /{pattern}/ in: {reply.text()}")

    def do_replies(self, rest):
        """replies COUNT CODES"""
        count, codes = rest.split()
        for _ in range(int(count)):
            self.do_expect(codes)

    def do_has(self, rest):
        """has REGEX"""
        if not re.search(rest, self.now.reply.text(), re.M):
            raise Failure(f"expected /{rest}/ in: {self.now.reply.text()}")

    def do_lacks(self, rest):
        """lacks REGEX"""
        if re.search(rest, self.now.reply.text(), re.M):
            raise Failure(f"unexpected /{rest}/ in: {self.now.reply.text()}")

    def do_lines(self, rest):
        """lines COUNT"""
        if len(self.now.reply.lines) != int(rest):
            raise Failure(f"expected {rest} lines, got {len(self.now.reply.lines)}")

    def do_nothing(self, rest):
        """nothing SECONDS"""
        if not self.now.control.is_silent(float(rest)):
            raise Failure(f"something came: {self.now.control.bytes!r}, end: {self.now.control.is_at_end}")

    def do_eof(self, rest):
        """eof [SECONDS]"""
        if not self.now.control.ends(float(rest or "5") * slowness()):
            raise Failure(f"the server does not close; bytes: {self.now.control.bytes!r}")
        self.do_close("")

    def do_fin(self, rest):
        """fin [SECONDS]: as eof, and not by a reset"""
        control = self.now.control
        self.do_eof(rest)
        if control.is_reset:
            raise Failure("the server ends the connection by a reset")

    def do_sync(self, _):
        """sync: NOOP has to be answered next, so nothing was answered twice"""
        self.command("200", b"NOOP")

    def do_halfclose(self, _):
        """halfclose"""
        self.now.control.link.shutdown(socket.SHUT_WR)
        self.now.control.is_over = True

    def do_close(self, _):
        """close"""
        self.now.control.link.close()
        self.now.control.is_over = True

    def do_reset(self, _):
        """reset"""
        reset(self.now.control.link)
        self.now.control.is_over = True

    # time

    def do_wait(self, rest):
        """wait SECONDS"""
        time.sleep(float(rest))

    def do_mark(self, _):
        """mark"""
        self.marked = time.monotonic()

    def do_within(self, rest):
        """within MINIMUM MAXIMUM"""
        low, high = map(float, rest.split())
        took = time.monotonic() - self.marked
        if not low <= took <= high * slowness():
            raise Failure(f"took {took:.2f} s, expected {low} to {high}")

    # data connections

    def new_data(self):
        """A new data connection for the present session."""
        if self.now.data:
            self.now.data.close()
        self.now.data = Data(self.now.control.family, self.now.is_small)
        return self.now.data

    def do_passive(self, rest):
        """passive CODE: take the address from the last reply"""
        host = self.now.control.link.getpeername()[0]
        self.new_data().address = passive_address(int(rest), self.now.reply.text(), host)
        self.variables["passive_port"] = self.now.data.address[1]

    def do_pasv(self, _):
        """pasv"""
        self.command("227", b"PASV")
        self.do_passive("227")

    def do_epsv(self, _):
        """epsv"""
        self.command("229", b"EPSV")
        self.do_passive("229")

    def do_listen(self, _):
        """listen: sets ${hostport}, ${eprt}, ${port}"""
        self.variables.update(self.new_data().listen())

    def do_port(self, _):
        """port"""
        self.do_listen("")
        self.command("200", b"PORT " + self.variables["hostport"].encode())

    def do_eprt(self, _):
        """eprt"""
        self.do_listen("")
        self.command("200", b"EPRT " + self.variables["eprt"].encode())

    def do_attach(self, rest):
        """attach [from ADDRESS]"""
        given = [word.decode() for word in words(rest)]
        self.now.data.attach(given[1] if given else None, self.patience)

    def do_stranger(self, rest):
        """stranger ADDRESS: connects to the passive port from there, to be closed without a byte"""
        link = self.now.data.dial(rest.strip(), self.patience)
        self.strangers.append(link)

    def do_strangers(self, rest):
        """strangers closed"""
        if rest.strip() != "closed":
            raise ScriptError("strangers closed")
        for link in self.strangers:
            link.settimeout(self.patience)
            try:
                got = link.recv(1)
            except ConnectionResetError:
                got = b""
            except socket.timeout as error:
                raise Failure("the stranger is not closed") from error
            if got:
                raise Failure("the stranger got data")

    def do_unreachable(self, _):
        """unreachable: soon nobody listens on the passive port any more"""

        def is_refused():
            link = socket.socket(self.now.data.family)
            try:
                link.settimeout(0.5)
                link.connect(self.now.data.address)
            except ConnectionRefusedError:
                return True
            except socket.timeout:
                return False  # the backlog is full: it still listens
            finally:
                link.close()
            return False

        if not wait_for(is_refused, 4, 0.25):
            raise Failure("the passive port still listens")

    def do_unreached(self, rest):
        """unreached SECONDS: nobody connects to our listening port"""
        self.now.data.listener.settimeout(float(rest))
        try:
            link, _ = self.now.data.listener.accept()
        except socket.timeout:
            return
        link.close()
        raise Failure("the server connected")

    def do_fromport(self, rest):
        """fromport LOW [HIGH]: where the server's active connection comes from"""
        low, *high = map(int, rest.split())
        port = self.now.data.link.getpeername()[1]
        if not low <= port <= (high[0] if high else low):
            raise Failure(f"the server's port is {port}, expected {rest}")

    def do_portrange(self, rest):
        """portrange LOW HIGH: where the server listens"""
        low, high = map(int, rest.split())
        if not low <= self.now.data.address[1] <= high:
            raise Failure(f"the passive port is {self.now.data.address[1]}, expected {rest}")

    def do_read(self, rest):
        """read SIZE"""
        self.now.data.read(int(rest), self.patience)
        if len(self.now.data.bytes) < int(rest):
            raise Failure(f"only {len(self.now.data.bytes)} bytes came")

    def do_drain(self, _):
        """drain"""
        self.now.data.drain(3 * self.patience)

    def do_dclose(self, _):
        """dclose"""
        self.now.data.close()

    def do_dreset(self, _):
        """dreset"""
        self.now.data.close(is_reset=True)

    def do_dhalf(self, _):
        """dhalf"""
        self.now.data.link.shutdown(socket.SHUT_WR)

    def do_dsend(self, rest):
        """dsend BYTES"""
        self.now.data.link.sendall(unescape(rest))

    def do_repeatdata(self, rest):
        """repeatdata COUNT: so many bytes; the server may cut them short"""
        try:
            self.now.data.link.sendall(b"x" * int(rest))
        except OSError:
            pass

    def do_dends(self, rest):
        """dends [SECONDS]"""
        if not self.now.data.ends(float(rest or "5") * slowness()):
            raise Failure("the data connection does not end")

    def do_fetch(self, rest):
        """fetch pasv|epsv|port|eprt COMMAND: a transfer that succeeds"""
        how, _, line = rest.partition(" ")
        getattr(self, "do_" + how)("")
        is_passive = how in ("pasv", "epsv")
        if is_passive:
            self.do_attach("")
        self.command("125|150", unescape(line))
        if not is_passive:
            self.do_attach("")
        if self.now.is_private:
            self.do_dtls("")
        self.do_drain("")
        self.do_expect("226")

    def do_store(self, rest):
        """store HOW TEXT|SIZE COMMAND: an upload that succeeds; SIZE: what `file` makes of the command's argument"""
        match = re.match(r'(\S+) ("(?:[^"\\]|\\.)*"|\S+) (.*)$', rest, re.S)
        if not match:
            raise ScriptError("store HOW TEXT COMMAND")
        how, text, line = match.groups()
        what = words(text)[0]
        getattr(self, "do_" + how)("")
        is_passive = how in ("pasv", "epsv")
        if is_passive:
            self.do_attach("")
        self.command("125|150", unescape(line))
        self.variables["started"] = self.now.reply.text()
        if not is_passive:
            self.do_attach("")
        if self.now.is_private:
            self.do_dtls("")
        if what.isdigit():
            what = content(len(unescape(line).partition(b" ")[2]), int(what))
        self.now.data.link.sendall(what)
        self.do_dclose("")
        self.do_expect("226")

    def do_refuse(self, rest):
        """refuse CODES COMMAND: no 1xx, and the waiting data connection is closed, not reset"""
        codes, _, line = rest.partition(" ")
        self.do_epsv("")
        self.do_attach("")
        self.command(codes, unescape(line))
        self.do_drain("")
        if self.now.data.bytes:
            raise Failure(f"data came with a refusal: {bytes(self.now.data.bytes)!r}")

    def do_data(self, rest):
        """data WHAT ...: compare what came"""
        what, _, text = rest.partition(" ")
        method = getattr(self, "data_" + what, None)
        if method is None:
            raise ScriptError(f"unknown: data {what}")
        method(text, bytes(self.now.data.bytes))

    def compare(self, expected, got):
        """Fail with the first difference."""
        if got == expected:
            return
        at = next((i for i, (a, b) in enumerate(zip(got, expected)) if a != b), min(len(got), len(expected)))
        raise Failure(f"data differs at {at} (of {len(got)}, expected {len(expected)}): "
                      f"{got[at:at + 60]!r}, expected {expected[at:at + 60]!r}")

    def data_is(self, text, got):
        """data is BYTES"""
        self.compare(unescape(text), got)

    def data_file(self, text, got):
        """data file NAME [OFFSET]"""
        name, *offset = words(text)
        self.compare(self.tree.read(name)[int(offset[0]) if offset else 0:], got)

    def data_ascii(self, text, got):
        """data ascii NAME [OFFSET]: each LF that follows no CR has become CR LF"""
        name, *offset = words(text)
        converted = re.sub(rb"(?<!\r)\n", b"\r\n", self.tree.read(name))
        self.compare(converted[int(offset[0]) if offset else 0:], got)

    def data_size(self, text, got):
        """data size COUNT"""
        if len(got) != int(text):
            raise Failure(f"{len(got)} bytes came, expected {text}")

    def data_names(self, text, got):
        """data names WORD...: these lines in any order"""
        self.compare(b"\n".join(sorted(words(text))), b"\n".join(sorted(got.split(b"\r\n")[:-1])))

    def data_order(self, text, got):
        """data order WORD...: the last words of the lines, in this order"""
        last = [line.split(b" ")[-1] for line in got.split(b"\r\n")[:-1] if not line.startswith(b"total ")]
        self.compare(b" ".join(words(text)), b" ".join(last))

    def data_has(self, text, got):
        """data has REGEX"""
        if not re.search(text.encode(), got, re.M):
            raise Failure(f"expected /{text}/ in: {got[:2000]!r}")

    def data_lacks(self, text, got):
        """data lacks REGEX"""
        if re.search(text.encode(), got, re.M):
            raise Failure(f"unexpected /{text}/ in: {got[:2000]!r}")

    def data_lines(self, text, got):
        """data lines COUNT: and each ends with CR LF"""
        if got.count(b"\r\n") != int(text) or not (got == b"" or got.endswith(b"\r\n")):
            raise Failure(f"{got.count(chr(13).encode())} lines, expected {text}: {got[:2000]!r}")

    # the daemon's own words

    def do_log(self, rest):
        """log REGEX"""
        if not wait_for(lambda: re.search(rest, self.daemon.log_text(), re.M), 3):
            raise Failure(f"expected /{rest}/ in the daemon's log")

    def do_nolog(self, rest):
        """nolog REGEX"""
        match = re.search(rest, self.daemon.log_text() + self.daemon.transfer_text(), re.M)
        if match:
            raise Failure(f"{match.group(0)!r} is in a log")

    def do_transferlog(self, rest):
        """transferlog REGEX"""
        if not wait_for(lambda: re.search(rest, self.daemon.transfer_text(), re.M), 3):
            raise Failure(f"expected /{rest}/ in the transfer log: {self.daemon.transfer_text()}")

    def do_transferlines(self, rest):
        """transferlines COUNT"""
        if not wait_for(lambda: self.daemon.transfer_text().count("\n") == int(rest), 3):
            raise Failure(f"expected {rest} lines in the transfer log: {self.daemon.transfer_text()}")

    def do_set(self, rest):
        """set NAME REGEX: ${NAME} becomes the first group of a match in the last reply"""
        name, _, pattern = rest.partition(" ")
        match = re.search(pattern, self.now.reply.text(), re.M)
        if not match:
            raise Failure(f"expected /{pattern}/ in: {self.now.reply.text()}")
        self.variables[name] = match.group(1)
