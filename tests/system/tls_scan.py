#!/usr/bin/env python3
"""tls_scan: what scanners find (SECURITY.md T10): sslscan and testssl.sh, on the port of AUTH TLS and on the implicit one, with an RSA and an ECDSA
certificate: nothing older than TLS 1.2, no cipher without authenticated encryption and forward secrecy, no renegotiation, no weakness."""

import json
import os
import re
import shutil
import subprocess
import sys

from lib_daemon import DaemonError, PortLock, slowness
from lib_system import check, is_ready, run, settle
from lib_tls import TlsDaemon, need_tls, skip

# What a scanner says of itself, not of us.
ITS_OWN = ("engine_problem", "scanTime", "scanProblem", "old_fart")
STRONG = re.compile(r"TLS_AES_(128|256)_GCM_SHA\d+|TLS_CHACHA20_POLY1305_SHA256|ECDHE-(ECDSA|RSA)-(AES(128|256)-GCM-SHA\d+|CHACHA20-POLY1305)")


def make_daemon(implicit, *options):
    """Both kinds of keys."""
    daemon = TlsDaemon(options=[f"listen_implicit_tls=127.0.0.1:{implicit.port}", *options])
    rsa = daemon.certificates.own("rsa", kind="rsa")
    daemon.options = [option for option in daemon.options if option not in daemon.pair.options()]
    daemon.options += [f"tls.certificate={daemon.pair.certificate},{rsa.certificate}", f"tls.private_key={daemon.pair.key},{rsa.key}"]
    return daemon


def scanned(*words):
    """What sslscan says."""
    done = subprocess.run(["sslscan", "--no-colour", *words], check=False, capture_output=True, text=True, timeout=100 * slowness())
    check(done.returncode == 0 and "Supported Server Cipher" in done.stdout, f"sslscan fails: {done.stdout}{done.stderr}")
    return done.stdout


def sslscan_finds_nothing():
    """Protocols, ciphers, groups, compression, renegotiation, and the bug called Heartbleed."""
    if shutil.which("sslscan") is None:
        print("  skipped: sslscan is not installed")
        return
    implicit = PortLock()
    with make_daemon(implicit) as daemon:
        settle(lambda: is_ready(daemon))
        for words in (("--starttls-ftp", f"127.0.0.1:{daemon.port}"), (f"127.0.0.1:{implicit.port}",)):
            text = scanned(*words)
            for protocol in ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"):
                check(re.search(rf"^{protocol} +disabled$", text, re.M), f"{protocol} is not disabled:\n{text}")
            for protocol in ("TLSv1.2", "TLSv1.3"):
                check(re.search(rf"^{protocol} +enabled$", text, re.M), f"{protocol} is not enabled:\n{text}")
            ciphers = re.findall(r"^(?:Preferred|Accepted) +\S+ +(\d+) bits +(\S+)", text, re.M)
            check(len(ciphers) >= 8, f"only {ciphers}")
            for bits, name in ciphers:
                check(int(bits) >= 128 and STRONG.fullmatch(name), f"{name} is accepted")
            groups = re.findall(r"^TLSv1\.\d +(\d+) bits +\S+.*$", text, re.M)
            check(groups and all(int(bits) >= 112 for bits in groups), f"a weak group:\n{text}")
            check("Session renegotiation not supported" in text, f"renegotiation:\n{text}")
            check("vulnerable" in text and not re.search(r"(?<!not )vulnerable", text), f"Heartbleed:\n{text}")
            check("Compression enabled" not in text, f"compression:\n{text}")
    implicit.release()


def testssl_finds_nothing():
    """Each finding is good or indifferent."""
    if shutil.which("testssl") is None:
        print("  skipped: testssl.sh is not installed")
        return
    implicit = PortLock()
    with make_daemon(implicit) as daemon:
        settle(lambda: is_ready(daemon))
        path = os.path.join(daemon.place, "findings.json")
        done = subprocess.run(["testssl", "--starttls", "ftp", "--quiet", "--color", "0", "--warnings", "batch", "-n", "none", "-p", "-U",
                               "--jsonfile", path, f"127.0.0.1:{daemon.port}"], check=False, capture_output=True, text=True, cwd=daemon.place,
                              stdin=subprocess.DEVNULL, timeout=200 * slowness())
        with open(path, encoding="utf-8") as stream:
            findings = [finding for finding in json.load(stream) if finding["id"] not in ITS_OWN]
        check(len(findings) > 15, f"only {len(findings)} findings:\n{done.stdout}{done.stderr}")
        bad = [f"{finding['id']}: {finding['severity']}, {finding['finding']}" for finding in findings
               if finding["severity"] not in ("OK", "INFO")]
        check(not bad, "; ".join(bad))
    implicit.release()


def settings_count():
    """What is configured is what is spoken; what OpenSSL does not know is no start (CVE-2016-3125)."""
    cases = (
        (("tls.ciphers=ECDHE-RSA-AES256-GCM-SHA384", "tls.ciphersuites=TLS_CHACHA20_POLY1305_SHA256"),
         {"ECDHE-RSA-AES256-GCM-SHA384", "TLS_CHACHA20_POLY1305_SHA256"}),
        # Who asks for no encryption does not get it.
        (("tls.ciphers=NULL", "tls.ciphersuites=TLS_AES_128_GCM_SHA256"), {"TLS_AES_128_GCM_SHA256"}),
        (("tls.min_version=1.3", "tls.ciphersuites=TLS_AES_128_GCM_SHA256"), {"TLS_AES_128_GCM_SHA256"}),
    )
    if shutil.which("sslscan"):
        for options, expected in cases:
            implicit = PortLock()
            with make_daemon(implicit, *options) as daemon:
                settle(lambda daemon=daemon: is_ready(daemon))
                text = scanned(f"127.0.0.1:{implicit.port}")
                ciphers = set(re.findall(r"^(?:Preferred|Accepted) +\S+ +\d+ bits +(\S+)", text, re.M))
                check(ciphers == expected, f"{options}: {ciphers}")
            implicit.release()
    for option in ("tls.ciphers=NO-SUCH-CIPHER", "tls.ciphersuites=TLS_NO_SUCH", "tls.min_version=1.1", "tls.ciphers=RC4-SHA"):
        implicit = PortLock()
        daemon = make_daemon(implicit, option)
        try:
            daemon.start()
        except DaemonError as error:
            check("ended at once, status 1" in str(error) and option.split("=")[0].split(".")[1] in str(error), f"{option}: {error}")
        else:
            daemon.kill()
            daemon.remove()
            check(False, f"the daemon starts with {option}")
        implicit.release()
    # A key that is too short for the security level.
    daemon = TlsDaemon()
    weak = daemon.certificates.own("weak", kind="weak")
    daemon.options += weak.options()
    try:
        daemon.start()
    except DaemonError as error:
        check(weak.certificate in str(error) or weak.key in str(error), f"a weak key: {error}")
    else:
        daemon.kill()
        daemon.remove()
        check(False, "the daemon starts with an RSA key of 1024 bits")


if __name__ == "__main__":
    need_tls()
    if not (shutil.which("sslscan") or shutil.which("testssl")):
        skip("neither sslscan nor testssl.sh is installed")
    sys.exit(run([sslscan_finds_nothing, settings_count, testssl_finds_nothing]))
