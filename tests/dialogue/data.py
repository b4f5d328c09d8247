"""data: the client's side of data connections, passive and active, over both address families."""

import re
import socket
import time

from control import Failure, reset
from lib_tls import TlsLink, poll

HOSTS = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
PASV_REPLY = re.compile(r"\((\d+),(\d+),(\d+),(\d+),(\d+),(\d+)\)")
EPSV_REPLY = re.compile(r"\((.)\1\1(\d+)\1\)")


def passive_address(code, text, host):
    """Where to connect to after a 227 or 229."""
    match = (PASV_REPLY if code == 227 else EPSV_REPLY).search(text)
    if not match:
        raise Failure(f"no address in the {code} reply: {text}")
    if code == 229:
        return host, int(match.group(2))
    numbers = [int(number) for number in match.groups()]
    if max(numbers) > 255:
        raise Failure(f"a number above 255: {text}")
    return ".".join(map(str, numbers[:4])), numbers[4] * 256 + numbers[5]


class Data:
    """One data connection in the making, or made."""

    def __init__(self, family, small=False):
        self.family = family
        self.small = small
        self.listener = None
        self.address = None
        self.link = None
        self.bytes = bytearray()
        self.is_at_end = False

    # making it

    def listen(self):
        """Wait for the server; gives the arguments for PORT and EPRT and the port."""
        self.listener = socket.socket(self.family)
        if self.small:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.bind((HOSTS[self.family], 0))
        self.listener.listen(4)
        host, port = self.listener.getsockname()[:2]
        kind = 1 if self.family == socket.AF_INET else 2
        return {
            "port": port,
            "hostport": f"{host.replace('.', ',')},{port // 256},{port % 256}",
            "eprt": f"|{kind}|{host}|{port}|",
        }

    def attach(self, source=None, timeout=5.0):
        """Accept the server's connection, or connect to its passive port; perhaps once more."""
        self.is_at_end, self.bytes = False, bytearray()
        if self.listener:
            self.listener.settimeout(timeout)
            try:
                self.link, _ = self.listener.accept()
            except socket.timeout as error:
                raise Failure("the server does not connect") from error
            self.listener.close()
            self.listener = None
            return
        if self.address is None:
            raise Failure("no data connection was prepared")
        self.link = self.dial(source, timeout)

    def dial(self, source=None, timeout=5.0):
        """A new connection to the passive port."""
        link = socket.socket(self.family)
        if self.small:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if source:
            link.bind((source, 0))
        link.settimeout(timeout)
        try:
            link.connect(self.address)
        except OSError as error:
            raise Failure(f"cannot connect to {self.address}: {error}") from error
        return link

    def secure(self, context, name, session, timeout):
        """The TLS handshake, which may resume a session."""
        if self.link is None:
            raise Failure("there is no data connection")
        self.link = TlsLink(self.link, context, name, session).handshake(timeout)

    # using it

    def read(self, size, timeout):
        """Read that many bytes; fewer at the end."""
        deadline = time.monotonic() + timeout
        while len(self.bytes) < size and self.read_some(deadline - time.monotonic(), size - len(self.bytes)):
            pass

    def read_some(self, timeout, size=1 << 18):
        """Read what is there. False: nothing more, or the end."""
        if self.link is None:
            raise Failure("there is no data connection")
        if self.is_at_end or not poll(self.link, timeout):
            return False
        try:
            data = self.link.recv(size)
        except ConnectionResetError as error:
            raise Failure(f"the data connection was reset after {len(self.bytes)} bytes") from error
        self.is_at_end = not data
        self.bytes += data
        return bool(data)

    def drain(self, timeout):
        """Read to the end."""
        deadline = time.monotonic() + timeout
        while self.read_some(deadline - time.monotonic()):
            pass
        if not self.is_at_end:
            raise Failure(f"the data connection does not end; {len(self.bytes)} bytes so far")
        if isinstance(self.link, TlsLink) and self.link.end != "close_notify":
            raise Failure(f"TLS on the data connection ends with {self.link.end} after {len(self.bytes)} bytes")
        self.link.close()
        self.link = None

    def ends(self, timeout):
        """Whether it ends in time, by a close or a reset, whatever comes before."""
        deadline = time.monotonic() + timeout
        try:
            while not self.is_at_end and time.monotonic() < deadline:
                self.read_some(deadline - time.monotonic())
                self.bytes = bytearray()
        except Failure:
            return True
        return self.is_at_end

    def close(self, is_reset=False):
        """Close what is open."""
        for link in (self.listener, self.link):
            if link is not None:
                if is_reset:
                    reset(link)
                else:
                    link.close()
        self.listener = self.link = None
