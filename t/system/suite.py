"""What system and fault tests share: a throwaway suite by t/instance, raw clients, and waiting for events with a deadline."""
import imaplib
import os
import poplib
import re
import shlex
import shutil
import smtplib
import socket
import ssl
import subprocess
import tempfile

from waiting import DEADLINE_S, until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INSTANCE = os.path.join(ROOT, "t", "instance")
BUILD = os.environ.get("POSTRIDER_PRESET", "dev")


def is_finished(path):
    """Whether a queue file has its end mark; one that is gone has none."""
    try:
        with open(path, "rb") as f:
            return b"PRQ-END1" in f.read()[-32:]
    except FileNotFoundError:
        return False


def has_content(path):
    """Whether there is more in a queue file than the zeros it was prepared with; not when it went elsewhere meanwhile."""
    try:
        with open(path, "rb") as f:
            return bool(f.read().strip(b"\0"))
    except FileNotFoundError:
        return False


class Suite:
    """One throwaway suite; `with Suite() as s`. Its ports and folders are attributes: s.smtp_port, s.mail_dir."""

    def __init__(self, *options, users=3, settings=(), build=BUILD, unprivileged=False):
        self.dir = tempfile.mkdtemp(prefix="postrider-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        if unprivileged and os.geteuid() == 0:
            os.chown(self.dir, 21000, 21000)
        self.options = ["--build", build, "--users", str(users), *(["--unprivileged"] if unprivileged else []),
                        *[w for s in settings for w in ("--set", s)], *options]
        self.is_up = False

    def start(self):
        done = subprocess.run([INSTANCE, "start", self.dir, *self.options], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.is_up = True
        with open(os.path.join(self.dir, "env"), encoding="utf-8") as f:
            self.env = dict(word.split("=", 1) for word in shlex.split(f.read()))
        for name, value in self.env.items():
            setattr(self, name.lower(), int(value) if name.endswith(("_PORT", "_PID")) else value)
        return self

    def stop(self):
        """Stops it; a crash, a sanitizer's word or a process that is left fails the test."""
        self.is_up = False
        done = subprocess.run([INSTANCE, "stop", self.dir], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def kill(self):
        self.is_up = False
        done = subprocess.run([INSTANCE, "kill", self.dir], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        try:
            if self.is_up:
                if kind is None:
                    self.stop()
                else:
                    subprocess.run([INSTANCE, "stop", self.dir], capture_output=True)
        finally:
            if kind is not None:
                print(self.log()[-8000:])
            shutil.rmtree(self.dir, ignore_errors=True)

    # ---- looking ----

    def log(self):
        with open(os.path.join(self.dir, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_log(self, pattern, count=1):
        return until(lambda: (found := re.findall(pattern, self.log())) and len(found) >= count and found, f"log {pattern}")

    def messages(self, user="user1", folder=""):
        """Contents of the files of a mailbox, as bytes."""
        found = []
        for sub in ("new", "cur"):
            path = os.path.join(self.mail_dir, user, "Maildir", folder, sub)
            for name in sorted(os.listdir(path)):
                try:
                    with open(os.path.join(path, name), "rb") as f:
                        found.append(f.read())
                except FileNotFoundError:
                    return self.messages(user, folder)  # moved meanwhile
        return found

    def wait_messages(self, count, user="user1", folder=""):
        return until(lambda: len(found := self.messages(user, folder)) >= count and found, f"{count} messages of {user}")

    def queue_files(self, *places):
        """Messages by place; "incoming": what stands in active/ without an end mark, so that it is no message yet."""
        found = []
        for place in places or ("active", "deferred", "hold", "corrupt"):
            folder = "active" if place == "incoming" else place
            for base, _, names in os.walk(os.path.join(self.spool_dir, "queue", folder)):
                paths = [os.path.join(base, n) for n in names]
                found += [p for p in paths if folder != "active" or is_finished(p) == (place == "active")]
        return found

    def is_queue_empty(self):
        """What goes from one folder into the other between two looks is seen at the third."""
        return not self.queue_files("deferred", "active", "deferred")

    def wait_queue_empty(self, *seconds):
        until(self.is_queue_empty, "an empty queue", *seconds)

    def most_set(self, **most):
        """How many processes of a role there are, from the next start or reload on: most_set(cleanup=1). Whether that is new."""
        path = os.path.join(self.config_dir, "master.cf")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        changed = re.sub(rf"(?m) - ({'|'.join(most)})$", lambda row: f" {most[row.group(1)]} {row.group(1)}", text)
        if changed != text:
            with open(path, "w", encoding="utf-8") as f:
                f.write(changed)
        return changed != text

    def processes(self, role):
        """Pids of a role that this suite runs now, by what master reports."""
        rows = self.postrider("status").stdout
        return [int(p) for p in re.findall(rf"(?m)^{role}\b.*?\b(\d+)\b", rows)]

    # ---- doing ----

    def command(self, name, *args, **more):
        return subprocess.run([os.path.join(self.bin_dir, name), "-C", self.config_dir, *args], capture_output=True,
                              text=more.pop("text", True), **more)

    def postrider(self, *args, **more):
        return self.command("postrider", *args, **more)

    def tls_context(self):
        return ssl.create_default_context(cafile=self.ca_file)

    def smtp(self, port=None):
        return smtplib.SMTP("127.0.0.1", port or self.smtp_port, local_hostname="client.example", timeout=DEADLINE_S)

    def send(self, text="Subject: x\r\n\r\nbody\r\n", to="user1@example.test", sender="a@b.example"):
        with self.smtp() as c:
            return c.sendmail(sender, to, text)

    def imap(self, user="user1"):
        c = imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=DEADLINE_S)
        c.login(f"{user}@example.test", "secret")
        return c

    def pop3(self, user="user1"):
        c = poplib.POP3("127.0.0.1", self.pop3_port, timeout=DEADLINE_S)
        c.user(f"{user}@example.test")
        c.pass_("secret")
        return c

    def raw(self, port=None, source="127.0.0.1"):
        return Raw(port or self.smtp_port, source)


class Raw:
    """A client that says exactly what it is told, and reads replies of SMTP."""

    def __init__(self, port, source="127.0.0.1"):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE_S, (source, 0))
        self.bytes = b""

    def say(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def line(self):
        while b"\n" not in self.bytes:
            more = self.socket.recv(65536)
            if not more:
                line, self.bytes = self.bytes, b""
                return line
            self.bytes += more
        line, _, self.bytes = self.bytes.partition(b"\n")
        return line + b"\n"

    def reply(self):
        """The last line of one reply, without its end; empty at the end of the connection."""
        line = self.line()
        while line[3:4] == b"-":
            line = self.line()
        return line.rstrip(b"\r\n").decode()

    def ask(self, data):
        return self.say(data).reply()

    def rest(self):
        """Everything up to the end of the connection."""
        data, self.bytes = self.bytes, b""
        try:
            while more := self.socket.recv(65536):
                data += more
        except ConnectionResetError:
            pass
        return data

    def starttls(self, context):
        assert self.ask("STARTTLS\r\n").startswith("220")
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        return self

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
