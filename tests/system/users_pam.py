#!/usr/bin/env python3
"""users_pam: real PAM modules: sessions that are always closed, a second factor, modules that stall, floods.

Issue of accounts, items 1, 2 and 5; SECURITY.md A19, A20, R6.
"""

import hashlib
import hmac
import os
import re
import signal
import struct
import sys
import threading
import time

from lib_accounts import Accounts, Login, agent_of, local_daemon, must_enter, need_accounts, try_login
from lib_daemon import slowness
from lib_system import check, run, settle

ACCOUNTS = None
FIXTURE = None  # the path of pam_fixture.so
INCORRECT = "530 Login incorrect."
OATH_KEY = "00112233445566778899aabbccddeeff00112233"


def modules_decide():
    """pam_permit lets everybody in whom deftpd admits, pam_deny nobody; a service that is missing, neither."""
    user = ACCOUNTS.user("module")
    permit = ACCOUNTS.service("permit", "auth required pam_permit.so\naccount required pam_permit.so\n")
    deny = ACCOUNTS.service("deny", "auth required pam_deny.so\naccount required pam_permit.so\n")
    closed = ACCOUNTS.service("closed", "auth required pam_unix.so\naccount required pam_deny.so\n")
    with local_daemon(ACCOUNTS, permit) as daemon:
        check(try_login(daemon, user, "anything").is_in(), "pam_permit does not permit")
        check(Login(daemon, ACCOUNTS.prefix + "nobody", "x").text == INCORRECT, "pam_permit permits nobody's name (A5)")
        check(Login(daemon, "root", "x").text == INCORRECT, "pam_permit permits root")
        check(try_login(daemon, user, "").text == INCORRECT, "an empty password was shown to PAM")
    for service in (deny, closed):
        with local_daemon(ACCOUNTS, service) as daemon:
            check(try_login(daemon, user).text == INCORRECT, f"{service} lets in")


def sessions_are_always_closed():
    """pam_exec writes down what begins and ends: QUIT, a lost connection, kill -9 of agent and worker, SIGTERM."""
    user = ACCOUNTS.user("hooks")
    book = os.path.join(ACCOUNTS.place, "book")
    hook = ACCOUNTS.script("hook", f'echo "$PAM_TYPE $PAM_USER $PAM_RHOST $PAM_TTY $PAM_SERVICE" >>{book}\n')
    service = ACCOUNTS.service("hooks", "auth required pam_unix.so\naccount required pam_unix.so\n"
                               f"session required pam_exec.so {hook}\n")

    def lines():
        try:
            with open(book, encoding="utf-8") as stream:
                return stream.read().splitlines()
        except FileNotFoundError:
            return []

    def balance(number):
        text = f"{user.name} 127.0.0.1 ftp {service}"
        return lines() == [f"{kind} {text}" for _ in range(number) for kind in ("open_session", "close_session")]

    def keepers(daemon):
        return [p for p in daemon.programs("deftpd-auth") if p.name == "deftpd-keeper"]

    def end_by_quit(_, login):
        login.quit()

    def end_by_loss(_, login):
        login.close()

    def end_agent(daemon, login):
        os.kill(agent_of(daemon, user).pid, signal.SIGKILL)
        code, text = login.reply()
        check(code in (0, 421), f"the session went on without its agent: {text!r}")

    def end_worker(daemon, login):
        inode = os.stat(login.link.fileno()).st_ino
        check(inode, "no socket")
        port = login.link.getsockname()[1]
        worker = next(p for p in daemon.programs("deftpd-worker") if serves(p, port))
        os.kill(worker.pid, signal.SIGKILL)
        check(login.reply()[0] == 0, "the connection has survived")

    with local_daemon(ACCOUNTS, service, ["local_users.pam_session=yes"]) as daemon:
        for number, end in enumerate((end_by_quit, end_by_loss, end_agent, end_worker)):
            login = must_enter(daemon, user)
            check(len(lines()) == 2 * number + 1, f"{end.__name__}: the session was not opened: {lines()}")
            settle(lambda: len(keepers(daemon)) == 1, text=f"{end.__name__}: there is not one keeper")
            keeper = keepers(daemon)[0]
            check(agent_of(daemon, user).parent == keeper.pid, f"{end.__name__}: the agent is not the keeper's child")
            kinds = [target for target in keeper.descriptors().values() if target.startswith("socket:")]
            check(not kinds, f"{end.__name__}: the keeper holds channels: {kinds}")
            end(daemon, login)
            settle(lambda n=number + 1: balance(n), text=lambda: f"the session was not closed: {lines()}")
            settle(lambda: not keepers(daemon), text=f"{end.__name__}: the keeper has stayed")
        last = must_enter(daemon, user)
        count = number + 2
        wrong = try_login(daemon, user, "wrong")
        check(wrong.text == INCORRECT and len(lines()) == 2 * count - 1, "a wrong password opens a session")
    last.close()
    settle(lambda: balance(count), text=lambda: f"the end of the server does not close the session: {lines()}")

    with local_daemon(ACCOUNTS, service) as daemon:
        must_enter(daemon, user).quit()
        check(balance(count), "a session was opened without pam_session")

    failing = ACCOUNTS.service("failing", "auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_deny.so\n")
    with local_daemon(ACCOUNTS, failing, ["local_users.pam_session=yes"]) as daemon:
        check(not try_login(daemon, user).is_in(), "he is in without the session")


def sessions_that_close_slowly():
    """Who begins anew by REIN keeps his limits while the session before is still being closed; and who is in a hurry to
    stop the server does not keep a session from being closed."""
    user = ACCOUNTS.user("tardy")
    book = os.path.join(ACCOUNTS.place, "tardy.book")
    hook = ACCOUNTS.script("tardy-hook", f'[ "$PAM_TYPE" = close_session ] && sleep 0.5\necho "$PAM_TYPE" >>{book}\n')
    service = ACCOUNTS.service("tardy", "auth required pam_unix.so\naccount required pam_unix.so\n"
                               f"session required pam_exec.so {hook}\n")

    def count(kind):
        with open(book, encoding="utf-8") as stream:
            return stream.read().split().count(kind)

    rate = 200000
    with open(os.path.join(user.home, "file"), "wb") as stream:
        stream.write(bytes(4 * rate))
    with local_daemon(ACCOUNTS, service, ["local_users.pam_session=yes", f"rates.user_down={rate}"]) as daemon:
        login = must_enter(daemon, user)
        login.ask("REIN", 220)
        login.ask("USER " + user.name, 331)
        login.ask("PASS " + user.password, 230)
        check(count("close_session") == 0, "the first session was closed too fast for this test")
        settle(lambda: count("close_session") == 1, text="the first session is not closed")
        time.sleep(0.2)
        login.ask("TYPE I", 200)
        began = time.monotonic()
        check(len(login.fetch("RETR file")) == 4 * rate, "not the whole file")
        took = time.monotonic() - began
        check(took > 2.5, f"four seconds' worth of bytes came in {took:.2f} s")
        # Twice, as an impatient person does.
        daemon.child.send_signal(signal.SIGTERM)
        time.sleep(0.1)
    check(count("close_session") == count("open_session") == 2, "a session was not closed at the end")


def serves(process, port):
    """Whether a process holds the server's end of the connection from this local port."""
    held = set(process.descriptors().values())
    with open("/proc/net/tcp", encoding="ascii") as stream:
        rows = [line.split() for line in stream][1:]
    return any(f"socket:[{row[9]}]" in held and int(row[2].rsplit(":", 1)[1], 16) == port for row in rows)


def times_and_limits():
    """pam_time closes hours, pam_limits sets limits that the agent keeps."""
    user, other = ACCOUNTS.user("hours"), ACCOUNTS.user("free")
    rules = ACCOUNTS.file("time.conf", f"*;*;{user.name};!Al0000-2400\n", 0o644)
    service = ACCOUNTS.service("time", "auth required pam_unix.so\naccount required pam_unix.so\n"
                               f"account required pam_time.so conffile={rules}\n")
    with local_daemon(ACCOUNTS, service) as daemon:
        check(try_login(daemon, user).text == INCORRECT, "pam_time is not asked")
        check(try_login(daemon, other).is_in(), "pam_time closes another user out")
        check("pam_acct_mgmt" in daemon.log_text(), "the log does not say which call refused")
    limits = ACCOUNTS.file("limits.conf", f"{user.name} hard fsize 1000\n{user.name} soft fsize 1000\n", 0o644)
    service = ACCOUNTS.service("limits", "auth required pam_unix.so\naccount required pam_unix.so\n"
                               f"session required pam_limits.so conf={limits}\n")
    with local_daemon(ACCOUNTS, service, ["local_users.pam_session=yes"]) as daemon:
        for who, limit in ((user, "1024000"), (other, None)):
            login = must_enter(daemon, who)
            with open(f"/proc/{agent_of(daemon, who).pid}/limits", encoding="ascii") as stream:
                found = re.search(r"^Max file size +(\S+) +(\S+)", stream.read(), re.M).groups()
            check((limit in found) == (limit is not None) and (limit is None or found[0] == limit),
                  f"{who.name}: the limit of a file's size is {found}")
            login.quit()


def oath_code(counter):
    """RFC 4226."""
    digest = hmac.new(bytes.fromhex(OATH_KEY), struct.pack(">Q", counter), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000:06d}"


def has_module(name):
    """Whether a PAM module is installed."""
    return any(name in names for folder in ("/lib", "/usr/lib") for _, _, names in os.walk(os.path.join(folder)))


def with_fixture(kind, words):
    """A service whose second module is ours."""
    return ACCOUNTS.service(kind, f"auth requisite pam_unix.so\nauth required {FIXTURE} {words}\naccount required pam_unix.so\n")


def a_second_question():
    """What a module asks after the password goes to the client as 332 and is answered by ACCT."""
    user = ACCOUNTS.user("twice")
    with local_daemon(ACCOUNTS, with_fixture("twice", "ask")) as daemon:
        login = Login(daemon, user.name, user.password)
        check(login.code == 332 and "A riddle." in login.text and "Which colour?" in login.text,
              f"332 with the module's words expected, got {login.text!r}")
        login.ask("PWD", 503, 530)
        check(login.answer("blue") == 230, f"the right answer: {login.text!r}")
        login.ask("PWD", 257)
        login.ask("ACCT again", 202, 503, 530)
        login.quit()
        for wrong in ("red", "Blue", "blue ", "x" * 500):
            login = Login(daemon, user.name, user.password)
            check(login.answer(wrong) == 530 and login.text == INCORRECT, f"a wrong answer: {login.text!r}")
            login.ask("ACCT blue", 503, 530)
            login.close()
        check(try_login(daemon, user, "wrong").text == INCORRECT, "a wrong password gets a second question")
        check(Login(daemon, ACCOUNTS.prefix + "nobody", "x").text == INCORRECT, "nobody gets a second question")
        # A new USER in place of the answer begins anew, and no try is left behind.
        login = Login(daemon, user.name, user.password)
        check(login.code == 332, login.text)
        login.ask("USER " + user.name, 331)
        login.ask("ACCT blue", 503, 530)
        login.ask("PASS " + user.password, 332)
        login.ask("ACCT blue", 230)
        login.quit()
        # Twice the same question, and one who leaves in the middle of it.
        Login(daemon, user.name, user.password).close()
    with local_daemon(ACCOUNTS, with_fixture("thrice", "ask ask")) as daemon:
        login = Login(daemon, user.name, user.password)
        check(login.answer("blue") == 332 and login.answer("blue") == 230, f"two questions: {login.text!r}")
        login.quit()
        check(Login(daemon, user.name, user.password).answer("red") == 530, "a wrong first answer")


def modules_that_misbehave():
    """A19: a module that ends, crashes, forks, closes or writes harms its own login at most, and never lets in wrongly."""
    user, other = ACCOUNTS.user("naughty"), ACCOUNTS.user("bystander")
    for words, codes in (("exit", (421, 530)), ("crash", (421, 530)), ("close", (421, 530)), ("fork", (230, 421, 530)),
                         ("write", (230,)), ("signals", (230,)), ("unknown", (421, 530))):
        # Only one of the two gets it.
        service = ACCOUNTS.service("bad-" + words, "auth requisite pam_unix.so\n"
                                   f"auth [success=1 default=ignore] pam_succeed_if.so quiet user = {other.name}\n"
                                   f"auth required {FIXTURE} {words}\nauth required pam_permit.so\n"
                                   "account required pam_unix.so\n")
        with local_daemon(ACCOUNTS, service, ["auth_workers=2"]) as daemon:
            for _ in range(3):
                login = Login(daemon, user.name, user.password)
                check(login.code in codes, f"{words}: {login.text!r}")
                if login.is_in():
                    check(login.ask("PWD", 257).startswith('257 "/"'), f"{words}: not in")
                    login.ask("NOOP", 200)
                    login.quit()
                login.close()
                check(not Login(daemon, user.name, "wrong").is_in(), f"{words}: a wrong password lets in")
            found = try_login(daemon, other)
            check(found.is_in() and found.seconds < 5 * slowness(), f"{words}: another one: {found.text!r} after {found.seconds} s")
            settle(lambda: not [p for p in daemon.tree() if p.state == "Z"], text=f"{words}: zombies")
            check("forged" not in daemon.log_text(), f"{words}: the module wrote to the log")


def one_time_codes():
    """pam_oath: by ACCT, or at the end of the password where that is configured; each code once."""
    if not has_module("pam_oath.so"):
        print("  pam_oath is not installed: left out")
        return
    user = ACCOUNTS.user("oath")
    codes = ACCOUNTS.file("users.oath", f"HOTP {user.name} - {OATH_KEY}\n")
    service = ACCOUNTS.service("oath", "auth requisite pam_unix.so\n"
                               f"auth required pam_oath.so usersfile={codes} window=10 digits=6\n"
                               "account required pam_unix.so\n")
    with local_daemon(ACCOUNTS, service) as daemon:
        login = Login(daemon, user.name, user.password)
        check(login.code == 332, f"no question: {login.text!r}")
        check(login.answer(oath_code(0)) == 230, f"the right code: {login.text!r}")
        login.quit()
        login = Login(daemon, user.name, user.password)
        check(login.answer(oath_code(0)) == 530, "a code holds twice")
        login = Login(daemon, user.name, user.password)
        check(login.answer(oath_code(1)) == 230, f"the next code: {login.text!r}")
        login.quit()
        check(try_login(daemon, user, user.password + oath_code(2)).text == INCORRECT, "an appended code was not asked for")
    with local_daemon(ACCOUNTS, service, ["local_users.appended_code=6"]) as daemon:
        check(try_login(daemon, user, user.password + oath_code(2)).is_in(), "an appended code is not taken")
        check(try_login(daemon, user, user.password + oath_code(2)).text == INCORRECT, "an appended code holds twice")
        check(try_login(daemon, user, user.password + "000000").text == INCORRECT, "any appended code is taken")


def stalled_modules_stall_their_own():
    """A19: a module that sleeps for a minute costs its own client the login, and nobody else anything."""
    slow, fast = ACCOUNTS.user("slow"), ACCOUNTS.user("fast")
    sleeper = ACCOUNTS.script("sleeper", f'[ "$PAM_USER" = {slow.name} ] && exec sleep 60\nexit 0\n')
    service = ACCOUNTS.service("stall", f"auth required pam_exec.so {sleeper}\nauth required pam_unix.so\n"
                               "account required pam_unix.so\n")
    with local_daemon(ACCOUNTS, service, ["auth_workers=2", "login_timeout=120"]) as daemon:
        found = []
        stalled = threading.Thread(target=lambda: found.append(try_login_slowly(daemon, slow)))
        began = time.monotonic()
        stalled.start()
        time.sleep(0.5)
        for _ in range(5):
            login = try_login(daemon, fast)
            check(login.is_in() and login.seconds < 5 * slowness(), f"another one: {login.text!r} after {login.seconds} s")
        stalled.join()
        check(found and found[0][0] in (421, 530), f"the stalled one: {found}")
        check(25 < time.monotonic() - began < 45 * slowness(), f"it took {time.monotonic() - began} s")
        check(try_login(daemon, fast).is_in(), "the slot was not given back")
        zombies = [p for p in daemon.tree() if p.state == "Z"]
        check(not zombies, f"zombies: {zombies}")


def try_login_slowly(daemon, user):
    """A login whose client is patient; returns (code, text)."""
    login = Login.__new__(Login)
    super(Login, login).__init__(daemon)
    login.link.settimeout(60 * slowness())
    login.reply()
    login.ask("USER " + user.name, 331)
    login.send("PASS " + user.password)
    return login.reply()


def a_flood_is_bounded():
    """A20: of 100 logins at once no more than auth_workers are computed at a time, and all come in."""
    user = ACCOUNTS.user("flood")
    busy = os.path.join(ACCOUNTS.place, "busy")
    os.mkdir(busy)
    # Each run notes how many are at work with it.
    counter = ACCOUNTS.script("counter", f"touch {busy}/$$\nls {busy} | wc -l >>{busy}.seen\nsleep 0.1\nrm {busy}/$$\nexit 0\n")
    service = ACCOUNTS.service("flood", f"auth required pam_exec.so {counter}\nauth required pam_unix.so\n"
                               "account required pam_unix.so\n")
    with local_daemon(ACCOUNTS, service, ["auth_workers=3", "max_sessions=300"]) as daemon:
        results, most = [], []

        def one():
            try:
                login = Login(daemon, user.name, user.password)
                results.append(login.code)
                login.ask("NOOP", 200)
                login.close()
            except Exception as error:  # pylint: disable=broad-except
                results.append(repr(error))

        threads = [threading.Thread(target=one) for _ in range(100)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            most.append(len(daemon.programs("deftpd-auth")))
            time.sleep(0.05)
        for thread in threads:
            thread.join()
        check(results.count(230) == 100, f"of 100 logins: { {code: results.count(code) for code in set(results)} }")
        with open(busy + ".seen", encoding="ascii") as stream:
            at_once = max(int(line) for line in stream)
        check(at_once <= 3, f"{at_once} were computed at once")
        check(max(most) <= 16, f"there were {max(most)} processes of deftpd-auth")
        print(f"  at most {at_once} at once, {max(most)} processes of deftpd-auth")


if __name__ == "__main__":
    need_accounts()
    FIXTURE = sys.argv[1]
    ACCOUNTS = Accounts()
    try:
        STATUS = run([modules_decide, sessions_are_always_closed, sessions_that_close_slowly, times_and_limits, a_second_question, one_time_codes,
                      modules_that_misbehave, stalled_modules_stall_their_own, a_flood_is_bounded])
    finally:
        ACCOUNTS.remove()
    sys.exit(STATUS)
