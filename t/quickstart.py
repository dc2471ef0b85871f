"""The second part of ./quickstart: starts the suite through t/instance, sends one message, shows it arrive, stays."""
import email.message
import imaplib
import os
import poplib
import shlex
import signal
import smtplib
import ssl
import subprocess
import sys
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
INSTANCE = os.path.join(HERE, "instance")
SENDER, READER, PASSWORD = "user1@example.test", "user2@example.test", "secret"
ARRIVAL_S = 10
STATUS_S = 2

NEXT = """
Listening on 127.0.0.1, users {sender} and {reader}, password {password}:

    SMTP {SMTP_PORT}   submission {SUBMISSION_PORT} (STARTTLS) {SUBMISSIONS_PORT} (TLS)
    IMAP {IMAP_PORT} (STARTTLS) {IMAPS_PORT} (TLS)   POP3 {POP3_PORT} (STLS) {POP3S_PORT} (TLS)

Try, in another terminal:

    swaks --server 127.0.0.1:{SUBMISSION_PORT} -tls -au {sender} -ap {password} -f {sender} -t {reader}
    curl --cacert {CA_FILE} --ssl-reqd -u {reader}:{password} imap://127.0.0.1:{IMAP_PORT}/INBOX -X 'FETCH 1:* ENVELOPE'
    mutt -e 'set ssl_force_tls=yes certificate_file={CA_FILE} imap_pass={password}' -f imap://{reader}@127.0.0.1:{IMAP_PORT}/
    {BIN_DIR}/postrider -C {CONFIG_DIR} status --sandbox
    {BIN_DIR}/postrider -C {CONFIG_DIR} explain --client 192.0.2.1 --sender a@b.example --rcpt {reader}
"""


def settings(folder):
    with open(os.path.join(folder, "env"), encoding="utf-8") as lines:
        return dict(word.split("=", 1) for line in lines for word in shlex.split(line) if "=" in word)


def tls(env):
    return ssl.create_default_context(cafile=env["CA_FILE"])


def send(env, subject):
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, READER, subject
    message.set_content("Hello from quickstart.\n")
    with smtplib.SMTP("127.0.0.1", int(env["SUBMISSION_PORT"]), local_hostname="localhost") as client:
        client.starttls(context=tls(env))
        client.login(SENDER, PASSWORD)
        refused = client.send_message(message)
    assert not refused, refused


def until(ask):
    """Asks again until there is an answer: delivery takes some milliseconds."""
    deadline = time.monotonic() + ARRIVAL_S
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise SystemExit(f"The message has not arrived within {ARRIVAL_S} s; the log says why.")
        time.sleep(0.01)
    return answer


def see_by_imap(env, subject):
    with imaplib.IMAP4("127.0.0.1", int(env["IMAP_PORT"])) as client:
        client.starttls(tls(env))
        client.login(READER, PASSWORD)
        client.select("INBOX")
        number = until(lambda: client.noop() and client.search(None, "SUBJECT", f'"{subject}"')[1][0].split())[-1]
        header = client.fetch(number.decode(), "(BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)])")[1][0][1]
    return header.decode(errors="replace").strip()


def see_by_pop3(env, subject):
    client = poplib.POP3("127.0.0.1", int(env["POP3_PORT"]))
    client.stls(tls(env))
    client.user(READER)
    client.pass_(PASSWORD)
    count, octets = client.stat()
    found = [number for number in range(count, 0, -1)
             if subject.encode() in b"\n".join(client.top(number, 0)[1])]
    client.quit()
    if not found:
        raise SystemExit("IMAP shows the message and POP3 does not.")
    return f"message {found[0]} of {count}, {octets} octets in all"


def show(env):
    subject = f"Quickstart {uuid.uuid4().hex[:8]}"
    start = time.monotonic()
    send(env, subject)
    print(f"\nSent by SMTP with STARTTLS and login: {SENDER} to {READER}")
    header = see_by_imap(env, subject)
    print(f"Seen by IMAP {1000 * (time.monotonic() - start):.0f} ms later:")
    print("".join(f"    {line}\n" for line in header.splitlines()), end="")
    print(f"Seen by POP3: {see_by_pop3(env, subject)}")


def status(env):
    done = subprocess.run([os.path.join(env["BIN_DIR"], "postrider"), "-C", env["CONFIG_DIR"], "status"],
                          capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else done.stdout + done.stderr


def watch(env):
    """The status, again and again; on a terminal in place, elsewhere once."""
    text = status(env)
    print("Status (Ctrl-C stops everything):\n\n" + text, end="", flush=True)
    while os.path.exists(f"/proc/{env['MASTER_PID']}"):
        time.sleep(STATUS_S)
        if sys.stdout.isatty():
            before, text = text, status(env)
            print(f"\033[{before.count(chr(10))}F\033[J{text}", end="", flush=True)
    print("The suite has ended by itself.")


def main():
    folder = os.path.abspath(sys.argv[1])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    unprivileged = [] if os.geteuid() == 0 else ["--unprivileged"]
    if unprivileged:
        print("Not run as root: all processes run as you, with the rest of the sandbox on.")
    start = time.monotonic()
    if subprocess.run([INSTANCE, "start", folder, "--build", "release", "--users", "2", *unprivileged]).returncode:
        return 1
    try:
        env = settings(folder)
        print(f"Up after {time.monotonic() - start:.2f} s, in {folder}")
        show(env)
        print(NEXT.format(sender=SENDER, reader=READER, password=PASSWORD, **env))
        watch(env)
    except KeyboardInterrupt:
        print("\nStopping.")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stopped = subprocess.run([INSTANCE, "stop", folder]).returncode
    return stopped


if __name__ == "__main__":
    sys.exit(main())
