"""secure: what dialogues say of TLS: certificates before the daemon starts, handshakes and their ends afterwards. See README.md."""

import os
import re
import socket
import ssl
import time

from control import Failure
from lib_daemon import PortLock, slowness
from lib_tls import Certificates, TlsLink, VERSIONS, context_of, need_tls, poll
from script import ScriptError, unescape, words


class Fixtures:
    """The certificates of one dialogue, and the port of implicit TLS. Each statement of README.md is a method set_..."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.place = os.path.join(daemon.place, "tls")
        self.made = None
        self.lock = None
        self.variables = {"place": daemon.place, "root": daemon.root}

    def _certificates(self):
        if self.made is None:
            need_tls()
            self.made = Certificates(self.place)
        return self.made

    def pair(self, name):
        """A pair that was made."""
        if self.made is None or name not in self.made.made:
            raise ScriptError(f"there is no certificate {name}")
        return self.made.made[name]

    def _name(self, pair):
        self.variables[pair.name + "_crt"] = pair.certificate
        self.variables[pair.name + "_key"] = pair.key

    def set_certified(self, *names):
        """certified [HOST...]"""
        pair = self._certificates().own("server", *names)
        self._name(pair)
        self.daemon.options += pair.options()

    def set_pair(self, name, kind, *names):
        """pair NAME ec|rsa HOST..."""
        self._name(self._certificates().own(name, *names, kind=kind))

    def set_client(self, name, *names):
        """client NAME SAN..."""
        self._name(self._certificates().issued(name, *names, usage="clientAuth"))
        if not any(option.startswith("tls.client_ca=") for option in self.daemon.options):
            self.daemon.options.append(f"tls.client_ca={self.pair('ca').certificate}")

    def set_revoked(self, *names):
        """revoked NAME..."""
        self.daemon.options.append(f"tls.client_crl={self.made.revoke(*names)}")

    def set_implicit(self):
        """implicit"""
        self.lock = PortLock()
        self.variables["implicit_port"] = self.lock.port
        self.daemon.options.append(f"listen_implicit_tls=127.0.0.1:{self.lock.port}")


class Hello:
    """What the words of `tls`, `auth` and `dtls` say."""

    def __init__(self, rest, certificates):
        self.name = None
        self.session = "own"
        version, certificate, alpn, ciphers, self.is_new = None, None, (), None, False
        given = [word.decode() for word in words(rest)]
        while given:
            word = given.pop(0)
            self.is_new = self.is_new or word in VERSIONS or word in ("alpn", "certificate", "ciphers")
            if word in VERSIONS:
                version = word
            elif word == "sni":
                self.name = given.pop(0)
            elif word == "alpn":
                alpn = given.pop(0).split(",")
            elif word == "certificate":
                certificate = certificates.pair(given.pop(0))
            elif word == "ciphers":
                ciphers = given.pop(0)
            elif word == "session":
                self.session = given.pop(0)
            else:
                raise ScriptError(f"unknown word of TLS: {word}")
        self.context = context_of(version, certificate, alpn, ciphers)


class Secure:
    """The statements of TLS for Player."""

    def do_tls(self, rest):
        """tls [1.2|1.3] [sni NAME] [alpn NAME,...] [certificate NAME] [ciphers NAME:...]"""
        hello = Hello(rest, self.certificates)
        client = self.now
        client.context, client.server_name = hello.context, hello.name
        try:
            client.control.secure(hello.context, hello.name, self.patience)
        except (ssl.SSLError, OSError) as error:
            raise Failure(f"the TLS handshake fails: {error}") from error

    def do_auth(self, rest):
        """auth ...: AUTH TLS, 234, and the handshake"""
        self.command("234", b"AUTH TLS")
        self.do_tls(rest)

    def do_notls(self, rest):
        """notls REASON ...: the handshake fails, with a reason that this regular expression finds; words as of tls"""
        reason, _, rest = rest.partition(" ")
        hello = Hello(rest, self.certificates)
        try:
            link = TlsLink(self.now.control.link, hello.context, hello.name).handshake(self.patience)
            # In TLS 1.3 the server judges a client's certificate when the client is ready already.
            if not link.poll(self.patience):
                raise Failure("the TLS handshake succeeds")
            if link.end is None:
                raise Failure(f"the TLS handshake succeeds, and then: {link.plain!r}")
            why = link.end
        except (ssl.SSLError, ConnectionError) as error:
            why = getattr(error, "reason", None) or str(error)
        if not re.search(reason, why, re.I):
            raise Failure(f"the TLS handshake fails, but with {why!r}")
        self.do_close("")

    def do_untls(self, _):
        """untls: TLS ends, the connection goes on in clear"""
        self.now.control.unsecure(self.patience)

    def do_prot(self, rest):
        """prot P|C: PBSZ 0 and PROT"""
        self.command("200", b"PBSZ 0")
        self.command("200", b"PROT " + rest.strip().encode())
        self.now.is_private = rest.strip() == "P"

    def do_private(self, rest):
        """private yes|no: whether statements that transfer speak TLS; for who says PROT himself"""
        self.now.is_private = rest.strip() == "yes"

    def do_version(self, rest):
        """version 1.2|1.3"""
        if self.now.control.link.version() != "TLSv" + rest.strip():
            raise Failure(f"TLS is {self.now.control.link.version()}")

    def do_shown(self, rest):
        """shown NAME: this certificate was shown"""
        if not self.now.control.link.shows(self.certificates.pair(rest.strip())):
            raise Failure("another certificate was shown")

    def do_under(self, rest):
        """under BYTES: on the connection below TLS"""
        link = self.now.control.link
        (link.link if isinstance(link, TlsLink) else link).sendall(unescape(rest))

    def do_together(self, rest):
        """together BYTES: in clear and with the ClientHello behind, in one segment"""
        link = TlsLink(self.now.control.link, context_of()).start()
        link.link.sendall(unescape(rest) + link.take())

    def do_notify(self, _):
        """notify: close_notify on the control connection"""
        self.now.control.link.notify()
        self.now.control.is_over = True

    def do_anyeof(self, rest):
        """anyeof [SECONDS]: the server closes, whatever it says before"""
        control, deadline = self.now.control, time.monotonic() + float(rest or "8") * slowness()
        while not control.is_at_end and time.monotonic() < deadline:
            control.ends(0.1)
            self.say("<", control.bytes)
            control.bytes = b""
        if not control.is_at_end:
            raise Failure("the server does not close")
        self.do_close("")

    def do_ended(self, rest):
        """ended close_notify|cut: how TLS of the control connection has ended"""
        if not self.now.control.ends(self.patience) or self.now.control.link.end != rest.strip():
            raise Failure(f"TLS has ended by {self.now.control.link.end}; bytes: {self.now.control.bytes!r}")
        self.do_close("")

    # data connections

    def do_dtls(self, rest):
        """dtls [session own|none|SESSION] [1.2|1.3]: the handshake on the data connection"""
        hello = Hello(rest, self.certificates)
        client = self.now
        owner = client if hello.session == "own" else self.clients.get(hello.session)
        session = owner.control.session() if owner else None
        context = hello.context if hello.is_new or client.context is None else client.context
        if owner and owner is not client:
            context = owner.context
        try:
            client.data.secure(context, client.server_name, session, self.patience)
        except (ssl.SSLError, OSError) as error:
            raise Failure(f"the TLS handshake on the data connection fails: {error}") from error

    def do_nodtls(self, rest):
        """nodtls ...: the handshake on the data connection fails, or the server ends it at once; words as of dtls"""
        try:
            self.do_dtls(rest)
        except Failure:
            return
        if not poll(self.now.data.link, self.patience) or self.now.data.link.plain:
            raise Failure("the server goes on with this data connection")

    def do_resumed(self, rest):
        """resumed yes|no: whether the data connection has resumed a session"""
        if self.now.data.link.is_resumed() != (rest.strip() == "yes"):
            raise Failure(f"resumed: {self.now.data.link.is_resumed()}")

    def do_dnotify(self, _):
        """dnotify: close_notify on the data connection, which stays open"""
        self.now.data.link.notify()

    def do_dcut(self, _):
        """dcut: the data connection is closed without close_notify"""
        self.now.data.link.link.shutdown(socket.SHUT_WR)
        self.now.data.link.cut()
        self.now.data.link = None

    def do_dunder(self, rest):
        """dunder BYTES: below TLS on the data connection"""
        link = self.now.data.link
        (link.link if isinstance(link, TlsLink) else link).sendall(unescape(rest))
