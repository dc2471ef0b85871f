"""Steps that tests of SMTP share: a greeted client, a sent message, the message that arrived, a changed configuration."""
import json
import os
import time

from waiting import until


def hello(suite, port=None, name="client.example", source="127.0.0.1"):
    c = suite.raw(port, source)
    assert c.reply().startswith("220")
    assert c.ask(f"EHLO {name}\r\n").startswith("250")
    return c


def envelope(c, to="user1@example.test", sender="a@b.example"):
    """The last reply of MAIL and RCPT."""
    reply = c.ask(f"MAIL FROM:<{sender}>\r\n")
    return c.ask(f"RCPT TO:<{to}>\r\n") if reply.startswith("250") else reply


def send(c, mark, to="user1@example.test", sender="a@b.example", head="Subject: x\r\n"):
    """The reply to the message, or the first refusal."""
    reply = envelope(c, to, sender)
    if reply.startswith("250"):
        reply = c.ask("DATA\r\n")
    return c.ask(f"{head}\r\n{mark}\r\n.\r\n") if reply.startswith("354") else reply


def marked(suite, mark, user="user1"):
    mark = mark if isinstance(mark, bytes) else mark.encode()
    return [m for m in suite.messages(user) if mark in m]


def arrived(suite, mark, user="user1"):
    """The one message that has this mark."""
    found = until(lambda: marked(suite, mark, user), f"message with {mark!r}")
    assert len(found) == 1
    return found[0]


def is_settled(suite):
    status = json.loads(suite.postrider("status", "--json").stdout)
    return all(p["generation"] == status["generation"] and p["state"] == "up" for p in status["processes"])


def reload_all(suite):
    """Reloads; when it returns every process works under the new configuration."""
    done = suite.postrider("reload")
    assert done.returncode == 0, done.stderr
    until(lambda: is_settled(suite), "all processes in the new generation")


def set_all(suite, **settings):
    done = suite.postrider("config", "-e", *[f"{name}={value}" for name, value in settings.items()])
    assert done.returncode == 0, done.stderr
    reload_all(suite)


def write(path, text):
    """A file that is there whole or not at all, as an editor leaves it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)


def is_taken(suite, address):
    with suite.smtp() as c:
        c.ehlo()
        c.mail("a@b.example")
        return c.rcpt(address)[0] == 250


def let_policy_see(suite):
    """Waits until policy answers from the aliases as they are now: it looks at the file of a table once in a while."""
    name = f"seen-{time.monotonic_ns()}"
    with open(os.path.join(suite.config_dir, "aliases"), "a", encoding="utf-8") as f:
        f.write(f"{name}: user1@example.test\n")
    until(lambda: is_taken(suite, f"{name}@localhost"), "policy to see the aliases")
