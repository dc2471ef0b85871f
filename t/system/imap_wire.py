"""A raw IMAP client, and a strict reader of responses: what does not follow RFC 3501's grammar is an error."""
import socket

from waiting import DEADLINE_S


class Bad(Exception):
    """A response that is not in correct syntax."""


def tokens(data):
    """A response without its last CRLF as nested lists; strings as bytes, atoms as str, NIL as None."""
    stack, at = [[]], 0
    while at < len(data):
        c = data[at:at + 1]
        if c == b" ":
            at += 1
        elif c == b"(":
            stack.append([])
            at += 1
        elif c == b")":
            if len(stack) == 1:
                raise Bad(f"parenthesis at {at}: {data[:200]!r}")
            done = stack.pop()
            stack[-1].append(done)
            at += 1
        elif c == b'"':
            text, at = quoted(data, at + 1)
            stack[-1].append(text)
        elif c == b"{":
            end = data.index(b"}\r\n", at)
            count = int(data[at + 1:end])
            text = data[end + 3:end + 3 + count]
            if len(text) != count or b"\0" in text:
                raise Bad("literal")
            stack[-1].append(text)
            at = end + 3 + count
        else:
            word, at = atom(data, at)
            stack[-1].append(None if word.upper() == "NIL" else word)
    if len(stack) != 1:
        raise Bad(f"open parenthesis: {data[:200]!r}")
    return stack[0]


def quoted(data, at):
    text = b""
    while data[at:at + 1] != b'"':
        if data[at:at + 1] == b"\\":
            at += 1
            if data[at:at + 1] not in (b'"', b"\\"):
                raise Bad("backslash")
        if data[at:at + 1] in (b"", b"\r", b"\n", b"\0") or data[at] > 127:
            raise Bad(f"byte in a quoted string: {data[at - 20:at + 5]!r}")
        text += data[at:at + 1]
        at += 1
    return text, at + 1


def atom(data, at):
    """With a section in brackets, which may hold blanks and parentheses."""
    start, depth = at, 0
    while at < len(data) and (depth or data[at:at + 1] not in (b" ", b"(", b")", b'"', b"{")):
        depth += {b"[": 1, b"]": -1}.get(data[at:at + 1], 0)
        if data[at] < 32 or data[at] > 126:
            raise Bad(f"byte in an atom: {data[start:at + 1]!r}")
        at += 1
    return data[start:at].decode(), at


class Imap:
    """`ask` gives all responses of one command; the last is the tagged one."""

    def __init__(self, port, user=None, context=None):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE_S)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.bytes = b""
        self.count = 0
        self.name = "INBOX"  # to which it appends
        if user:
            assert self.response().startswith(b"* OK ")
            self.ok(f"LOGIN {user}@example.test secret")

    def say(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def _more(self):
        more = self.socket.recv(1 << 20)
        if not more:
            raise EOFError(self.bytes)
        self.bytes += more

    def response(self):
        """One response with its literals, without the last CRLF."""
        at = 0
        while True:
            while (end := self.bytes.find(b"\r\n", at)) < 0:
                self._more()
            line = self.bytes[at:end]
            at = end + 2
            if not (line.endswith(b"}") and (start := line.rfind(b"{")) >= 0 and line[start + 1:-1].isdigit()):
                break
            at += int(line[start + 1:-1])
            while len(self.bytes) < at:
                self._more()
        found, self.bytes = self.bytes[:at - 2], self.bytes[at:]
        return found

    def until(self, start):
        found = []
        while not found or not found[-1].startswith(start):
            found.append(self.response())
        return found

    def ask(self, command):
        self.count += 1
        tag = b"t%d " % self.count
        self.say(tag + (command if isinstance(command, bytes) else command.encode()) + b"\r\n")
        return self.until(tag)

    def ok(self, command):
        found = self.ask(command)
        assert found[-1].split(b" ")[1] == b"OK", (command, found[-1])
        return found[:-1]

    def refused(self, command):
        last = self.ask(command)[-1]
        assert last.split(b" ")[1] in (b"NO", b"BAD"), (command, last)
        return last

    def fetch(self, command):
        """Rows of a FETCH as dicts by item, each checked for syntax."""
        rows = []
        for line in self.ok(command):
            words = tokens(line)
            if len(words) == 4 and words[2] == "FETCH":
                rows.append(dict(zip(words[3][::2], words[3][1::2])))
        return rows

    def append(self, text):
        return self.ok(b"APPEND %s {%d+}\r\n%s" % (self.name.encode(), len(text), text))

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
