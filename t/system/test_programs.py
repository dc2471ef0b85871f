"""What members of aliases ask for besides addresses: commands, files and lists, as whoever acts for the alias."""
import os
import pwd
import re
import stat

import pytest
from suite import Suite
from waiting import until

IS_ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody")
OWNER_UID = 23456


class Programs(Suite):
    """A suite whose aliases name programs in a folder that whoever acts may write to."""

    def __init__(self, *options, **more):
        super().__init__(*options, **more)
        self.work = os.path.join(self.dir, "work")
        os.mkdir(self.work)
        os.chmod(self.work, 0o1777)
        self.names = {}

    def start(self):
        super().start()
        self.alias_file = os.path.join(self.config_dir, "aliases")
        return self

    def path(self, name):
        return os.path.join(self.work, name)

    def script(self, name, text):
        """A shell script; its $OUT is a file of its own."""
        path = self.path(f"{name}.sh")
        with open(path, "w", encoding="utf-8") as f:
            f.write(f"#!/bin/sh\nOUT={self.path(name)}.out\n{text}\n")
        os.chmod(path, 0o755)
        return path

    def alias(self, **members):
        """Adds to the aliases and waits until they are seen."""
        self.names.update(members)
        with open(self.alias_file, "a", encoding="utf-8") as f:
            f.writelines(f"{name.replace('_', '-')}: {value}\n" for name, value in members.items())
        last = list(members)[-1].replace("_", "-")
        until(lambda: self.explain(f"{last}@localhost").returncode == 0 or None, "the aliases")
        until(lambda: self.knows(last), "policy to see the aliases")

    def knows(self, name):
        with self.smtp() as c:
            c.ehlo()
            c.mail("a@b.example")
            return c.rcpt(f"{name}@localhost")[0] == 250

    def explain(self, address, *more):
        return self.postrider("explain", "--rcpt", address, *more)

    def output(self, name):
        """What a script wrote, once it is whole."""
        return until(lambda: os.path.exists(p := self.path(f"{name}.out")) and os.path.exists(self.path(f"{name}.done")) and
                     open(p, encoding="utf-8", errors="replace").read(), f"the output of {name}")

    def show(self):
        return self.postrider("queue", "list").stdout


DONE = 'touch "${OUT%.out}.done"'


@pytest.fixture(scope="module", params=["root", "unprivileged"] if IS_ROOT else ["unprivileged"])
def s(request):
    with Programs(unprivileged=request.param == "unprivileged", settings=["minimal_backoff_time=1", "maximal_backoff_time=1"]) as suite:
        suite.is_split = request.param == "root"
        yield suite


def test_a_command_gets_the_message(s):
    script = s.script("plain", f"cat > $OUT; {DONE}")
    s.alias(plain=f'"|{script}"')
    s.send("Subject: for a program\r\n\r\nFrom here\r\n..dots\r\n", to="plain@localhost")
    lines = s.output("plain").split("\n")
    assert re.fullmatch(r"From a@b\.example  \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}", lines[0])
    assert lines[1:3] == ["Return-Path: <a@b.example>", "Delivered-To: plain@localhost"]
    assert lines[3].startswith("Received: from client.example")
    assert lines[-5:] == ["Subject: for a program", "", "From here", "..dots", ""]
    s.wait_queue_empty()
    s.wait_log(r"delivered to command: " + re.escape(script))
