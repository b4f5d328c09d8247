#!/usr/bin/env python3
"""Let one real client speak TLS with deftpd, and see whether it does what deftpd-clients(7) says of it.

    ftps.py [--bin DIRECTORY] CLIENT [1.2|1.3] [require|auto|off]

With each version of TLS and each tls.resume: log in, list, 200 uploads, 200 downloads, the rest of half a file, a download
that is given up in the middle, and another list in a session that works. Everything is compared. The log tells who
resumed and who ended uploads with close_notify. With tls.resume=require those who do not resume are refused.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))

from ftps_clients import CLIENTS, PASSWORD, USER  # noqa: E402
from lib_daemon import skip, slowness, wait_for  # noqa: E402
from lib_system import need_root  # noqa: E402
from lib_tls import Certificates, need_tls  # noqa: E402
from lib_users import UserDaemon  # noqa: E402
from run import checksum, make_file  # noqa: E402

PAGE = os.path.join(HERE, "..", "..", "etc", "man", "deftpd-clients.7")
VERSIONS = ("1.2", "1.3")
RESUMES = ("require", "auto", "off")
TIMEOUT_S = 60
HALF_BYTES = 300001
BIG_BYTES = 64 << 20
# Sections of OpenSSL's configuration, for clients that leave the version to it.
OPENSSL_CONF = """openssl_conf = first
[first]
ssl_conf = second
[second]
system_default = third
[third]
MinProtocol = TLSv{0}
MaxProtocol = TLSv{0}
"""


def expected_of(name):
    """
    The row of a client in the man page: {"1.2": does it resume, "1.3": the same, "close": does it end with close_notify, "off":
    does it transfer with tls.resume=off}.
    """
    with open(PAGE, encoding="utf-8") as page:
        for line in page:
            cells = [cell.strip() for cell in line.split(" Ta ")]
            if cells[0] == ".It " + name:
                return {key: cell == "yes" for key, cell in zip((*VERSIONS, "close", "off"), cells[1:5])}
    sys.exit(f"{name} has no row in {PAGE}")


def make_files(folder, home, client):
    """What is sent and what is there to be fetched."""
    for name in ("up", "down"):
        os.makedirs(os.path.join(folder, name))
    for number in range(client.count):
        size = (0 if number % 7 == 3 else 2000003 if number == 11 else 100000 if number % 10 == 5
                else number * number % 9000)
        make_file(os.path.join(folder, f"up/f{number}"), size or not client.sends_empty, number)
    make_file(os.path.join(home, "half"), HALF_BYTES, "half")
    make_file(os.path.join(folder, "down/half"), HALF_BYTES, "half")
    os.truncate(os.path.join(folder, "down/half"), HALF_BYTES // 2)
    with open(os.path.join(home, "big"), "wb") as big:
        big.truncate(BIG_BYTES)


def run_client(client, port, version, folder):
    """The whole scenario; gives what the client complained of, "" if of nothing."""
    with open(os.path.join(folder, "openssl.cnf"), "w", encoding="ascii") as configuration:
        configuration.write(OPENSSL_CONF.format(version))
    environment = dict(os.environ, LC_ALL="C.UTF-8", HOME=folder, FTPS_USER=USER, FTPS_PASSWORD=PASSWORD,
                       OPENSSL_CONF=os.path.join(folder, "openssl.cnf"))
    for words in client.commands(port, version, client.count):
        try:
            done = subprocess.run(words, cwd=folder, env=environment, timeout=TIMEOUT_S * slowness(), check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except subprocess.TimeoutExpired as late:
            return f"took longer than {TIMEOUT_S} s: {(late.output or b'')[-500:]!r}"
        if done.returncode != 0:
            return f"ended with status {done.returncode}: " + done.stdout[-500:].decode("utf-8", "replace").strip()
    return ""


def compare(client, folder, home):
    """Both ways, and the lists; gives the complaints."""
    wrong = []
    for number in range(client.count):
        sent = checksum(os.path.join(folder, f"up/f{number}"))
        for place in (os.path.join(home, f"f{number}"), os.path.join(folder, f"down/f{number}")):
            if not os.path.exists(place) or checksum(place) != sent:
                wrong.append(f"{place} is not what was sent")
    if checksum(os.path.join(folder, "down/half")) != checksum(os.path.join(home, "half")):
        wrong.append("the rest of half is wrong")
    for name, wanted in (("list", {"half", "big"}), ("list2", {"half", "big"} | {f"f{i}" for i in range(client.count)})):
        with open(os.path.join(folder, name), encoding="utf-8") as text:
            listed = {line.split()[-1] for line in text if line.strip()}
        if not wanted <= listed:
            wrong.append(f"{name} lacks {sorted(wanted - listed)[:5]}")
    return wrong


def wait_for_log(daemon, said):
    """What the log says behind this place, when the client's sessions are over."""
    def ended():
        text = daemon.log_text()[said:]
        begun = set(re.findall(r"session=(\d+) ", text))
        return begun and begun == set(re.findall(r"session=(\d+) .*session ended", text))
    wait_for(ended)
    return daemon.log_text()[said:]


def read_log(text):
    """What the log tells of this client: was it refused, did it not resume, did it not end uploads with close_notify."""
    return {"refused": bool(re.search(r"data connection refused|connections? .*does not resume.*would serve", text)),
            "unresumed": "does not resume" in text, "unclosed": "without close_notify" in text}


def judge(outcome, expected, version, resume):
    """What is not as the man page says; outcome: complaint of the client, complaints of the comparison, what the log tells."""
    complaint, differences, log = outcome
    wrong = list(differences)
    if resume == "require" and not expected[version]:
        if not complaint or not log["refused"]:
            wrong.append("it ought to be refused, as it does not resume")
        return wrong
    if resume == "off" and not expected["off"]:
        return wrong if complaint else ["it works with tls.resume=off"]
    if complaint:
        wrong.append(complaint)
    if log["refused"]:
        wrong.append("it was refused")
    if resume == "auto" and log["unresumed"] == expected[version]:
        wrong.append(f"it {'does not resume' if log['unresumed'] else 'resumes'}")
    if log["unclosed"] == expected["close"]:
        wrong.append(f"it ends uploads {'without' if log['unclosed'] else 'with'} close_notify")
    return wrong


def cell(client, daemon, version, resume, expected):
    """One version with one setting, in a home that is empty before; gives the number of complaints."""
    home = daemon.home()
    for name in os.listdir(home):
        os.unlink(os.path.join(home, name))
    folder = os.path.join(daemon.place, f"local-{version}")
    make_files(folder, home, client)
    shutil.copy(os.path.join(daemon.place, "tls", "server.crt"), folder)
    said, began = len(daemon.log_text()), time.monotonic()
    complaint = run_client(client, daemon.port, version, folder)
    seconds = time.monotonic() - began
    differences = [] if complaint else compare(client, folder, home)
    text = wait_for_log(daemon, said)
    log = read_log(text)
    wrong = judge((complaint, differences, log), expected, version, resume)
    state = "refused" if log["refused"] else "failed" if complaint else "served, not resumed" if log["unresumed"] else "served"
    print(f"TLS {version}, tls.resume={resume}: {state}{', no close_notify' if log['unclosed'] else ''}"
          f" ({seconds:.1f} s){'' if not wrong else ' WRONG'}", flush=True)
    for line in wrong[:10]:
        print("   ", line)
    if wrong:
        print(f"--- log of the daemon\n{text[-3000:]}---")
    return len(wrong)


def check(given, client):
    """All cells; gives the number of complaints."""
    expected, wrong = expected_of(given.client), 0
    for resume in [given.resume] if given.resume else RESUMES:
        daemon = UserDaemon(given.bin, users=(USER,), options=[f"tls.resume={resume}", "max_sessions_per_address=0"])
        pair = Certificates(os.path.join(daemon.place, "tls")).own("server")
        daemon.options += pair.options()
        if client.prepare:
            client.prepare(daemon.place)
        with daemon:
            for version in [given.version] if given.version else VERSIONS:
                wrong += cell(client, daemon, version, resume, expected)
    return wrong


def main():
    """One client."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", help="directory of the programs")
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("version", nargs="?", choices=VERSIONS)
    parser.add_argument("resume", nargs="?", choices=RESUMES)
    given = parser.parse_args()
    need_root()
    need_tls()
    client = CLIENTS[given.client]
    if shutil.which(client.has[0]) is None or subprocess.run(client.has, capture_output=True, check=False).returncode != 0:
        skip(f"{given.client} is not installed: {' '.join(client.has)}")
    sys.exit(1 if check(given, client) else 0)


if __name__ == "__main__":
    main()
