"""Accounts of the system for a while: each with a home of its own, named so that no two runs meet. Needs root."""
import contextlib
import fcntl
import os
import pwd
import shutil
import subprocess


class Account:
    def __init__(self, name):
        entry = pwd.getpwnam(name)
        self.name, self.home, self.uid, self.gid = name, entry.pw_dir, entry.pw_uid, entry.pw_gid

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def write(self, name, text, mode=0o644, uid=None):
        """A file of the account's own, or of another's."""
        path = self.path(name)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        os.chown(path, self.uid if uid is None else uid, self.gid)
        return path

    def clear(self, *names):
        for name in names:
            path = self.path(name)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            elif os.path.lexists(path):
                os.unlink(path)

    def maildir(self, folder=""):
        """Contents of what was delivered, as bytes."""
        found = []
        for sub in ("new", "cur"):
            at = self.path("Maildir", folder, sub)
            for name in sorted(os.listdir(at)) if os.path.isdir(at) else []:
                with open(os.path.join(at, name), "rb") as f:
                    found.append(f.read())
        return found


def changed(*command, **more):
    """Runs it alone: of two that change the system's accounts at a time one fails."""
    with open("/etc/passwd", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return subprocess.run(command, check=False, capture_output=True, text=True, **more)


@contextlib.contextmanager
def accounts(*names):
    """One Account for each name; their mailboxes in the system's spool go with them."""
    full = [f"pt{os.getpid()}{name}" for name in names]
    try:
        for name in full:
            changed("useradd", "--create-home", "--shell", "/usr/sbin/nologin", name).check_returncode()
            os.chmod(pwd.getpwnam(name).pw_dir, 0o755)
        yield [Account(name) for name in full]
    finally:
        for name in full:
            home = os.path.expanduser(f"~{name}")
            changed("userdel", name)
            if home.startswith("/home/"):
                shutil.rmtree(home, ignore_errors=True)
