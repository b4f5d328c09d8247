#!/usr/bin/env python3
"""tls_hosts: virtual hosts by HOST (RFC 7151) and by SNI: each with its certificates, banner, guests' root and users; nobody of one is somebody
on another; and what stays when a host is named twice, unknown, or after a renewal of one of them."""

import os
import sys

from lib_system import Client, check, is_ready, need_root, run, settle
from lib_tls import TlsClient, TlsDaemon, TlsLink, context_of, need_tls
from lib_users import hash_of

HOSTS = ("one.example", "two.example")
WORDS = {None: "the default word", "one.example": "the first word", "two.example": "the second word"}


def users_file(daemon, host, uid):
    """A file with one user, "ann", who has another password and home on each host."""
    home = os.path.join(daemon.place, f"home-{host}")
    os.mkdir(home, 0o755)
    os.chown(home, uid, uid)
    with open(os.path.join(home, f"of-{host}"), "wb") as stream:
        stream.write(b"x")
    path = os.path.join(daemon.place, f"users-{host}")
    with open(path, "w", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
        stream.write(f"ann:{hash_of(WORDS[host])}:{uid}:{uid}::{home}:/bin/false\n{host.split('.', maxsplit=1)[0]}only:"
                     f"{hash_of('x')}:{uid}:{uid}::{home}:/bin/false\n")
    return path


def make_daemon():
    """Two hosts beside the default one; the second has an RSA and an ECDSA certificate."""
    daemon = TlsDaemon(users=("ann",), options=["banner=Nobody in particular", "data_timeout=3"])
    made = daemon.certificates
    made.own("one.example", "one.example")
    made.own("two.example", "two.example", "www.two.example")
    made.own("two-rsa", "two.example", kind="rsa")
    for number, host in enumerate(HOSTS):
        root = os.path.join(daemon.place, f"root-{host}")
        os.mkdir(root, 0o755)
        with open(os.path.join(root, f"guests-of-{host}"), "wb") as stream:
            stream.write(b"x")
        pair = made.made[host]
        certificates, keys = [pair.certificate], [pair.key]
        if host == "two.example":
            certificates.append(made.made["two-rsa"].certificate)
            keys.append(made.made["two-rsa"].key)
        quoted = [", ".join(f'"{path}"' for path in paths) for paths in (certificates, keys)]
        lists = [text if "," not in text else "{" + text + "}" for text in quoted]
        daemon.configuration += (f'host "{host}" {{ certificate = {lists[0]} private_key = {lists[1]} banner = "Welcome to {host}" '
                                 f'anonymous_root = "{root}" users_file = "{users_file(daemon, host, 64020 + number)}" }}\n')
    daemon.configuration += 'host "bare.example" { banner = "Only a banner" }\n'
    with open(os.path.join(daemon.root, "guests-of-all"), "wb") as stream:
        stream.write(b"x")
    return daemon


def names(client):
    """What NLST lists."""
    return sorted(client.fetch("NLST").decode().split())


def code_of(client, user, password):
    """What comes of a login."""
    client.ask("USER " + user, 331)
    client.send("PASS " + password)
    return client.reply()[0]


def guests_have_their_root(daemon):
    """By SNI, by HOST in clear and then TLS, by HOST alone; several at once, mixed."""
    clients = []
    for host in (*HOSTS, None, "nowhere.example", "bare.example"):
        expected = [f"guests-of-{host}"] if host in HOSTS else ["guests-of-all"]
        client = TlsClient(daemon, name=host)
        check(client.link.shows(daemon.certificates.made[host if host in HOSTS else "server"]), f"SNI {host}: another certificate")
        check(names(client) == expected, f"SNI {host}: {names(client)}")
        clients.append((client, expected))
        if host is None:
            continue
        client = TlsClient.__new__(TlsClient)
        Client.__init__(client, daemon)
        client.context, client.name, client.is_private, client.has_resumption = context_of(), None, False, True
        check("Nobody in particular" in client.reply()[1], "the greeting")
        text = client.ask(f"HOST {host}", 220)
        check(host not in HOSTS or f"Welcome to {host}" in text, f"HOST {host}: {text!r}")
        client.ask("AUTH TLS", 234)
        client.secure()
        check(client.link.shows(daemon.certificates.made[host if host in HOSTS else "server"]), f"HOST {host}: another certificate")
        client.enter()
        client.protect()
        check(names(client) == expected, f"HOST {host}: {names(client)}")
        clients.append((client, expected))
        with Client(daemon) as client:
            client.reply()
            client.ask(f"HOST {host.upper()}", 220)
            client.ask("USER anonymous", 331)
            client.ask("PASS x", 230)
            check(client.fetch("NLST").decode().split() == expected, f"HOST {host} in clear")
    for client, expected in clients:
        check(names(client) == expected, "a session has changed its host")
        client.close()


def users_are_their_hosts_own(daemon):
    """The password of one host does not do on another; users of one are nobody elsewhere."""
    for host in (None, *HOSTS):
        for other, word in WORDS.items():
            with TlsClient(daemon, name=host, has_login=False, is_private=False) as client:
                if host is None and other is None:
                    word = "a word of 4 letters"
                got = code_of(client, "ann", word)
                check((got == 230) == (host == other), f"ann of {other} on {host}: {got}")
                if got == 230 and host:
                    client.protect()
                    check(names(client) == [f"of-{host}"], f"ann of {host} is in {names(client)}")
    with TlsClient(daemon, name="two.example", has_login=False, is_private=False) as client:
        check(code_of(client, "oneonly", "x") == 530, "a user of one host logs in on another")
    with TlsClient(daemon, name="one.example", has_login=False, is_private=False) as client:
        check(code_of(client, "oneonly", "x") == 230, "a user of the host does not")


def one_host_at_a_time(daemon):
    """SNI binds: HOST cannot lead to another host's users; a data connection may name no other host."""
    with TlsClient(daemon, name="one.example", has_login=False, is_private=False) as client:
        client.ask("HOST two.example", 504)
        client.ask("HOST one.example", 220)
        check(code_of(client, "ann", WORDS["two.example"]) == 530, "HOST leads to another host than SNI")
        check(code_of(client, "ann", WORDS["one.example"]) == 230, "the login")
        client.ask("HOST two.example", 503)
        client.protect()
        link = client.dial(client.passive())
        client.ask("NLST", 125, 150)
        data = TlsLink(link, client.context, "two.example", client.link.session())
        try:
            data.handshake()
            got = data.recv(1000)
        except OSError:
            got = b""
        data.close()
        code, text = client.reply()
        check(got in (b"", b"of-one.example\r\n") and code in (226, 522, 425, 426), f"{got!r}, {text!r}")
    # Named in clear, changed before TLS: the last one counts.
    with Client(daemon) as client:
        client.reply()
        client.ask("HOST one.example", 220)
        client.ask("HOST two.example", 220)
        client.ask("AUTH TLS", 234)
        link = TlsLink(client.link, context_of(), "two.example").handshake()
        check(link.shows(daemon.certificates.made["two.example"]), "another certificate")


def keys_of_both_kinds(daemon):
    """A host's RSA certificate for who knows no other."""
    for ciphers, name in (("ECDHE-RSA-AES256-GCM-SHA384", "two-rsa"), ("ECDHE-ECDSA-AES256-GCM-SHA384", "two.example")):
        with TlsClient(daemon, name="two.example", context=context_of("1.2", ciphers=ciphers)) as client:
            check(client.link.shows(daemon.certificates.made[name]), f"{ciphers}: another certificate")
            check(names(client) == ["guests-of-two.example"], "another root")


def a_host_is_renewed(daemon):
    """Only its certificate; the others stay, and so do its guests."""
    new = daemon.certificates.own("renewed", "one.example")
    old = daemon.certificates.made["one.example"]
    for source, target in ((new.key, old.key), (new.certificate, old.certificate)):
        with open(source, "rb") as stream:
            content = stream.read()
        with open(target + ".new", "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
            stream.write(content)
        os.replace(target + ".new", target)

    def is_new():
        with TlsClient(daemon, name="one.example") as client:
            return client.link.shows(new) and names(client) == ["guests-of-one.example"]

    settle(is_new, 20, lambda: f"the host's new certificate is not shown:\n{daemon.log_text()}")
    with TlsClient(daemon, name="two.example") as client:
        check(client.link.shows(daemon.certificates.made["two.example"]), "another host has changed")


def hosts():
    """All of it, with one daemon."""
    with make_daemon() as daemon:
        settle(lambda: is_ready(daemon))
        for part in (guests_have_their_root, users_are_their_hosts_own, one_host_at_a_time, keys_of_both_kinds, a_host_is_renewed):
            print(f"  {part.__name__}")
            part(daemon)


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    need_tls()
    sys.exit(run([hosts]))
