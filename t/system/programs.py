"""A suite whose aliases name programs: shell scripts that a test writes, and what they wrote."""
import os

from smtp_steps import let_policy_see
from suite import Suite
from waiting import until

DONE = 'touch "${OUT%.out}.done"'


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
        let_policy_see(self)

    def explain(self, address, *more):
        return self.postrider("explain", "--rcpt", address, *more)

    def output(self, name):
        """What a script wrote, once it is whole."""
        return until(lambda: os.path.exists(p := self.path(f"{name}.out")) and os.path.exists(self.path(f"{name}.done")) and
                     open(p, encoding="utf-8", errors="replace").read(), f"the output of {name}")

    def show(self):
        return self.postrider("queue", "list").stdout
