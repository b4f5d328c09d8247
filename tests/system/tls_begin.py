#!/usr/bin/env python3
"""tls_begin: the first steps with TLS: deftpd --self-signed, --serve --tls, and what --check says of certificates."""

import os
import re
import ssl
import subprocess
import sys
import tempfile

from lib_daemon import Daemon, has_user, programs_directory
from lib_system import Client, check, run
from lib_tls import DAY, Certificates, TlsClient, need_tls

USAGE = 2


def deftpd(*words, status=0):
    """Run it to its end; returns what it printed."""
    command = [os.path.join(programs_directory(), "deftpd"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    check(done.returncode == status, f"{' '.join(words)}: status {done.returncode}, {status} expected: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def write(path, text):
    """Returns the path."""
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    return path


def settings_of(text):
    """The lines for the configuration among those that --self-signed prints."""
    found = re.search(r"^tls \{\n.*?^\}\n", text, re.MULTILINE | re.DOTALL)
    check(found is not None, f"no settings are printed: {text}")
    return found.group()


def mode_of(path):
    """Its permission bits."""
    return os.stat(path).st_mode & 0o7777


def self_signed():
    """The pair is written once, the key for its owner alone, and a client that is given the certificate believes it."""
    with tempfile.TemporaryDirectory(prefix="deftpd-begin-") as place:
        os.umask(0o022)
        for words in (["--self-signed", place + "/one"], ["--self-signed=" + place + "/two"]):
            text = deftpd(*words)
            directory = words[-1].rpartition("=")[2]
            check(sorted(os.listdir(directory)) == ["deftpd.crt", "deftpd.key"], f"{words}: {os.listdir(directory)}")
            check(mode_of(directory + "/deftpd.key") == 0o600, "the key is not for its owner alone")
            check(mode_of(directory + "/deftpd.crt") == 0o644, "the certificate cannot be read")
        with open(place + "/two/deftpd.key", encoding="ascii") as stream:
            before = stream.read()
        check("is there already" in deftpd("--self-signed", place + "/two", status=1), "the pair was made again")
        with open(place + "/two/deftpd.key", encoding="ascii") as stream:
            check(stream.read() == before, "the key is another")
        conf = write(place + "/conf", settings_of(text) + "log { transfers = \"\" events = stderr }\n")
        said = deftpd("--check", "-c", conf)
        check(re.search(r"^certificate: .*/two/deftpd\.crt: .* valid until \d{4}-\d\d-\d\d ", said, re.MULTILINE), said)
        with Daemon(configuration=settings_of(text)) as daemon:
            context = ssl.create_default_context(cafile=place + "/two/deftpd.crt")
            for name in ("localhost", "127.0.0.1"):
                with TlsClient(daemon, context=context, name=name) as client:
                    client.ask("NOOP", 200)


def serve():
    """A directory is shared with TLS for those who ask for it, as root and as anybody, and nothing is written anywhere."""
    for user in [None] + (["nobody"] if os.geteuid() == 0 and has_user("nobody") else []):
        words = ["--serve", "{root}", "--port", "{port}", "--listen", "127.0.0.1", "--tls"]
        with Daemon(arguments=words, user=user) as daemon:
            write(os.path.join(daemon.root, "file"), "content\n")
            for version in ("1.2", "1.3"):
                with TlsClient(daemon, version=version) as client:
                    check(client.fetch("RETR file") == b"content\n", "another content")
            with Client(daemon) as client:
                client.login()
            check(os.listdir(daemon.root) == ["file"], f"{os.listdir(daemon.root)}")
            check("made for now" in daemon.log_text().replace("\n", " "), "nothing is said of the certificate")
        with Daemon(arguments=words + ["-o", "tls.policy=all"], user=user) as daemon:
            with Client(daemon) as client:
                check(client.reply()[0] == 220, "no 220")
                client.ask("USER anonymous", 530)


def command_lines():
    """What does not go together is refused."""
    for words in (["--tls"], ["--self-signed", "/a", "/b"], ["--self-signed", "-c", "/dev/null"], ["--self-signed", "-o", "sandbox=off"],
                  ["--self-signed", "--serve", "/"], ["--serve", "/", "--tls", "-o", "tls.certificate=/c"]):
        deftpd(*words, status=USAGE)
    for word in ("--tls", "--self-signed"):
        check(word in deftpd("--help"), f"--help lacks {word}")
    deftpd("--self-signed", "/nowhere/at/all", status=1)


def check_tells():
    """Each mistake about a certificate has the line of the key that names the file, and its remedy; a warning is none."""
    with tempfile.TemporaryDirectory(prefix="deftpd-begin-") as place:
        made = Certificates(place)
        right, other = made.own("right", "ftp.example.org"), made.own("other", "ftp.example.net")
        expired = made.issued("expired", "old.example.org", begins=-9 * DAY, ends=-DAY)
        head = "log { transfers = \"\" events = stderr }\n"
        wrong = write(place + "/conf", head + f"tls {{\ncertificate = \"{right.certificate}\"\nprivate_key = \"{other.key}\"\n}}\n"
                      f"host ftp.example.net {{\ncertificate = \"{other.certificate}\"\nprivate_key = \"{right.key}\"\n}}\n")
        said = deftpd("--check", "-c", wrong, status=1)
        for line in (4, 8):
            check(re.search(rf"^{place}/conf:{line}: .*", said, re.MULTILINE), f"the key that does not fit: {said}")
        wrong = write(place + "/conf", head + f"tls {{\ncertificate = \"{right.certificate}\"\nprivate_key = \"{right.key}\"\n}}\n"
                      f"host b {{\ncertificate = \"{place}/nowhere\"\n}}\n")
        check(f"{place}/conf:7: {place}/nowhere: No such file" in deftpd("--check", "-c", wrong, status=1), "the file that is not there")
        late = write(place + "/conf", head + f"tls {{\ncertificate = \"{expired.certificate}\"\nprivate_key = \"{expired.key}\"\n}}\n")
        said = deftpd("--check", "-c", late)
        check("warning: " in said and "expired" in said and "the configuration is right" in said, f"the one that has expired: {said}")
        said = deftpd("--check", "-c", write(place + "/conf", head))
        check("TLS: none; tls.certificate names no certificate" in said, f"no TLS: {said}")
        alone = write(place + "/conf", head + f"tls {{ private_key = \"{right.key}\" policy = all }}\n")
        said = deftpd("--check", "-c", alone, status=1)
        check(said.count(place + "/conf:2: ") == 2, f"a key without certificate, and a policy that nobody could meet: {said}")


def hosts():
    """What a host has for itself is looked at as what all have, and is told at the host's line."""
    with tempfile.TemporaryDirectory(prefix="deftpd-begin-") as place:
        os.chmod(place, 0o755)
        conf = place + "/conf"
        text = ("log { transfers = \"\" events = stderr }\nanonymous { enabled = yes root = \"/\" }\nvirtual_users { user = \"\" }\n"
                f"host a {{\nanonymous_root = \"{place}/root\"\nusers_file = \"{place}/users\"\n}}\n")
        said = deftpd("--check", "-c", write(conf, text), status=1)
        check(f"{conf}:5: {place}/root: No such file or directory; create the directory" in said, f"the root that is not there: {said}")
        check(f"{conf}:6: there is no {place}/users; create it: deftp-passwd add -f {place}/users NAME" in said,
              f"the users that are not there: {said}")
        os.mkdir(place + "/root", 0o755)
        write(place + "/users", "ann:!:1001:1001::/srv/ann:\nbob:!\n")
        os.chmod(place + "/users", 0o644)
        said = deftpd("--check", "-c", conf, status=1)
        check(f"{conf}:6: {place}/users may be changed or read by others" in said and "/root" not in said, f"users whom all can read: {said}")
        os.chmod(place + "/users", 0o600)
        said = deftpd("--check", "-c", conf, status=1)
        check(f"{conf}:6: {place}/users:2: " in said, f"the wrong line: {said}")
        write(place + "/users", "ann:!:1001:1001::/srv/ann:\n")
        said = deftpd("--check", "-c", conf)
        check("logins: anonymous, users of files of their own" in said, f"who may log in: {said}")
        os.chmod(place + "/root", 0o700)
        if os.geteuid() == 0:
            said = deftpd("--check", "-c", conf, "-o", "anonymous.user=nobody", status=1)
            check(f"{conf}:5: user nobody may not list {place}/root" in said, f"a root for nobody: {said}")


if __name__ == "__main__":
    need_tls()
    sys.exit(run([self_signed, serve, command_lines, check_tells, hosts]))
