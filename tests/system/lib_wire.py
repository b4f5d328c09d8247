"""lib_wire: what workers and the master say to one another, as it travels (ftpd/ipc), for a test that speaks for one of them."""

import array
import socket
import struct

SHARED, PRIVATE = 0, 1
(ASSIGN, GIVE_AGENT, GIVE_RECORDER, PASSIVE_ANSWER, ACTIVE_ANSWER, TAKEN_BACK, LOGIN_ANSWER, SHARE, DROP, RETIRE,
 READY, TAKEN, PASSIVE, ACTIVE, HAND_BACK, ENDED, MORE_AGENTS, LOGIN, MOVING, MESSAGES) = range(20)
LOGIN_TRY, _, LOGIN_ASK, LOGIN_REFUSED, LOGIN_ACCEPTED = range(5)
(R_WORKER, R_TRANSFER_LOG, R_EVENT_LOG, R_SESSION_BEGIN, R_SESSION_END, R_TRANSFER, R_LOGIN, R_EVENT, R_DENIED, R_DROPPED,
 R_READY, R_TAKEN) = range(12)
IPC_OK, IPC_DENIED, IPC_BUSY = 0, 2, 5


def address(host="", port=0, scope=0):
    """An address on the wire."""
    if not host:
        return bytes(23)
    family = 2 if ":" in host else 1
    raw = socket.inet_pton(socket.AF_INET6 if family == 2 else socket.AF_INET, host)
    return bytes([family]) + raw.ljust(16, b"\0") + struct.pack(">HI", port, scope)


def number(value):
    """A session's number on the wire."""
    return struct.pack(">I", value)


def record(kind, session=0, user=b"", text=b"", level=2, flags=0, value=0, worker=0, peer=b""):
    """A record on the wire."""
    return (struct.pack(">BII", kind, worker, session) + (peer or address()) + address() +
            struct.pack(">BBQQ", level, flags, value, 0) + struct.pack(">H", len(user)) + user + struct.pack(">H", len(text)) + text)


def user_number(name):
    """The number by which the master knows a user's name."""
    value = 0xcbf29ce484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return struct.pack(">Q", value)


def host(value):
    """A virtual host's number on the wire; 0: none."""
    return struct.pack(">H", value)


def text(value):
    """A text on the wire."""
    return struct.pack(">H", len(value)) + value.encode()


def send(link, data, fds=()):
    """One message, with descriptors; False when nobody takes it."""
    try:
        link.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
        return True
    except (BrokenPipeError, ConnectionResetError):
        return False
