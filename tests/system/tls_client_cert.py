#!/usr/bin/env python3
"""tls_client_cert: clients' certificates (SECURITY.md A13): names with NUL, wildcards, other letters, a thousand of them, in the subject only; dates,
purposes, issuers; a list of the revoked that is renewed. Only an exact alternative name of a right certificate is somebody."""

import os
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor

from lib_system import Client, TestFailure, check, is_ready, need_root, run, settle
from lib_tls import DAY, TlsClient, TlsDaemon, TlsLink, context_of, need_tls

DNS, EMAIL, URI = 0x82, 0x81, 0x86


def tlv(tag, content):
    """One value in DER."""
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def names(*given):
    """subjectAltName of these (tag, bytes), whatever the bytes are."""
    return "DER:" + tlv(0x30, b"".join(tlv(tag, text) for tag, text in given)).hex(":")


def outcome(daemon, pair, user, password="a wrong one", version=None):
    """What comes of a login with a certificate: the code of PASS, or "handshake"."""
    try:
        with TlsClient(daemon, certificate=pair, has_login=False, is_private=False, version=version) as client:
            client.send("USER " + user)
            code, _ = client.reply()
            if code == 0:
                return "handshake"
            if code not in (331, 232):
                return code
            client.send("PASS " + password)
            return client.reply()[0]
    except (ssl.SSLError, ConnectionError):
        return "handshake"
    except TestFailure:
        return "handshake"


def the_right_name_only():
    """tls.client_login = enough, where each mistake would be a login."""
    daemon = TlsDaemon(users=("ann", "bob"), options=["tls.client_login=enough", "max_sessions_per_address=0"])
    made = daemon.certificates

    def client(name, *alternatives, **how):
        how.setdefault("usage", "clientAuth")
        if alternatives:
            how["alternatives"] = names(*alternatives)
        return made.issued(name, **how)

    thousand = [(DNS, b"name%d.example.net" % number) for number in range(1000)]
    cases = {
        # (certificate, does it stand for ann)
        "exact": (client("exact", (DNS, b"ann")), 230),
        "a URI": (client("uri", (URI, b"ann")), 230),
        "an address": (client("address", (EMAIL, b"ann")), 230),
        "one of three": (client("three", (DNS, b"bert"), (EMAIL, b"x@y"), (DNS, b"ann")), 230),
        "first of a thousand": (client("first", (DNS, b"ann"), *thousand), 230),
        "another": (client("another", (DNS, b"bert")), 530),
        "NUL behind": (client("nul1", (DNS, b"ann\0.example.net")), 530),
        "NUL alone": (client("nul2", (DNS, b"ann\0")), 530),
        "NUL before": (client("nul3", (DNS, b"\0ann")), 530),
        "NUL in an address": (client("nul4", (EMAIL, b"ann\0@example.net")), 530),
        "LF": (client("lf", (DNS, b"bert\nann\n")), 530),
        "LF behind": (client("lf2", (DNS, b"ann\n")), 530),
        "CR LF": (client("crlf", (URI, b"x\r\nann")), 530),
        "a wildcard": (client("wildcard", (DNS, b"*")), 530),
        "a wildcard in it": (client("wildcard2", (DNS, b"a*")), 530),
        "a percent": (client("percent", (DNS, b"%u")), 530),
        "longer": (client("longer", (DNS, b"anne")), 530),
        "shorter": (client("shorter", (DNS, b"an")), 530),
        "empty": (client("empty", (DNS, b"")), 530),
        "a space": (client("space", (DNS, b"ann ")), 530),
        "a dot": (client("dot", (DNS, b"ann.")), 530),
        "beyond ASCII": (client("beyond", (DNS, "änn".encode())), 530),
        "in the subject only": (client("subject", subject="ann"), 530),
        "subject against names": (client("against", (DNS, b"bert"), subject="ann"), 530),
        "no names": (client("none", subject="x"), 530),
        "expired": (client("expired", (DNS, b"ann"), begins=-3 * DAY, ends=-DAY), "handshake"),
        "not yet valid": (client("early", (DNS, b"ann"), begins=DAY), "handshake"),
        "for servers": (client("servers", (DNS, b"ann"), usage="serverAuth"), "handshake"),
        "another issuer": (client("stranger", (DNS, b"ann"), issuer="otherca"), "handshake"),
        "signs itself": (made.own("itself", "ann"), "handshake"),
        "issued by a client": (client("below", (DNS, b"ann"), issuer="exact"), "handshake"),
    }
    revoked = client("revoked", (DNS, b"ann"))
    crl = made.revoke("revoked")
    daemon.options += [f"tls.client_ca={made.made['ca'].certificate}", f"tls.client_crl={crl}"]
    cases["revoked"] = (revoked, "handshake")
    with daemon:
        settle(lambda: is_ready(daemon))
        tries = [(version, name, pair, expected) for version in ("1.3", "1.2") for name, (pair, expected) in cases.items()]
        with ThreadPoolExecutor(8) as pool:  # a wrong login takes its time
            results = list(pool.map(lambda one: outcome(daemon, one[2], "ann", version=one[0]), tries))
        for (version, name, _, expected), got in zip(tries, results):
            check(got == expected, f"TLS {version}, {name}: {got} instead of {expected}")
        exact = cases["exact"][0]
        check(outcome(daemon, exact, "bob") == 530, "ann's certificate lets bob in")
        check(outcome(daemon, exact, "ANN") == 530, "other letters")
        check(outcome(daemon, cases["another"][0], "ann", "a word of 4 letters") == 230, "the password does not do any more")
        # A certificate of one session is not that of another, nor of a user who comes after REIN with another name.
        check(outcome(daemon, None, "ann") == 530, "without a certificate")
        with TlsClient(daemon, "ann", password="x", certificate=exact, is_private=False) as client_:
            client_.begin_anew()
            client_.ask("USER bob", 331)
            client_.ask("PASS x", 530)
        # What a certificate says does not write into the log.
        check("\nann\n" not in daemon.log_text() and "\0" not in daemon.log_text(), "a name writes into the log")
        a_renewed_list_is_used(daemon, cases["exact"][0], crl)


def a_renewed_list_is_used(daemon, pair, crl):
    """Who is revoked now is refused, without a restart."""
    check(outcome(daemon, pair, "ann") == 230, "before")
    start = len(daemon.log_text())
    daemon.certificates.revoke(pair.name)
    check(os.path.exists(crl), "no list")
    settle(lambda: outcome(daemon, pair, "ann") == "handshake", 20, lambda: f"the new list is not used:\n{daemon.log_text()[start:]}")


def match_wants_both():
    """tls.client_login = match, and tls.client_name with more than the name: the certificate and the password."""
    daemon = TlsDaemon(users=("ann", "bob"), options=["tls.client_login=match", "tls.client_name=ftp://example.net/%u"])
    made = daemon.certificates
    ann = made.issued("ann", alternatives=names((URI, b"ftp://example.net/ann")), usage="clientAuth")
    daemon.options.append(f"tls.client_ca={made.made['ca'].certificate}")
    right = "a word of 4 letters"
    with daemon:
        settle(lambda: is_ready(daemon))
        for pair, user, password, expected in ((ann, "ann", right, 230), (ann, "ann", "wrong", 530), (None, "ann", right, 530),
                                               (ann, "bob", right, 530), (None, "bob", right, 530)):
            got = outcome(daemon, pair, user, password)
            check(got == expected, f"{pair and pair.name}, {user}, {password}: {got} instead of {expected}")
        # In clear there is no certificate.
        with Client(daemon) as client:
            client.reply()
            client.send("USER ann")
            if client.reply()[0] == 331:
                client.ask("PASS " + right, 530)
        # Guests are nobody in particular.
        with TlsClient(daemon) as client:
            client.fetch("LIST")


def required_ones():
    """tls.client_certificate = require: no handshake without, on the control connection; data connections ask for it again, or resume."""
    daemon = TlsDaemon(options=["tls.client_certificate=require"])
    ann = daemon.certificates.issued("ann", "ann", usage="clientAuth")
    daemon.options.append(f"tls.client_ca={daemon.certificates.made['ca'].certificate}")
    with daemon:
        settle(lambda: is_ready(daemon))
        for version in ("1.3", "1.2"):
            check(outcome(daemon, None, "ann", version=version) == "handshake", f"TLS {version}: without a certificate")
            for has_resumption in (False, True):
                with TlsClient(daemon, "ann", certificate=ann, version=version, has_resumption=has_resumption) as client:
                    client.put("STOR file", b"x" * 1000)
                    check(client.fetch("RETR file") == b"x" * 1000, "the content is wrong")
        # A neighbour without one gets nothing from a passive port.
        with TlsClient(daemon, "ann", certificate=ann) as client:
            address = client.passive()
            thief = client.dial(address)
            client.ask("RETR file", 125, 150)
            try:
                tls = TlsLink(thief, context_of()).handshake()
                check(tls.recv(100) == b"", "a stranger without a certificate gets data")
            except (ssl.SSLError, OSError):
                pass
            thief.close()
            link = client.wrap(client.dial(address))
            check(link.recv(5000) == b"x" * 1000, "the client does not get his data")
            link.close()
            check(client.reply()[0] == 226, "no 226")


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    need_tls()
    sys.exit(run([the_right_name_only, match_wants_both, required_ones]))
