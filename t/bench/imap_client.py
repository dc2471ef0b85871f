"""The least of an IMAP and a POP3 client that times servers without being what is timed."""
import socket
import ssl
import time


def connected(port, tls):
    s = socket.create_connection(("127.0.0.1", port), 120)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not tls:
        return s
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(s)


class Imap:
    def __init__(self, port, user, tls=False):
        self.socket, self.number, self.rest = connected(port, tls), 0, b""
        self.line()
        self.command(f"LOGIN {user}@example.test secret")

    def line(self):
        while b"\r\n" not in self.rest:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError(self.rest)
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\r\n")
        return line

    def answer(self, tag):
        """Reads to the line with the tag, keeping what came: [bytes]. Looks only at what is new."""
        mark, chunks, tail = b"\r\n" + tag + b" ", [self.rest], b"\r\n" + self.rest
        self.rest = b""
        while True:
            at = tail.rfind(mark)
            if at >= 0 and tail.find(b"\r\n", at + 2) >= 0:
                break
            more = self.socket.recv(1 << 20)
            if not more:
                raise EOFError(tail[-200:])
            chunks.append(more)
            tail = tail[-600:] + more
        status = tail[at + 2:].split(b"\r\n")[0]
        if not status.startswith(tag + b" OK"):
            raise RuntimeError(f"{status[:300]!r}")
        return chunks

    def command(self, text):
        """(seconds, what the server said)"""
        self.number += 1
        tag = b"zq%dqz" % self.number
        started = time.perf_counter()
        self.socket.sendall(tag + b" " + text.encode() + b"\r\n")
        chunks = self.answer(tag)
        return time.perf_counter() - started, b"".join(chunks)

    def append(self, mailbox, message):
        self.number += 1
        tag = b"zq%dqz" % self.number
        self.socket.sendall(tag + b" APPEND %s {%d}\r\n" % (mailbox.encode(), len(message)))
        while not self.line().startswith(b"+"):
            pass
        self.socket.sendall(message + b"\r\n")
        self.answer(tag)

    def idle(self):
        self.socket.sendall(b"idle IDLE\r\n")
        while not self.line().startswith(b"+"):
            pass

    def close(self):
        try:
            self.command("LOGOUT")
        except (OSError, EOFError):
            pass
        self.socket.close()


class Pop:
    def __init__(self, port, user):
        self.socket, self.rest = connected(port, False), b""
        self.one()
        self.command(f"USER {user}@example.test")
        self.command("PASS secret")

    def one(self):
        while b"\r\n" not in self.rest:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError(self.rest)
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\r\n")
        if not line.startswith(b"+OK"):
            raise RuntimeError(line)
        return line

    def command(self, text):
        self.socket.sendall(text.encode() + b"\r\n")
        return self.one()

    def listing(self, text):
        """A command with an answer of many lines; returns its bytes. +OK is seen by one()."""
        self.command(text)
        size, tail = 0, b"\r\n" + self.rest
        while (at := tail.find(b"\r\n.\r\n")) < 0:
            more = self.socket.recv(1 << 18)
            if not more:
                raise EOFError(tail[-100:])
            size += len(more)
            tail = tail[-4:] + more
        self.rest = tail[at + 5:]
        return size

    def close(self):
        self.command("QUIT")
        self.socket.close()
