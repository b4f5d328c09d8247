#!/usr/bin/env python3
"""tls_staple: what stands beside a certificate: OCSP responses from files, which are watched, too; and keys and their password as credentials of
systemd, without which an encrypted key is of no use."""

import os
import re
import subprocess
import sys
import time

from lib_daemon import DaemonError, slowness
from lib_system import check, is_ready, need_root, run, settle
from lib_tls import TlsClient, TlsDaemon, need_tls, openssl


def response(made, name, path, signer="ca"):
    """An OCSP response for a certificate, as its issuer would give it."""
    ca = made.made[signer]
    openssl("ocsp", "-index", os.path.join(made.place, "index"), "-CA", made.made["ca"].certificate, "-rsigner", ca.certificate, "-rkey", ca.key,
            "-issuer", made.made["ca"].certificate, "-cert", made.made[name].certificate, "-respout", path + ".new", "-ndays", "7", "-noverify")
    os.replace(path + ".new", path)


def stapled(daemon, version="tls1_3"):
    """What openssl s_client tells of the response that comes with the certificate."""
    done = subprocess.run(["openssl", "s_client", "-starttls", "ftp", "-connect", f"127.0.0.1:{daemon.port}", "-status", "-" + version,
                           "-CAfile", daemon.certificates.made["ca"].certificate, "-ign_eof"], input="QUIT\r\n", check=False,
                          capture_output=True, text=True, timeout=30 * slowness())
    check("Verify return code: 0 (ok)" in done.stdout, f"the certificate is not right: {done.stdout}{done.stderr}")
    match = re.search(r"OCSP Response Data:\n.*?Produced At: ([^\n]+).*?Serial Number: (\w+).*?Cert Status: (\w+)", done.stdout, re.S)
    return match.groups() if match else None


def responses_are_stapled():
    """To who asks for them, in both versions; a new one is used without a restart, a wrong one never."""
    daemon = TlsDaemon()
    made = daemon.certificates
    one, two = made.issued("one", "localhost"), made.issued("two", "localhost")
    path = os.path.join(made.place, "one.ocsp")
    response(made, "one", path)
    daemon.options = [option for option in daemon.options if option not in daemon.pair.options()]
    daemon.options += one.options() + [f"tls.ocsp_response={path}"]
    with daemon:
        settle(lambda: is_ready(daemon))
        first = stapled(daemon)
        check(first is not None and first[2] == "good", f"nothing is stapled: {first}")
        check(stapled(daemon, "tls1_2") == first, "TLS 1.2 has another")
        with TlsClient(daemon) as client:  # who does not ask
            client.fetch("LIST")
        time.sleep(1.1)  # by which the two are told apart
        response(made, "one", path)
        settle(lambda: (stapled(daemon) or first)[0] != first[0], 20, "the new response is not used")
        second = stapled(daemon)
        # That of another certificate; and one that says what nobody can want to be said.
        for wrong in ("two", "one"):
            start = len(daemon.log_text())
            if wrong == "one":
                made.revoke("one")
            response(made, wrong, path)
            settle(lambda start=start: re.search(rf"error.*{re.escape(path)}", daemon.log_text()[start:]), 20,
                   lambda start=start: f"nothing is said of a wrong response:\n{daemon.log_text()[start:]}")
            check(stapled(daemon) == second, f"a wrong response is stapled, of {wrong}")
        with TlsClient(daemon) as client:
            check(client.link.shows(one) and not client.link.shows(two), "another certificate is shown")


def keys_may_be_credentials():
    """credential:NAME is a file below $CREDENTIALS_DIRECTORY; the key is encrypted, and its password a credential, too."""
    daemon = TlsDaemon()
    pair = daemon.pair
    place = os.path.join(daemon.place, "credentials")
    os.mkdir(place, 0o700)
    word = "four words of a password"
    openssl("pkey", "-in", pair.key, "-aes256", "-passout", f"pass:{word}", "-out", os.path.join(place, "ftp.key"))
    for name, content in (("word", word + "\n"), ("wrong", "another\n")):
        with open(os.path.join(place, name), "w", encoding="ascii") as stream:
            stream.write(content)
    os.unlink(pair.key)
    daemon.options = [option for option in daemon.options if option not in pair.options()]
    daemon.options += [f"tls.certificate={pair.certificate}", "tls.private_key=credential:ftp.key"]
    os.environ["CREDENTIALS_DIRECTORY"] = place
    try:
        daemon.options.append("tls.key_password=credential:word")
        with daemon:
            settle(lambda: is_ready(daemon))
            with TlsClient(daemon) as client:
                check(client.link.shows(pair), "another certificate is shown")
                client.fetch("LIST")
            check(word not in daemon.log_text(), "the password is in the log")
        for name, options in (("a wrong password", ["tls.key_password=credential:wrong"]), ("no password", []),
                              ("no such credential", ["tls.key_password=credential:none"]),
                              ("a way out", ["tls.key_password=credential:../credentials/word"])):
            refused = TlsDaemon(pair=pair, options=["tls.private_key=credential:ftp.key", *options])
            try:
                refused.start()
            except DaemonError as error:
                check("ended at once, status 1" in str(error) and word not in str(error), f"{name}: {error}")
            else:
                refused.kill()
                refused.remove()
                check(False, f"{name}: the daemon starts")
    finally:
        del os.environ["CREDENTIALS_DIRECTORY"]


if __name__ == "__main__":
    need_root()  # only root sees into our processes, which are undumpable
    need_tls()
    sys.exit(run([responses_are_stapled, keys_may_be_credentials]))
