"""control: a client's control connection that accepts only well-formed replies of RFC 959 section 4.2."""

import re
import socket
import struct
import time

from lib_tls import TlsLink, poll

FIRST_LINE = re.compile(rb"^([1-5][0-5][0-9])([ -])(.*)$", re.S)
ANY_CODE = re.compile(rb"^[0-9]{3}")
CONTROL_CHARACTER = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Failure(Exception):
    """The server did not do what the dialogue expects."""


class Reply:
    """One reply: code, and all its lines without their ends."""

    def __init__(self, code, lines):
        self.code = code
        self.lines = lines

    def text(self):
        """Its lines, joined by line feeds; bytes that are not UTF-8 read as \\xHH."""
        return "\n".join(line.decode("utf-8", "backslashreplace") for line in self.lines)


def reset(link):
    """Close so that the other side sees a reset."""
    link = getattr(link, "link", link)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()


class Control:
    """One control connection."""

    def __init__(self, family, address, source=None, trace=None):
        self.link = socket.socket(family)
        if source:
            self.link.bind((source, 0))
        self.link.settimeout(10)
        self.link.connect(address)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.family = family
        self.bytes = b""
        self.is_at_end = False
        self.is_reset = False
        self.is_over = False  # closed by us, or its end was expected and came
        self.trace = trace or (lambda side, text: None)
        self.secured = None  # the TlsLink; it stays when TLS has ended by CCC

    def send(self, data):
        """Send bytes as they are."""
        self.trace(">", data)
        self.link.settimeout(10)
        self.link.sendall(data)

    def send_urgent(self, data):
        """Send bytes, the last of them urgent."""
        self.trace("> urgent", data)
        self.link.send(data, socket.MSG_OOB)

    def send_pieces(self, size, data, pause=0.002):
        """Send bytes in segments of the size; under TLS, what they have become."""
        self.trace(f"> in pieces of {size}", data)
        link = self.link
        if isinstance(link, TlsLink):
            link.tls.write(data)
            link, data = link.link, link.take()
        for start in range(0, len(data), size):
            link.sendall(data[start:start + size])
            time.sleep(pause)

    def secure(self, context, name=None, timeout=10):
        """The TLS handshake."""
        self.trace(">", "(TLS)")
        if self.bytes:
            raise Failure(f"bytes came in clear where TLS begins: {self.bytes!r}")
        self.link = self.secured = TlsLink(self.link, context, name).handshake(timeout)
        self.trace("<", f"({self.link.version()})")

    def session(self):
        """What data connections can resume."""
        return self.secured.session() if self.secured else None

    def unsecure(self, timeout):
        """TLS ends by close_notify of both sides, and the connection goes on in clear."""
        self.trace(">", "(close_notify)")
        rest = self.link.clear(timeout)
        if rest is None:
            raise Failure(f"TLS does not end with close_notify, but: {self.link.end}")
        self.link, self.bytes = self.link.link, self.bytes + rest

    def _receive(self, timeout):
        """Wait for more bytes. False: none came."""
        if self.is_at_end or not poll(self.link, timeout):
            return False
        try:
            data = self.link.recv(65536)
        except ConnectionResetError:
            self.trace("<", b"(reset)")
            self.is_reset = True
            data = b""
        self.is_at_end = not data
        self.bytes += data
        return bool(data)

    def _line(self, deadline):
        while b"\n" not in self.bytes:
            if not self._receive(deadline - time.monotonic()):
                how = "the connection ended" if self.is_at_end else "no more came in time"
                raise Failure(f"a reply was expected, but {how}; bytes so far: {self.bytes!r}")
        line, _, self.bytes = self.bytes.partition(b"\n")
        if not line.endswith(b"\r"):
            raise Failure(f"a reply line ends without CR: {line!r}")
        return self._checked(line[:-1])

    @staticmethod
    def _checked(line):
        plain = line.replace(b"\xff\xff", b"\xfe")
        if b"\xff" in plain:
            raise Failure(f"a byte 255 is not doubled: {line!r}")
        if CONTROL_CHARACTER.search(line):
            raise Failure(f"a control character is in a reply: {line!r}")
        return line.replace(b"\xff\xff", b"\xff")

    def reply(self, timeout):
        """Read one whole reply and check its form."""
        deadline = time.monotonic() + timeout
        line = self._line(deadline)
        self.trace("<", line)
        match = FIRST_LINE.match(line)
        if not match:
            raise Failure(f"no reply line: {line!r}")
        code, mark, text = match.groups()
        if mark == b" " and not text.strip():
            raise Failure(f"a reply has no text: {line!r}")
        lines = [line]
        while mark == b"-":
            line = self._line(deadline)
            self.trace("<", line)
            lines.append(line)
            if line.startswith(code + b" "):
                break
            if ANY_CODE.match(line):
                raise Failure(f"a line inside of a reply looks like a reply: {line!r}")
        return Reply(int(code), lines)

    def is_silent(self, seconds):
        """Whether nothing comes for that time."""
        if self.bytes:
            return False
        return not self._receive(seconds) and not self.is_at_end

    def ends(self, timeout):
        """Whether the server closes, without a further byte."""
        deadline = time.monotonic() + timeout
        while not self.is_at_end and not self.bytes and time.monotonic() < deadline:
            self._receive(deadline - time.monotonic())
        return self.is_at_end and not self.bytes
