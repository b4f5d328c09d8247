#!/usr/bin/env python3
"""tidy.py BUILD_DIR [FILE...]: clang-tidy over what the build compiles, two files at a time.

A file that was clean is not looked at again until it, a header of ours that it includes, its compile
command or the configuration changes; the marks lie in BUILD_DIR/lint/tidy.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
# Tests read as tables and stories: there a long function is no fault, and a fixture may be global.
FOR_TESTS = ",".join([
    "-readability-function-size",
    "-readability-function-cognitive-complexity",
    "-cppcoreguidelines-avoid-non-const-global-variables",
])


def arguments(entry):
    """Return the compile command without its output, fit for another action of the compiler."""
    words = entry["arguments"] if "arguments" in entry else shlex.split(entry["command"])
    at = words.index("-o")
    return [word for word in words[:at] + words[at + 2:] if word != "-c"]


def fingerprint(entry, config, version):
    """Return a hash of everything that the verdict depends on."""
    words = arguments(entry)
    made = subprocess.run([*words, "-MM", "-MT", "x"], cwd=entry["directory"], capture_output=True, text=True)
    if made.returncode != 0:
        return None
    total = hashlib.sha256((version + config + shlex.join(words)).encode())
    for name in made.stdout.replace("\\\n", " ").split()[1:]:
        total.update((pathlib.Path(entry["directory"]) / name).read_bytes())
    return total.hexdigest()


def tidy(entry, build, marks, config, version):
    """Return the findings in one file, or an empty text."""
    name = os.path.relpath(entry["file"], TOP)
    mark = marks / name.replace("/", "__")
    print_ = fingerprint(entry, config, version)
    if print_ and mark.is_file() and mark.read_text() == print_:
        return ""
    command = ["clang-tidy", "--quiet", f"--config-file={HERE / 'clang-tidy.yml'}", "-p", str(build),
               "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-error", entry["file"]]
    if name.startswith("tests/"):
        command.insert(1, f"--checks={FOR_TESTS}")
    made = subprocess.run(command, capture_output=True, text=True, cwd=TOP)
    if made.returncode == 0 and print_:
        mark.write_text(print_)
    return "" if made.returncode == 0 else made.stdout + made.stderr


def main():
    if not shutil.which("clang-tidy"):
        print("skipped: clang-tidy is not installed")
        return 77
    build = pathlib.Path(sys.argv[1]).resolve()
    wanted = {str(pathlib.Path(name).resolve()) for name in sys.argv[2:]}
    entries = {entry["file"]: entry for entry in json.loads((build / "compile_commands.json").read_text())}
    entries = [entry for name, entry in sorted(entries.items())
               if name.startswith(f"{TOP}/") and (not wanted or name in wanted)]
    marks = build / "lint" / "tidy"
    marks.mkdir(parents=True, exist_ok=True)
    config = (HERE / "clang-tidy.yml").read_text() + FOR_TESTS
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True).stdout
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda entry: tidy(entry, build, marks, config, version), entries))
    bad = [text for text in results if text]
    print("".join(bad), end="")
    print(f"{len(entries)} file(s), {len(bad)} with findings")
    return 1 if bad or not entries else 0


sys.exit(main())
