"""Check of the load generator against the bare server, as any user: it counts what came, and sees what is wrong.

Usage: selfcheck.py FTPLOAD BARE
"""
import json
import pathlib
import subprocess
import sys
import tempfile

BIG = 3 * 1024 * 1024 + 17
TEXT = b"a line\n" * 1000
SOURCE = bytes(range(251)) * 4000

# Options, then what the result must say: failures, sessions, transfers, bytes.
CASES = [
    ("one login", "--clients 1", (0, 1, 0, 0)),
    ("many logins", "--clients 50 --ramp 8", (0, 50, 0, 0)),
    ("one big file", f"--clients 1 --transfers 2 --path big --size {BIG} --discard",
     (0, 1, 2, 2 * BIG)),
    ("the same, copied", f"--clients 3 --transfers 1 --path big --size {BIG}",
     (0, 3, 3, 3 * BIG)),
    ("small files", "--clients 2 --transfers 20 --numbered --path d/f --size 4096",
     (0, 2, 40, 40 * 4096)),
    ("lines of a list", "--clients 1 --transfers 1 --verb LIST --path d --lines 20",
     (0, 1, 1, None)),
    ("lines of facts", "--clients 1 --transfers 1 --verb MLSD --path d --lines 20",
     (0, 1, 1, None)),
    ("text", f"--clients 1 --transfers 1 --type A --path text --size {len(TEXT) + 1000}",
     (0, 1, 1, len(TEXT) + 1000)),
    ("both meetings", f"--clients 5 --transfers 1 --path big --size {BIG} --sync",
     (0, 5, 5, 5 * BIG)),
    ("an upload", f"--clients 1 --transfers 2 --verb STOR --path up --size {BIG} --source {{root}}/source",
     (0, 1, 2, 2 * BIG)),
    ("uploads to many names", "--clients 1 --transfers 20 --verb STOR --numbered --path in/u --size 4096 "
     "--source {root}/source", (0, 1, 20, 20 * 4096)),
    ("an empty upload", "--clients 1 --transfers 1 --verb STOR --path nothing --size 0 --source {root}/source",
     (0, 1, 1, 0)),
    ("no such directory", "--clients 1 --transfers 1 --verb STOR --path x/up --size 5 --source {root}/source",
     (1, 0, 0, 0)),
    ("a user", "--clients 2 --user somebody --password some", (0, 2, 0, 0)),
    ("a file too short", f"--clients 2 --transfers 1 --path big --size {BIG + 1}",
     (2, 0, 0, 0)),
    ("no such file", "--clients 1 --transfers 1 --path none", (1, 0, 0, 0)),
    ("a list too short", "--clients 1 --transfers 1 --verb LIST --path d --lines 21",
     (1, 0, 0, 0)),
    ("no server", "--port 1 --clients 4", (4, 0, 0, 0)),
    ("many logins with TLS", "--tls --clients 50 --ramp 8", (0, 50, 0, 0)),
    ("files with TLS", "--tls --clients 2 --transfers 20 --numbered --path d/f --size 4096", (0, 2, 40, 40 * 4096)),
    ("a big file with TLS", f"--tls --clients 3 --transfers 2 --path big --size {BIG} --discard --sync",
     (0, 3, 6, 6 * BIG)),
    ("uploads with TLS", "--tls --clients 1 --transfers 20 --verb STOR --numbered --path in/t --size 40960 "
     "--source {root}/source", (0, 1, 20, 20 * 40960)),
    ("an upload with TLS", f"--tls --clients 1 --transfers 2 --verb STOR --path tls --size {BIG} --source {{root}}/source",
     (0, 1, 2, 2 * BIG)),
    ("an empty upload with TLS", "--tls --clients 1 --transfers 1 --verb STOR --path nothing --size 0 "
     "--source {root}/source", (0, 1, 1, 0)),
    ("a file too short with TLS", f"--tls --clients 2 --transfers 1 --path big --size {BIG + 1}", (2, 0, 0, 0)),
    ("no server with TLS", "--tls --port 1 --clients 4", (4, 0, 0, 0)),
]


def make_tree(root):
    (root / "d").mkdir()
    (root / "in").mkdir()
    (root / "big").write_bytes(b"x" * BIG)
    (root / "text").write_bytes(TEXT)
    (root / "source").write_bytes(SOURCE)
    for i in range(20):
        (root / "d" / f"f{i}").write_bytes(b"y" * 4096)


def check(ftpload, port, root, case):
    name, options, (failures, sessions, transfers, size) = case
    command = [ftpload, "--port", port, "--stall", "10",
               *[word.format(root=root) for word in options.split()]]
    done = subprocess.run(command, input="\n\n", stdout=subprocess.PIPE, text=True, timeout=30)
    result = json.loads(done.stdout.splitlines()[-1])
    wanted = {"failures": failures, "sessions": sessions, "transfers": transfers}
    if failures == 0:
        wanted["resumed"] = transfers if "--tls" in options else 0
    if size is not None:
        wanted["bytes"] = size
    got = {key: result[key] for key in wanted}
    is_right = got == wanted and (done.returncode == 0) == (failures == 0)
    if "--sync" in options:
        meetings = [line.split()[0] for line in done.stdout.splitlines()[:-1]]
        is_right = is_right and meetings == ["ready", "moved"]
    print("ok" if is_right else f"WRONG: wanted {wanted}, got {result}", "-", name)
    return is_right


def main(ftpload, bare):
    with tempfile.TemporaryDirectory() as directory:
        make_tree(pathlib.Path(directory))
        pair = str(pathlib.Path(directory) / "pair")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pair + ".key", "-out", pair,
                        "-subj", "/CN=bench"], check=True, capture_output=True)
        with open(pair, "a", encoding="ascii") as file:
            file.write(pathlib.Path(pair + ".key").read_text(encoding="ascii"))
        server = subprocess.Popen([bare, "0", directory, pair], stdout=subprocess.PIPE, text=True)
        try:
            port = server.stdout.readline().split()[1]
            results = [check(ftpload, port, directory, case) for case in CASES]
            sent = (SOURCE * (BIG // len(SOURCE) + 1))[:BIG]
            is_stored = all((pathlib.Path(directory) / name).read_bytes() == sent for name in ("up", "tls"))
            print("ok" if is_stored else "WRONG", "- what was uploaded")
        finally:
            server.kill()
            server.wait()
    return 0 if is_stored and all(results) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
