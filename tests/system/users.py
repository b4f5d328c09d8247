#!/usr/bin/env python3
"""users: who may log in and who may not, with real users of this machine, and that nobody learns which it is.

Issue of accounts, items 1 and 3 to 6; SECURITY.md A4, A5, A8, A10, A15 to A17, A21, A25.
"""

import grp
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

from lib_accounts import (Accounts, Login, agent_of, free_low_uid, local_daemon, memory_holds, must_enter, need_accounts, try_login)
from lib_daemon import programs_directory, slowness
from lib_system import check, is_sanitized, run, settle

ACCOUNTS = None
INCORRECT = "530 Login incorrect."
TRIES = 4
# LOGIN_REFUSAL_MS and TIMER_TICK_MS, in seconds.
REFUSED_AFTER = 1.0
TICK = 0.25


def each(daemon, cases, count=1):
    """Try each (user, password) a few times, four at once as the server does; returns {case: [Login]}."""
    work = [case for case in cases for _ in range(count)]
    found = {case: [] for case in cases}
    faults = []

    def worker():
        while work:
            try:
                case = work.pop()
            except IndexError:
                return
            try:
                user, password = cases[case]
                found[case].append(try_login(daemon, user, password))
            except Exception as error:  # pylint: disable=broad-except
                faults.append(f"{case}: {error!r}")

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not faults, "; ".join(faults))
    return found


class Named:
    """A name that needs no user."""

    def __init__(self, name, password="x"):
        self.name, self.password = name, password


def right_and_wrong():
    """The right password lets in, as the user; any other does not."""
    user = ACCOUNTS.user("plain")
    with local_daemon(ACCOUNTS) as daemon:
        with open(os.path.join(user.home, "mine"), "wb") as stream:
            stream.write(b"private")
        os.chmod(stream.name, 0o400)
        os.chown(stream.name, user.uid, 65534)
        login = must_enter(daemon, user)
        check(login.ask("PWD", 257).startswith('257 "/"'), "he does not begin in his home")
        check(login.fetch("RETR mine") == b"private", "he cannot read what only he can")
        login.ask("CWD ..", 250)
        check(login.ask("PWD", 257).startswith('257 "/"'), "he has left his home")
        login.ask("USER " + user.name, 503, 530)
        login.quit()
        password = user.password
        for wrong in (password[:-1], password + "x", password.upper(), password + " ", "x" * 511, "*", "!", "\x01"):
            found = try_login(daemon, user, wrong)
            check(found.text == INCORRECT, f"{wrong!r}: {found.text!r}")
        # USER a, PASS wrong, USER b, PASS right of b: nothing of a is left (A15).
        other = ACCOUNTS.user("other")
        login = Login(daemon, user.name, "wrong")
        check(login.text == INCORRECT, login.text)
        login.ask("PASS " + user.password, 503, 530)
        login.ask("USER " + other.name, 331)
        login.ask("PASS " + user.password, 530)
        login.ask("USER " + other.name, 331)
        login.ask("PASS " + other.password, 230)
        check(agent_of(daemon, other) and not any(
            p.status()["Uid"].split()[0] == str(user.uid) for p in daemon.programs("deftpd-agent")), "another's agent")


def nobody_learns_why():
    """Unknown, locked, expired, denied and wrong get the same words at the same time (A4, A5, A25)."""
    user = ACCOUNTS.user
    listed = user("listed")
    grouped = user("grouped", groups=[ACCOUNTS.group("out")])
    denied = user("denied")
    good = user("good")
    cases = {
        "unknown": (Named(ACCOUNTS.prefix + "nobody"), "x"),
        "wrong password": (good, "wrong"),
        "empty password": (good, ""),
        "locked": (user("locked", hashed="!" + "$6$x$" + "a" * 86), None),
        "no password": (user("nopass", hashed="*"), None),
        "empty hash": (user("empty", hashed=""), ""),
        "expired": (user("expired", "-e", "2001-01-01"), None),
        "shell": (user("shell", shell="/usr/sbin/nologin"), None),
        "root": (Named("root"), "x"),
        "system user": (Named("daemon"), "x"),
        "low uid": (user("low", uid=free_low_uid()), None),
        "denied_file": (listed, None),
        "deny_users": (denied, None),
        "deny_groups": (grouped, None),
        "long name": (Named("n" * 255), "x"),
        "long password": (good, "x" * 511),
    }
    ftpusers = ACCOUNTS.file("ftpusers", f"# these may not\n{listed.name}\n", 0o644)
    with local_daemon(ACCOUNTS, options=[f"logins.denied_file={ftpusers}", f"logins.deny_users={denied.name}",
                                         f"logins.deny_groups={ACCOUNTS.prefix}out"]) as daemon:
        must_enter(daemon, good).quit()
        found = each(daemon, cases, TRIES)
        for case, logins in found.items():
            for login in logins:
                check(login.text == INCORRECT, f"{case}: {login.text!r}")
                check(login.user_text == found["unknown"][0].user_text.replace(cases["unknown"][0].name, cases[case][0].name),
                      f"{case}: USER is answered by {login.user_text!r}")
        # A refusal waits for the first tick of the worker's clock after a second, whatever it is that took less.
        for case, logins in found.items():
            took = sorted(login.seconds for login in logins)
            # The fastest tells: what a kind of refusal costs, all of its tries pay, and other processes are in the way of some.
            check(REFUSED_AFTER - 0.01 <= took[0] <= REFUSED_AFTER + TICK + 0.1 * slowness(),
                  f"{case} took {took}")
        seconds = sorted(login.seconds for logins in found.values() for login in logins)
        text = daemon.log_text()
        for why in ("unknown user", "wrong password", "locked or has expired", "may not log in"):
            check(why in text, f"the log has no line {why!r}")
        for case, (_, password) in cases.items():
            check(not password or len(password) < 5 or password == "wrong" or password not in text, f"{case}: the log has the password")
    print(f"  from {seconds[0]:.4f} to {seconds[-1]:.4f} s")


def lists_that_allow():
    """With a list of users or groups nobody else may log in; the file of denied users wins."""
    users = {kind: ACCOUNTS.user(kind) for kind in ("byname", "byfile", "outside")}
    users["bygroup"] = ACCOUNTS.user("bygroup", groups=[ACCOUNTS.group("in")])
    ftpusers = ACCOUNTS.file("ftpusers2", users["byfile"].name + "\n", 0o644)
    with local_daemon(ACCOUNTS, options=[f"logins.allow_users={users['byname'].name},{users['byfile'].name}",
                                         f"logins.allow_groups={ACCOUNTS.prefix}in",
                                         f"logins.denied_file={ftpusers}"]) as daemon:
        for kind, is_in in (("byname", True), ("bygroup", True), ("byfile", False), ("outside", False)):
            login = try_login(daemon, users[kind])
            check(login.is_in() == is_in, f"{kind}: {login.text!r}")
    with local_daemon(ACCOUNTS, options=["local_users.valid_shell=no"]) as daemon:
        check(try_login(daemon, ACCOUNTS.users["shell"]).is_in(), "the shell was looked at")
    with local_daemon(ACCOUNTS, options=["local_users.min_uid=800"]) as daemon:
        check(try_login(daemon, ACCOUNTS.users["low"]).is_in(), "min_uid does not hold")
    with local_daemon(ACCOUNTS, options=["local_users.enabled=no"]) as daemon:
        check(try_login(daemon, ACCOUNTS.users["byname"]).text == INCORRECT, "local users are not enabled")


def every_process_of_a_user():
    """A8: exactly the user's groups, all four ids, no capabilities, his home as root; the worker learns no id."""
    groups = [ACCOUNTS.group(f"g{n}") for n in range(5)]
    wanted = {"alone": [], "many": sorted(grp.getgrnam(name).gr_gid for name in groups)}
    users = {"alone": ACCOUNTS.user("alone"), "many": ACCOUNTS.user("many", groups=groups)}
    with local_daemon(ACCOUNTS) as daemon:
        for kind, user in users.items():
            login = must_enter(daemon, user)
            agent = agent_of(daemon, user)
            status = agent.status()
            check(status["Uid"].split() == [str(user.uid)] * 4, f"{kind}: Uid {status['Uid']}")
            check(status["Gid"].split() == ["65534"] * 4, f"{kind}: Gid {status['Gid']}")
            found = sorted(int(gid) for gid in status["Groups"].split() if gid != "65534")
            check(found == wanted[kind], f"{kind}: Groups {status['Groups']}")
            for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                check(int(status[key], 16) == 0, f"{kind}: {key} {status[key]}")
            check(status["NoNewPrivs"] == "1" and (is_sanitized() or status["Seccomp"] == "2"), f"{kind}: not confined")
            check(os.readlink(f"/proc/{agent.pid}/root") == user.home, f"{kind}: the root is not the home")
            check(os.stat(f"/proc/{agent.pid}/maps").st_uid == 0, f"{kind}: the agent is dumpable")
            with open(f"/proc/{agent.pid}/environ", "rb") as stream:
                check(stream.read() == b"", f"{kind}: the agent has an environment")
            for worker in daemon.programs("deftpd-worker"):
                check(worker.status()["Uid"].split()[0] != str(user.uid), f"{kind}: a worker is the user")
            login.quit()
            settle(lambda pid=agent.pid: all(p.pid != pid for p in daemon.tree()), text=f"{kind}: the agent has stayed")


def homes_that_cannot_be_used():
    """A10: 530 and a log line, never another directory."""
    missing = ACCOUNTS.user("missing", has_home=False)
    closed = ACCOUNTS.user("closed")
    os.chmod(closed.home, 0)
    os.chown(closed.home, 0, 0)
    plain = ACCOUNTS.user("file", has_home=False)
    with open(plain.home, "wb"):
        pass
    with local_daemon(ACCOUNTS) as daemon:
        for number, user in enumerate((missing, closed, plain)):
            login = try_login(daemon, user)
            check(login.code == 530 and login.text != INCORRECT, f"{user.name}: {login.text!r}")
            # By exit status of the agent, with what to do behind the semicolon.
            settle(lambda lines=number + 1: len(re.findall(r"agent .* by exit status \d+: .*; c", daemon.log_text())) == lines,
                   text=f"{user.name}: the log does not say what to do")
            # The path, too, as only root can see where a home is that cannot be opened.
            check(re.search(rf"agent .*; directory {re.escape(user.home)}; user {user.name}$", daemon.log_text(), re.M),
                  f"{user.name}: no line names directory and user: {daemon.log_text()}")
            # The right password was given: that is no secret to him who knows it, but a wrong one tells nothing.
            check(try_login(daemon, user, "wrong").text == INCORRECT, "a wrong password tells of the home")
    os.chmod(closed.home, 0o700)


def sessions_of_one_user():
    """max_sessions_per_user counts, and is given back."""
    user = ACCOUNTS.user("counted")
    with local_daemon(ACCOUNTS, options=["max_sessions_per_user=2"]) as daemon:
        first, second = must_enter(daemon, user), must_enter(daemon, user)
        third = try_login(daemon, user)
        check(third.code == 530 and third.text != INCORRECT, f"a third session: {third.text!r}")
        check(try_login(daemon, user, "wrong").text == INCORRECT, "a wrong password tells of the count")
        check(try_login(daemon, ACCOUNTS.users["good"]).is_in(), "another user is counted, too")
        first.quit()
        settle(lambda: try_login(daemon, user).is_in(), text="the count was not given back")
        second.close()
        for _ in range(3):
            settle(lambda: try_login(daemon, user).is_in(), text="a lost connection was not given back")


def secrets_are_nowhere():
    """A21: after the login the password is in no process's memory, nor is another's hash; and in no log."""
    user = ACCOUNTS.user("secret")
    path = os.path.join(ACCOUNTS.place, "virtual")
    secrets = {"local": user.password.encode(), "virtual": b"v-" + os.urandom(9).hex().encode(),
               "wrong": b"w-" + os.urandom(9).hex().encode()}
    for name, password in (("vera", secrets["virtual"]), ("otto", b"x")):
        tool("add", "-f", path, name, "--home", ACCOUNTS.place, "--stdin", password=password)
    with open(path, "rb") as stream:
        hashes = [line.split(b":")[1][-40:] for line in stream.read().splitlines()]
    wanted = set(secrets.values()) | set(hashes)
    with local_daemon(ACCOUNTS, options=[f"virtual_users.file={path}"]) as daemon:
        sessions = [must_enter(daemon, user), Login(daemon, "vera", secrets["virtual"].decode()),
                    Login(daemon, user.name, secrets["wrong"].decode())]
        check([s.code for s in sessions] == [230, 230, 530], str([s.text for s in sessions]))
        sessions[0].ask("PWD", 257)
        time.sleep(0.2)
        looked_at = 0
        for process in daemon.tree():
            found = memory_holds(process.pid, wanted)
            looked_at += 1
            check(not found, f"{process} holds {found}")
        check(looked_at >= 6, f"only {looked_at} processes were looked at")
        # The search finds what is there: the name, which is no secret.
        check(any(memory_holds(p.pid, {user.name.encode()}) for p in daemon.tree()), "the search finds nothing at all")
        text = daemon.log_text().encode()
        check(not any(secret in text for secret in wanted), "a secret is in the log")
        for session in sessions:
            session.close()


def tool(*words, password=b""):
    """deftp-passwd, which must succeed."""
    done = subprocess.run([os.path.join(programs_directory(), "deftp-passwd"), *words], check=False, input=password,
                          capture_output=True)
    check(done.returncode == 0, f"{words}: {done.stderr}")


def virtual_users():
    """What deftp-passwd changes holds for the next login; the first source that knows a name decides."""
    local = ACCOUNTS.user("both")
    path = os.path.join(ACCOUNTS.place, "virtual2")
    home = os.path.join(ACCOUNTS.place, "vhome")
    os.makedirs(os.path.join(home, "sub"))
    tool("add", "-f", path, "vic", "--home", home, "--stdin", password=b"first")
    vic = Named("vic")
    with local_daemon(ACCOUNTS, options=[f"virtual_users.file={path}", "virtual_users.user=nobody"]) as daemon:
        check(try_login(daemon, vic, "first").is_in(), "he cannot log in")
        tool("set", "-f", path, "vic", "--stdin", password=b"second")
        check(try_login(daemon, vic, "first").text == INCORRECT, "the old password holds")
        login = must_enter(daemon, vic, "second")
        agent = settle(lambda: next((p for p in daemon.programs("deftpd-agent")
                                     if os.readlink(f"/proc/{p.pid}/root") == home), None), text="he has no agent")
        check(agent.status()["Uid"].split() == ["65534"] * 4, f"his files are opened by {agent.status()['Uid']}")
        login.quit()
        # Root and start directory.
        tool("set", "-f", path, "vic", "--home", home + "/./sub")
        login = must_enter(daemon, vic, "second")
        check(login.ask("PWD", 257).startswith('257 "/sub"'), "he does not begin behind /./")
        login.quit()
        # The same name in both: the file decides, and a wrong password there does not try PAM.
        tool("add", "-f", path, local.name, "--home", home, "--stdin", password=b"virtual")
        check(try_login(daemon, local).text == INCORRECT, "the second source was asked")
        check(try_login(daemon, local, "virtual").is_in(), "the first source does not decide")
        tool("del", "-f", path, local.name)
        check(try_login(daemon, local).is_in(), "the second source is not asked")
        tool("del", "-f", path, "vic")
        check(try_login(daemon, vic, "second").text == INCORRECT, "a user who is gone may log in")
        # A file that others can write is not believed, and closes all of its users.
        tool("add", "-f", path, "vic", "--home", home, "--stdin", password=b"third")
        os.chmod(path, 0o666)
        login = try_login(daemon, vic, "third")
        check(not login.is_in(), "a file of others was believed")
        settle(lambda: path in daemon.log_text(), text="the log does not tell of the file")
        os.chmod(path, 0o600)
        check(try_login(daemon, vic, "third").is_in(), "the file stays closed")


def guessing_costs_time():
    """A16, A17: tries are counted, failures delay the next try from there; the honest user comes in elsewhere."""
    user, victim = ACCOUNTS.user("honest"), ACCOUNTS.user("victim")
    with local_daemon(ACCOUNTS, options=["logins.max_delay=8", "logins.tries=3"]) as daemon:
        # One connection: three tries, then it is closed.
        login = Login(daemon, victim.name, "wrong", source="127.0.0.2")
        login.ask("USER " + victim.name, 331)
        login.ask("PASS wrong", 530)
        login.ask("USER " + victim.name, 331)
        check(login.ask("PASS wrong", 421, 530), "no reply")
        check(login.reply() == (0, ""), "there is a fourth try")
        login.close()
        # Further ones from there wait longer and longer.
        seconds = [try_login(daemon, victim, "wrong", source="127.0.0.2").seconds for _ in range(5)]
        check(seconds[-1] > 1.9, f"guessing costs {seconds}")
        check(max(seconds) < 10 * slowness(), f"the delay has no limit: {seconds}")
        # The others: another address, and even the victim himself, whose delay is bounded.
        found = try_login(daemon, user, source="127.0.0.1")
        check(found.is_in() and found.seconds < 1.5 * slowness(), f"another user: {found.text!r} after {found.seconds} s")
        found = try_login(daemon, victim, source="127.0.0.1")
        check(found.is_in() and found.seconds < 4 * slowness(), f"the victim: {found.text!r} after {found.seconds} s")
        print("  guesses took " + ", ".join(f"{s:.1f}" for s in seconds))


def the_master_opens_nothing_for_a_login():
    """All clients wait while the one process that knows them all waits for a file, or for who looks names up."""
    if shutil.which("strace") is None:
        print("  strace is not installed: left out")
        return
    user = ACCOUNTS.user("watched")
    trace = os.path.join(ACCOUNTS.place, "trace")
    with local_daemon(ACCOUNTS) as daemon:
        must_enter(daemon, user).quit()
        with subprocess.Popen(["strace", "-qq", "-p", str(daemon.child.pid), "-o", trace, "-e",
                               "trace=%file,socket,connect,close"], stderr=subprocess.DEVNULL) as tracer:
            settle(lambda: "TracerPid:\t0" not in read_text(f"/proc/{daemon.child.pid}/status") or tracer.poll() is not None)
            if tracer.poll() is not None:
                print("  nobody may trace here: left out")
                return
            for _ in range(3):
                must_enter(daemon, user).quit()
            time.sleep(0.2)
            tracer.send_signal(signal.SIGINT)
    calls = re.findall(r"^(?:\d+ +)?(\w+)\((.*)", read_text(trace), re.M)
    check(sum(name == "close" for name, _ in calls) >= 6, f"nothing was traced: {calls}")
    others = [call for call in calls if call[0] != "close"]
    check(not others, f"for three logins: {others}")


def read_text(path):
    """The text of a file."""
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def without_chroot():
    """chroot = no: the user sees the machine as far as his permissions reach."""
    user = ACCOUNTS.user("wide")
    with local_daemon(ACCOUNTS, options=["local_users.chroot=no"]) as daemon:
        login = must_enter(daemon, user)
        check(login.ask("PWD", 257).startswith(f'257 "{user.home}"'), "he does not begin in his home")
        check(b"root:" in login.fetch("RETR /etc/passwd"), "he cannot read what everybody can")
        login.passive()
        login.ask("RETR /etc/shadow", 550)
        login.quit()
    with local_daemon(ACCOUNTS, options=[f"local_users.root={ACCOUNTS.place}/./%u"]) as daemon:
        os.mkdir(os.path.join(ACCOUNTS.place, user.name))
        login = must_enter(daemon, user)
        check(login.ask("PWD", 257).startswith(f'257 "/{user.name}"'), "root with %u and /./")
        login.quit()


if __name__ == "__main__":
    need_accounts()
    ACCOUNTS = Accounts()
    try:
        STATUS = run([right_and_wrong, nobody_learns_why, lists_that_allow, every_process_of_a_user,
                      homes_that_cannot_be_used, sessions_of_one_user, secrets_are_nowhere, virtual_users,
                      guessing_costs_time, the_master_opens_nothing_for_a_login, without_chroot])
    finally:
        ACCOUNTS.remove()
    sys.exit(STATUS)
