"""./quickstart shows a whole mail system, twice on the same folder, and leaves nothing behind."""
import os
import re
import shutil
import signal
import subprocess
import tempfile

import pytest
from suite import ROOT
from waiting import until


@pytest.fixture
def folder():
    path = tempfile.mkdtemp(prefix="postrider-quickstart-", dir="/tmp")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def show(folder, end_by):
    out = os.path.join(folder, "..", os.path.basename(folder) + ".out")
    with open(out, "wb") as f:
        p = subprocess.Popen([os.path.join(ROOT, "quickstart")], stdout=f, stderr=f, stdin=subprocess.DEVNULL,
                             start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                             env=dict(os.environ, POSTRIDER_QUICKSTART=os.path.join(folder, "suite")))
    def text():
        with open(out, encoding="utf-8") as f:
            return f.read()
    try:
        until(lambda: re.search(r"(?m)^running: ", text()) or p.poll() is not None, "quickstart's status", 240)
        p.send_signal(end_by)
        assert p.wait(60) == 0, text()
        return text()
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()
        os.unlink(out)


@pytest.mark.limit(280)
def test_it_shows_a_message_arrive_and_ends_clean(folder):
    for end_by in (signal.SIGINT, signal.SIGTERM):
        text = show(folder, end_by)
        assert "Sent by SMTP with STARTTLS and login: user1@example.test to user2@example.test" in text
        assert re.search(r"Seen by IMAP \d+ ms later", text) and re.search(r"Seen by POP3: message \d+ of \d+", text)
        for word in ("swaks", "curl", "mutt", "password secret", "submission"):
            assert word in text
