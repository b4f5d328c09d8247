#!/usr/bin/env python3
"""tls_key_places: in which processes the private keys are (SECURITY.md T11): in deftpd-worker's, which speaks TLS, and in no other; neither
after the start nor after a renewal, a reload and logins; nor in a log."""

import os
import re
import sys
import time

from lib_accounts import memory_holds
from lib_system import check, is_ready, need_root, run, settle
from lib_tls import TlsClient, TlsDaemon, need_tls, openssl
from lib_users import worker_of

OTHERS = ("deftpd", "deftpd-auth", "deftpd-agent", "deftpd-recorder")


def secrets_of(pair, password=None):
    """What gives a key away: the number itself, as it is written and as OpenSSL computes with it, and lines of its file."""
    words = ["-passin", f"pass:{password}"] if password else []
    text = openssl("pkey", "-in", pair.key, "-noout", "-text", *words)
    found = {}
    for name in ("priv", "prime1", "prime2", "privateExponent"):
        match = re.search(rf"^{name}:\n((?: +[0-9a-f:]+\n)+)", text, re.M)
        if match:
            number = bytes.fromhex(re.sub(r"[ :\n]", "", match.group(1))).lstrip(b"\0")
            found[number] = f"{name} of {pair.name}"
            found[number[::-1]] = f"{name} of {pair.name}, as a number"
    with open(pair.key, "rb") as stream:
        lines = [line for line in stream.read().split(b"\n") if len(line) == 64]
    check(lines and found, f"nothing to search for in {pair.key}")
    found[lines[1]] = f"a line of {pair.key}"
    return found


def search(daemon, secrets, when):
    """No process but workers has any of them; some worker has, or the search does not work."""
    seen = set()
    for process in daemon.tree():
        if process.program in OTHERS:
            found = memory_holds(process.pid, secrets.keys())
            check(not found, f"{when}: {process} has {sorted(secrets[secret] for secret in found)}")
            seen.add(process.program)
    check(seen >= set(OTHERS) - {"deftpd-auth"}, f"{when}: only {seen} were searched")
    has = set()
    without = 0
    for process in daemon.programs("deftpd-worker"):
        held = memory_holds(process.pid, secrets.keys())
        has |= held
        without += not held
    check(without >= 1, f"{when}: shared workers have a key, too")
    check(has, f"{when}: no worker has a key; the search does not work")


def only_workers_have_them():
    """RSA and ECDSA, one of them encrypted; with guests, a user, a renewal and a reload."""
    daemon = TlsDaemon(options=["anonymous.enabled=yes"])
    rsa = daemon.certificates.own("rsa", "localhost", kind="rsa")
    password = "a long password of a key " + os.urandom(8).hex()
    plain = rsa.key + ".plain"
    os.rename(rsa.key, plain)
    openssl("pkey", "-in", plain, "-aes256", "-passout", f"pass:{password}", "-out", rsa.key)
    with open(os.path.join(daemon.certificates.place, "password"), "w", encoding="ascii",
              opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
        stream.write(password + "\n")
    daemon.options += [f"tls.certificate={daemon.pair.certificate},{rsa.certificate}", f"tls.private_key={daemon.pair.key},{rsa.key}",
                       f"tls.key_password={stream.name}"]
    daemon.options = [option for option in daemon.options
                      if option not in (f"tls.certificate={daemon.pair.certificate}", f"tls.private_key={daemon.pair.key}")]
    secrets = secrets_of(daemon.pair) | secrets_of(rsa, password) | {password.encode(): "the password of the keys"}
    with open(plain, "rb") as stream:
        secrets[stream.read().split(b"\n")[3]] = "a line of the key that was encrypted"
    with daemon:
        settle(lambda: is_ready(daemon))
        # Whoever holds the sealed files could read them: the master, which read them anyway, and the worker's forkserver.
        with TlsClient(daemon, "ann") as client, TlsClient(daemon) as guest:
            client.fetch("LIST")
            guest.fetch("LIST")
            search(daemon, secrets, "after the start")
            for process in daemon.tree():
                if process.program in ("deftpd-auth", "deftpd-agent", "deftpd-recorder"):
                    held = [target for target in process.descriptors().values() if "memfd:" in target]
                    check(not any("tls" in target or "key" in target for target in held), f"{process} holds {held}")
            own = worker_of(daemon, client)[0]
            check(not any("tls" in target for target in own.descriptors().values()), f"{own} holds the sealed files")
            renewed = daemon.certificates.own("renewed")
            secrets |= secrets_of(renewed)
            for old, new in ((daemon.pair.key, renewed.key), (daemon.pair.certificate, renewed.certificate)):
                os.replace(new, old)
            settle(lambda: "new certificate in use" in daemon.log_text(), 20, "the renewal is not noticed")
            client.fetch("LIST")
            search(daemon, secrets, "after a renewal")
            daemon.child.send_signal(1)
            time.sleep(2)
            search(daemon, secrets, "after a reload")
        check(not any(secret in daemon.log_text().encode() for secret in secrets), "a log has a key")


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    need_tls()
    sys.exit(run([only_workers_have_them]))
