"""ftps_clients: real clients that speak TLS, each with the commands that run the scenario of ftps.py.

One table. The commands run in a folder with the files to send in up/, those to fetch in down/, and leave two listings, in
list and list2. A client that is a library has its scenario in ftps/, in its own language.
"""

import os
import shlex
import shutil
import subprocess

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ftps")
DEBIAN_PYTHON = "/usr/bin/python3"  # the one that Debian's python3-pycurl is for
NET_JAR = "/usr/share/java/commons-net.jar"
USER, PASSWORD = "ann", "a word of 4 letters"


def driver(*words):
    """A scenario of ftps/: the program and its words, then port, version and number of files."""
    return lambda port, version, count: [[*words, str(port), version, str(count)]]


def curl(port, version, count):
    """
    Sessions of five files, since it often sleeps for a second between two (see clients.py), forty at a time; enough of big: it
    ends the data connection itself.
    """
    words = ["curl", "-q", "-sS", "--fail", "--cacert", "server.crt", "--ssl-reqd", "--tlsv" + version, "--tls-max", version, "--max-time", "60",
             "-u", f"{USER}:{PASSWORD}"]
    url = f"ftp://127.0.0.1:{port}/"
    parts = [f"[{first}-{first + 4}]" for first in range(0, count, 5)]

    def at_once(*options):
        commands = [shlex.join([*words, *(option.replace("PART", part) for option in options)]) for part in parts]
        return ["sh", "-c", "p=; " + "".join(f'{command} & p="$p $!"; ' for command in commands)
                + "for p in $p; do wait $p || exit 1; done"]

    return [[*words, "-o", "list", url],
            at_once("-T", "up/fPART", url),
            at_once("-o", "down/f#1", url + "fPART"),
            [*words, "-C", "-", "-o", "down/half", url + "half"],
            [*words, "-r", "0-999", "-o", "big", url + "big", "--next", *words[1:], "-o", "list2", url]]


def lftp(port, version, count):
    """One process, which gives up its download of big in the middle."""
    del count
    versions = "NORMAL:-VERS-TLS1.3" if version == "1.2" else "NORMAL:-VERS-ALL:+VERS-TLS1.3"
    return [["lftp", "--norc", "-c", f"""set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ssl:verify-certificate no
        set ssl:priority {versions}; set net:max-retries 1; set net:timeout 10; set cmd:fail-exit yes
        open -p {port} -u '{USER},{PASSWORD}' 127.0.0.1; cls -1 > list; mirror -R up .; mirror -i '^f[0-9]*$' . down
        get -c half -o down/half; set net:limit-rate 1000; get big & sleep 0.3; kill all; set net:limit-rate 0; cls -1 > list2"""]]


def rclone(*more):
    """With these options beside those that it needs."""
    def commands(port, version, count):
        del count
        hidden = subprocess.run(["rclone", "obscure", PASSWORD], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        words = ["rclone", "--config", "/dev/null", "--ftp-host", "127.0.0.1", "--ftp-port", str(port), "--ftp-user", USER,
                 "--ftp-pass", hidden, "--ftp-explicit-tls", "--ftp-no-check-certificate", "--retries", "1",
                 "--low-level-retries", "1", *more]
        text = shlex.join(words + (["--ftp-disable-tls13"] if version == "1.2" else []))
        return [["sh", "-c", f"set -e; {text} lsf :ftp: >list; {text} copy up :ftp:; {text} copy --include '/f*' :ftp: down; "
                 f"{text} cat --offset $(stat -c %s down/half) :ftp:half >>down/half; "
                 f"{text} cat --count 1000 :ftp:big >big; {text} lsf :ftp: >list2"]]
    return commands


class Client:
    """commands: see above. has: a command that succeeds where the client is installed."""

    count = 200

    def __init__(self, commands, has, prepare=None, sends_empty=True):
        self.commands = commands
        self.has = has
        self.prepare = prepare
        self.sends_empty = sends_empty


def compile_java(folder):
    """The classes, into the folder."""
    subprocess.run(["javac", "-cp", NET_JAR, "-d", folder, os.path.join(HERE, "FtpsJava.java")], check=True)


def java(kind):
    """The folder of the classes is the one where the commands run."""
    return driver("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{NET_JAR}:..", "FtpsJava", kind)


HAS_JAVA = ["sh", "-c", f"test -e {NET_JAR} && javac -version"]
PYTHON = shutil.which("python3") or DEBIAN_PYTHON
# As they are called in the first column of deftpd-clients(7).
CLIENTS = {
    "curl": Client(curl, ["curl", "--version"]),
    "pycurl": Client(driver(DEBIAN_PYTHON, f"{HERE}/ftps_pycurl.py"),
                     [DEBIAN_PYTHON, "-c", "import pycurl; pycurl.version.index('GnuTLS')"]),
    "lftp": Client(lftp, ["lftp", "--version"]),
    "python": Client(driver(PYTHON, f"{HERE}/ftps_python.py", "plain"), [PYTHON, "-c", "import ssl"]),
    "python-resume": Client(driver(PYTHON, f"{HERE}/ftps_python.py", "resume"), [PYTHON, "-c", "import ssl"]),
    "perl": Client(driver("perl", f"{HERE}/ftps_perl.pl"), ["perl", "-MNet::FTP", "-MIO::Socket::SSL", "-e", "1"]),
    # It ends the connection of an empty file before its handshake is over.
    "node": Client(driver("node", f"{HERE}/ftps_node.js"), ["node", "-e", "require('basic-ftp')"], sends_empty=False),
    "java": Client(java("plain"), HAS_JAVA, prepare=compile_java),
    "java-resume": Client(java("resume"), HAS_JAVA, prepare=compile_java),
    "php": Client(driver("php", f"{HERE}/ftps_php.php"), ["php", "-r", "exit(function_exists('ftp_ssl_connect') ? 0 : 1);"]),
    "ruby": Client(driver("ruby", f"{HERE}/ftps_ruby.rb"), ["ruby", "-ropenssl", "-rnet/ftp", "-e", "1"]),
    "rclone": Client(rclone("--transfers", "1", "--checkers", "1"), ["rclone", "version"]),
    # Four sessions at once share one place for tickets, and would mistake one's for another's.
    "rclone-4": Client(rclone("--ftp-tls-cache-size", "0"), ["rclone", "version"]),
    "openssl": Client(driver(PYTHON, f"{HERE}/ftps_openssl.py"), ["openssl", "version"]),
}
