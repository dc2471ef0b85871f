"""The two sides of a comparison: Postrider by t/instance, and Postfix and Dovecot as the distribution ships them, each thrown away
afterwards. All listen on 127.0.0.1 on free ports, and have the users user1 ... userN of example.test, password `secret`."""
import os
import pwd
import shlex
import signal
import socket
import subprocess
import tempfile
import time

import procs

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAIL_UID = 20000  # as t/instance has it, so that both sides can be given the same files
STOP_S = 30


def run(*command, **more):
    """The output goes to a file: a daemon that keeps a pipe open would be waited for."""
    with tempfile.TemporaryFile("w+") as out:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, **more)
        if done.returncode:
            out.seek(0)
            raise RuntimeError(f"{shlex.join(command)}:\n{out.read()[-4000:]}")


def read_pid(path, seconds):
    """The pid in a file that a daemon writes as it starts; None if it does not come in time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with open(path) as f:
                return int(f.read())
        except (OSError, ValueError):
            if time.monotonic() >= deadline:
                return None
        time.sleep(0.02)


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def wait_for_port(port):
    deadline = time.monotonic() + STOP_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as s:
                if s.recv(100):
                    return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise RuntimeError(f"port {port} does not answer")
        time.sleep(0.05)


def certificate(folder):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=bench.example",
        "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem")


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def maildir(path):
    for folder in (os.path.dirname(path), path, f"{path}/cur", f"{path}/new", f"{path}/tmp"):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        os.chown(folder, MAIL_UID, MAIL_UID)
    return path


def stop_master(pid):
    """Ends a master by its pid, and what is left of its tree."""
    members = procs.tree(pid)
    for signum in (signal.SIGTERM, signal.SIGKILL):
        for member in [pid] if signum == signal.SIGTERM else members:
            try:
                os.kill(member, signum)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + STOP_S
        while time.monotonic() < deadline and not procs.stats().keys().isdisjoint(members):
            time.sleep(0.05)


def launched(side, pid_file, port):
    """Takes the pid of a daemon that has just been started, and waits until it answers."""
    side.pid = read_pid(pid_file, STOP_S)
    try:
        wait_for_port(port)
    except BaseException:
        side.stop()
        raise


class Postrider:
    """A suite of the release build. `hold` has every message held, as the second port of Postfix has."""

    def __init__(self, folder, users, hold=False, name="Postrider"):
        self.name, self.dir = name, f"{folder}/postrider{'-hold' if hold else ''}"
        settings = ["login_client_connection_count_limit=10000", "worker_limit=1000"]
        if hold:
            settings.append("smtpd_recipient_restrictions=check_recipient_access static:HOLD")
        self.start("--users", str(users), *(word for s in settings for word in ("--set", s)))

    def start(self, *options):
        """Also again, on what is there."""
        run(f"{TREE}/t/instance", "start", self.dir, "--build", "release", *options)
        with open(f"{self.dir}/env") as f:
            env = dict(word.split("=", 1) for word in shlex.split(f.read()))
        self.pid, self.mail, self.spool_dir = int(env["MASTER_PID"]), env["MAIL_DIR"], env["SPOOL_DIR"]
        self.ports = {name[:-5].lower(): int(port) for name, port in env.items() if name.endswith("_PORT")}

    def maildir(self, user):
        return maildir(f"{self.mail}/{user}/Maildir")

    def stop(self):
        run(f"{TREE}/t/instance", "stop", self.dir)


POSTFIX_MAIN = """\
compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
maillog_file =
myhostname = bench.example
mydestination = local.example
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
disable_dns_lookups = yes
virtual_mailbox_domains = example.test
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = hash:{dir}/etc/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
virtual_minimum_uid = 100
smtpd_tls_security_level = may
smtpd_tls_cert_file = {dir}/cert.pem
smtpd_tls_key_file = {dir}/key.pem
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
"""

POSTFIX_LISTENERS = """\
127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{hold} inet n - n - - smtpd
  -o smtpd_recipient_restrictions=check_recipient_access,static:hold,permit_mynetworks,reject
"""


class Postfix:
    """Stock Postfix, apart from where its files and users are; not in a chroot, as that only makes its files more."""

    def __init__(self, folder, users):
        self.name, self.dir, self.pid = "Postfix", f"{folder}/postfix", None
        self.ports = dict(zip(("smtp", "hold"), free_ports(2)))
        for part in ("etc", "spool", "data", "mail"):
            os.makedirs(f"{self.dir}/{part}")
        os.chown(f"{self.dir}/data", pwd.getpwnam("postfix").pw_uid, -1)
        os.chown(f"{self.dir}/mail", MAIL_UID, MAIL_UID)
        certificate(self.dir)
        self.configure(users)
        # Without new privileges its commands do not ask whether /etc/postfix permits this folder.
        run("setpriv", "--no-new-privs", "postfix", "-c", f"{self.dir}/etc", "start")
        launched(self, f"{self.dir}/spool/pid/master.pid", self.ports["smtp"])

    def configure(self, users):
        write(f"{self.dir}/etc/main.cf", POSTFIX_MAIN.format(dir=self.dir, uid=MAIL_UID))
        lines = [POSTFIX_LISTENERS.format(**self.ports)]
        with open("/usr/share/postfix/master.cf.dist") as f:
            for line in f:
                fields = line.split()
                if line.startswith("smtp ") and fields[1] == "inet" or line.startswith("#"):
                    continue
                if line[0].isalnum() and len(fields) >= 8 and fields[4] in "y-":
                    line = "  ".join(fields[:4] + ["n"] + fields[5:]) + "\n"
                lines.append(line)
        write(f"{self.dir}/etc/master.cf", "".join(lines))
        names = [f"user{n}" for n in range(1, users + 1)]
        write(f"{self.dir}/etc/mailboxes", "".join(f"{n}@example.test {n}/Maildir/\n" for n in names))
        run("postmap", f"hash:{self.dir}/etc/mailboxes", env={**os.environ, "MAIL_CONFIG": f"{self.dir}/etc"})
        for name in names:
            self.maildir(name)

    def maildir(self, user):
        return maildir(f"{self.dir}/mail/{user}/Maildir")

    def stop(self):
        if self.pid:
            stop_master(self.pid)


DOVECOT_CONF = """\
base_dir = {dir}/run
state_dir = {dir}/run
protocols = imap pop3
listen = 127.0.0.1
log_path = {dir}/log
disable_plaintext_auth = no
auth_mechanisms = plain login
ssl = yes
ssl_cert = <{dir}/cert.pem
ssl_key = <{dir}/key.pem
mail_location = maildir:~/Maildir
mail_uid = {uid}
mail_gid = {uid}
first_valid_uid = 1
mail_max_userip_connections = 5000
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {dir}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={uid} home={dir}/mail/%n
}}
namespace inbox {{
  inbox = yes
}}
service anvil {{
  client_limit = 20000
}}
service auth {{
  client_limit = 20000
}}
"""

DOVECOT_LOGIN = """\
service {protocol}-login {{
  inet_listener {protocol} {{
    port = {plain}
  }}
  inet_listener {protocol}s {{
    port = {tls}
    ssl = yes
  }}
  {login}
}}
service {protocol} {{
  process_limit = 4096
  {session}
}}
"""


class Dovecot:
    """Stock keeps the package's service_count and client_limit, but for limits that 500 connections would meet; tuned uses a
    process again for the next login, and lets one login process keep many connections."""

    LOGIN_TUNED = "service_count = 0\n  process_min_avail = 2\n  client_limit = 5000"
    SESSION_TUNED = "client_limit = 1\n  service_count = 1000\n  process_min_avail = 2"

    def __init__(self, folder, users, tuned=False):
        self.name, self.pid = "Dovecot tuned" if tuned else "Dovecot", None
        self.dir = f"{folder}/dovecot{'-tuned' if tuned else ''}"
        self.ports = dict(zip(("imap", "imaps", "pop3", "pop3s"), free_ports(4)))
        for part in ("run", "mail"):
            os.makedirs(f"{self.dir}/{part}")
        os.chown(f"{self.dir}/mail", MAIL_UID, MAIL_UID)
        certificate(self.dir)
        names = [f"user{n}" for n in range(1, users + 1)]
        write(f"{self.dir}/users", "".join(f"{n}@example.test:{{PLAIN}}secret\n" for n in names))
        for name in names:
            self.maildir(name)
        write(f"{self.dir}/dovecot.conf", DOVECOT_CONF.format(dir=self.dir, uid=MAIL_UID) + self.services(tuned))
        run("dovecot", "-c", f"{self.dir}/dovecot.conf")
        launched(self, f"{self.dir}/run/master.pid", self.ports["imap"])

    def services(self, tuned):
        login = self.LOGIN_TUNED if tuned else "process_limit = 2000"
        session = self.SESSION_TUNED if tuned else ""
        return "".join(DOVECOT_LOGIN.format(protocol=p, plain=self.ports[p], tls=self.ports[f"{p}s"], login=login,
                                            session=session) for p in ("imap", "pop3"))

    def maildir(self, user):
        return maildir(f"{self.dir}/mail/{user}/Maildir")

    def stop(self):
        if self.pid:
            stop_master(self.pid)
