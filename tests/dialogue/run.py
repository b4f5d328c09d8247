#!/usr/bin/env python3
"""Play dialogues, each against a deftpd of its own. See README.md.

    run.py [-v] [--bin DIRECTORY] CASE.dlg...
"""

import argparse
import os
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))

import script  # noqa: E402
from accounts import Accounts  # noqa: E402
from control import Failure  # noqa: E402
from lib_daemon import SKIPPED, Daemon, DaemonError, has_ipv6, skip  # noqa: E402
from player import Player  # noqa: E402
from secure import Fixtures  # noqa: E402
from tree import Tree  # noqa: E402

FIXTURES = {"file": "make_file", "sparse": "make_sparse", "many": "make_many", "dir": "make_directory",
            "symlink": "make_symlink", "fifo": "make_fifo", "mode": "set_mode", "mtime": "set_mtime"}


def need(rest):
    """needs root | ipv6: skip the dialogue where that is not there."""
    met = {"root": os.geteuid() == 0, "ipv6": has_ipv6()}
    if rest not in met:
        raise script.ScriptError(f"needs {rest}?")
    if not met[rest]:
        skip(f"needs {rest}")


def prepare(statements, daemon, tree, accounts, certificates):
    """Do the statements that come before the daemon starts; gives the rest."""
    for index, statement in enumerate(statements):
        if statement.verb == "needs":
            need(statement.rest)
        elif statement.verb == "option":
            daemon.options.append(script.expand(statement.rest, certificates.variables))
        elif statement.verb == "section":
            daemon.configuration += script.expand(statement.rest, certificates.variables) + "\n"
        elif statement.verb == "user":
            accounts.add(*script.words(statement.rest))
        elif hasattr(certificates, "set_" + statement.verb):
            getattr(certificates, "set_" + statement.verb)(*[word.decode() for word in script.words(statement.rest)])
        elif statement.verb in FIXTURES:
            getattr(tree, FIXTURES[statement.verb])(*script.words(statement.rest))
        else:
            accounts.settle()
            return statements[index:]
    raise script.ScriptError("nothing is said in this dialogue")


def play(path, directory, is_verbose):
    """Play one dialogue. True: all was as expected."""
    statements = script.read(path)
    daemon = Daemon(directory)
    tree = Tree(daemon.root)
    accounts = Accounts(daemon)
    certificates = Fixtures(daemon)
    try:
        statements = prepare(statements, daemon, tree, accounts, certificates)
    except (SystemExit, script.ScriptError, OSError, TypeError):
        daemon.remove()
        raise
    player = None
    where = os.path.basename(path)
    try:
        with daemon:
            player = Player(daemon, tree, accounts.passwords, certificates, is_verbose)
            try:
                for statement in statements:
                    where = statement.where
                    player.play(statement)
                player.finish()
            finally:
                player.close()
    except (Failure, DaemonError, script.ScriptError, OSError, AttributeError) as error:
        if player and not is_verbose:
            print("\n".join(player.transcript))
        if not isinstance(error, (Failure, DaemonError)):
            traceback.print_exc()
        print(f"{where}: FAILED: {error}")
        return False
    print(f"{os.path.basename(path)}: as expected")
    return True


def main():
    """Play each dialogue; status 0, 1, or 77 if the only one was skipped."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-v", action="store_true", help="show the conversation")
    parser.add_argument("--bin", help="directory of the programs; else $DEFTPD_BIN, else build/bin")
    parser.add_argument("case", nargs="+")
    given = parser.parse_args()
    failed = 0
    for path in given.case:
        try:
            failed += not play(path, given.bin, given.v)
        except SystemExit as end:
            if len(given.case) == 1 or end.code != SKIPPED:
                raise
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
