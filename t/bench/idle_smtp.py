"""Memory of an idle SMTP session: PSS of the whole tree with and without many of them."""
import socket
import ssl
import time

import procs

SETTLE_S = 1.0


def reply(s):
    data = b""
    while not data.endswith(b"\r\n") or data.split(b"\r\n")[-2][3:4] != b" ":
        more = s.recv(4096)
        if not more:
            raise EOFError(data)
        data += more
    return data


def command(s, text):
    s.sendall(text.encode() + b"\r\n")
    return reply(s)


def session(port, tls):
    s = socket.create_connection(("127.0.0.1", port), 30)
    reply(s)
    command(s, "EHLO client.example")
    if not tls:
        return s
    command(s, "STARTTLS")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    s = context.wrap_socket(s)
    command(s, "EHLO client.example")
    return s


def kib_per_session(side, tls, count):
    """The first session is not counted: what a process keeps once belongs to the process."""
    first = session(side.ports["smtp"], tls)
    time.sleep(SETTLE_S)
    before = procs.pss_kib(side.pid)
    sessions = []
    try:
        for _ in range(count):
            sessions.append(session(side.ports["smtp"], tls))
        time.sleep(SETTLE_S)
        return (procs.pss_kib(side.pid) - before) / count
    finally:
        for s in [first, *sessions]:
            s.close()
