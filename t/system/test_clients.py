"""Clients that nobody here wrote, beside Python's: swaks, curl, mutt on the Maildir itself."""
import os
import shutil
import subprocess

import pytest
from waiting import until


def curl(suite, *args, **more):
    return subprocess.run(["curl", "--silent", "--show-error", "--max-time", "30", "--cacert", suite.ca_file, "--ssl-reqd",
                           "--user", "user1@example.test:secret", *args], capture_output=True, text=True, **more)


@pytest.mark.parametrize("scheme,port", [("smtp", "submission_port"), ("smtps", "submissions_port")])
def test_curl_sends_by_submission(suite, scheme, port):
    mark = f"curl-{scheme}"
    done = curl(suite, "--url", f"{scheme}://127.0.0.1:{getattr(suite, port)}/client.example", "--mail-from",
                "user1@example.test", "--mail-rcpt", "user1@example.test", "--upload-file", "-",
                input=f"Subject: {mark}\r\n\r\nbody\r\n")
    assert done.returncode == 0, done.stderr
    until(lambda: any(mark.encode() in m for m in suite.messages("user1")), "the message")


@pytest.mark.parametrize("scheme,port", [("imap", "imap_port"), ("imaps", "imaps_port")])
def test_curl_reads_by_imap(suite, scheme, port):
    suite.send(f"Subject: read-by-{scheme}\r\n\r\nbody\r\n")
    until(lambda: any(f"read-by-{scheme}".encode() in m for m in suite.messages("user1")), "the message")
    url = f"{scheme}://127.0.0.1:{getattr(suite, port)}/INBOX"
    found = curl(suite, "--url", f"{url}?SUBJECT read-by-{scheme}".replace(" ", "%20"))
    assert found.returncode == 0 and "* SEARCH " in found.stdout, found.stderr
    number = found.stdout.split("* SEARCH ")[1].split()[0]
    got = curl(suite, "--url", f"{url};MAILINDEX={number}")
    assert got.returncode == 0 and f"Subject: read-by-{scheme}" in got.stdout


@pytest.mark.parametrize("scheme,port", [("pop3", "pop3_port"), ("pop3s", "pop3s_port")])
def test_curl_reads_by_pop3(suite, scheme, port):
    suite.send(f"Subject: pop-by-{scheme}\r\n\r\nbody\r\n")
    until(lambda: any(f"pop-by-{scheme}".encode() in m for m in suite.messages("user1")), "the message")
    url = f"{scheme}://127.0.0.1:{getattr(suite, port)}/"
    rows = curl(suite, "--url", url)
    assert rows.returncode == 0, rows.stderr
    numbers = [line.split()[0] for line in rows.stdout.splitlines() if line]
    assert any(f"Subject: pop-by-{scheme}" in curl(suite, "--url", url + n).stdout for n in numbers)


def test_swaks_sends_with_tls_and_login(suite):
    done = subprocess.run(["swaks", "--server", f"127.0.0.1:{suite.submission_port}", "-tls", "-au", "user1@example.test",
                           "-ap", "secret", "-f", "user1@example.test", "-t", "user2@example.test", "--header",
                           "Subject: by-swaks"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    until(lambda: any(b"by-swaks" in m for m in suite.messages("user2")), "the message")


def test_mutt_reads_the_maildir_itself(suite):
    suite.send("Subject: for-mutt\r\n\r\nhello mutt\r\n", to="user3@example.test")
    suite.wait_messages(1, "user3")
    folder = os.path.join(suite.dir, "for-mutt")
    shutil.copytree(os.path.join(suite.mail_dir, "user3", "Maildir"), folder, ignore=shutil.ignore_patterns("postrider"))
    out = os.path.join(suite.dir, "mutt.out")
    rc = os.path.join(suite.dir, "muttrc")
    with open(rc, "w", encoding="utf-8") as f:
        f.write(f"set folder={suite.dir} wait_key=no quit=yes\npush '<pipe-message>cat >{out}<enter><exit>'\n")
    done = subprocess.run(["script", "-qec", f"mutt -n -F {rc} -R -f {folder}", "/dev/null"], capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL, env=dict(os.environ, TERM="xterm", HOME=suite.dir))
    with open(out, encoding="utf-8") as f:
        text = f.read()
    assert "Subject: for-mutt" in text and "hello mutt" in text, done.stdout
