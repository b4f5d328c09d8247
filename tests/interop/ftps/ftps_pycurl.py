"""libcurl from Python: in Debian pycurl is the one that is linked with libcurl's GnuTLS build.

    ftps_pycurl.py PORT VERSION COUNT
"""

import os
import sys

import pycurl


class Session:
    """One handle that keeps its control connection."""

    def __init__(self, port, version):
        self.base = f"ftp://127.0.0.1:{port}/"
        self.version = {"1.2": pycurl.SSLVERSION_TLSv1_2 | pycurl.SSLVERSION_MAX_TLSv1_2,
                        "1.3": pycurl.SSLVERSION_TLSv1_3 | pycurl.SSLVERSION_MAX_TLSv1_3}[version]
        self.curl, self.multi = pycurl.Curl(), pycurl.CurlMulti()

    def run(self, path, *options, may_break=False):
        """One transfer. By the multi interface, since the other one sleeps for a second between two of them."""
        curl = self.curl
        curl.reset()
        for option, value in (
                (pycurl.URL, self.base + path), (pycurl.USE_SSL, pycurl.USESSL_ALL), (pycurl.CAINFO, "server.crt"),
                (pycurl.SSLVERSION, self.version), (pycurl.TIMEOUT, 20),
                (pycurl.USERPWD, f"{os.environ['FTPS_USER']}:{os.environ['FTPS_PASSWORD']}"), *options):
            curl.setopt(option, value)
        # GnuTLS would read the whole directory for each connection.
        curl.unsetopt(pycurl.CAPATH)
        self.multi.add_handle(curl)
        left = 1
        while left:
            self.multi.select(0.005)
            left = self.multi.perform()[1]
        failed = self.multi.info_read()[2]
        self.multi.remove_handle(curl)
        if failed and not may_break:
            raise SystemExit(f"{path}: {failed[0][1:]}")


def main(port, version, count):
    """The scenario; see ../ftps.py."""
    session = Session(port, version)
    with open("list", "wb") as file:
        session.run("", (pycurl.WRITEFUNCTION, file.write))
    for i in range(count):
        with open(f"up/f{i}", "rb") as file:
            session.run(f"f{i}", (pycurl.UPLOAD, 1), (pycurl.READFUNCTION, file.read))
    for i in range(count):
        with open(f"down/f{i}", "wb") as file:
            session.run(f"f{i}", (pycurl.WRITEFUNCTION, file.write))
    with open("down/half", "ab") as file:
        session.run("half", (pycurl.WRITEFUNCTION, file.write), (pycurl.RESUME_FROM, file.tell()))
    session.run("big", (pycurl.WRITEFUNCTION, lambda data: 0), may_break=True)
    with open("list2", "wb") as file:
        session.run("", (pycurl.WRITEFUNCTION, file.write))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
