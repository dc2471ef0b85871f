"""Mail servers of the distribution, unpacked in build/peers by ./t/run (t/packages), as clients that relay to a suite under test.
Each is thrown away: its configuration lies in the folder given, it listens on 127.0.0.1, and it ends with its pid."""
import os
import signal
import socket
import subprocess
import time

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOTS = os.path.join(os.environ.get("POSTRIDER_BUILD_ROOT", os.path.join(TREE, "build")), "peers")
START_S = 60


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Server:
    """`smtp_port` and `lmtp_socket` are the suite's; mail from `lmtp_sender` goes to the socket, where the server has LMTP."""

    def __init__(self, folder, smtp_port, lmtp_socket, lmtp_sender):
        self.dir, self.port, self.process = os.path.join(folder, self.name), free_port(), None
        self.words = {"dir": self.dir, "port": self.port, "to": smtp_port, "socket": lmtp_socket, "sender": lmtp_sender}
        for path, text in self.files.items():
            path = os.path.join(self.dir, "etc", path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text.format(**self.words))
        os.chmod(self.dir, 0o777)

    def __enter__(self):
        enter = os.path.join(TREE, "t", "peers", "enter")
        with open(os.path.join(self.dir, "output"), "wb") as out:
            self.process = subprocess.Popen([enter, os.path.join(ROOTS, self.package), self.dir, *self.command], cwd="/",
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        self.wait_greeting()
        return self

    def wait_greeting(self):
        end = time.monotonic() + START_S
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), START_S) as s:
                    if s.recv(100).startswith(b"220"):
                        return
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise RuntimeError(f"{self.name} did not start:\n{self.log()}")
            time.sleep(0.05)

    def run(self, *command):
        """A command in the server's namespaces."""
        (child,) = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        subprocess.run(["nsenter", "--target", child, "--mount", "--pid", *command], check=True, stdin=subprocess.DEVNULL)

    def log(self):
        text = ""
        for name in sorted(os.listdir(self.dir)):
            path = os.path.join(self.dir, name)
            if os.path.isfile(path):
                with open(path, errors="replace", encoding="utf-8") as f:
                    text += f"--- {name}\n" + f.read()[-6000:]
        return text

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)  # of unshare: the namespace and all in it end with it
        self.process.wait(START_S)


class Postfix(Server):
    name, package = "postfix", "postfix"
    command = ["postfix", "start-fg"]
    files = {
        "postfix/main.cf": """\
compatibility_level = 3.6
queue_directory = /var/spool/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
data_directory = /var/lib/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
myhostname = postfix.peer.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
smtp_dns_support_level = disabled
smtp_tls_security_level = may
default_transport = smtp:[127.0.0.1]:{to}
sender_dependent_default_transport_maps = inline:{{ {sender}=lmtp:unix:{socket} }}
""",
        "postfix/master.cf": """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
""",
    }


class Exim(Server):
    name, package = "exim", "exim4-daemon-light"
    command = ["exim4", "-bdf"]
    files = {"exim4/exim4.conf": """\
primary_hostname = exim.peer.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
log_file_path = {dir}/%slog
acl_smtp_rcpt = accept
acl_smtp_data = accept
tls_advertise_hosts =
rfc1413_query_timeout = 0s
begin routers
store:
  driver = accept
  senders = {sender}
  transport = store
relay:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = relay
begin transports
store:
  driver = lmtp
  socket = {socket}
  batch_max = 100
  user = Debian-exim
relay:
  driver = smtp
  port = {to}
  allow_localhost
  hosts_try_dane =
"""}


class OpenSMTPD(Server):
    name, package = "opensmtpd", "opensmtpd"
    command = ["smtpd", "-d", "-f", "/etc/smtpd.conf"]
    files = {"smtpd.conf": """\
listen on 127.0.0.1 port {port} hostname opensmtpd.peer.example
action "out" relay host smtp://127.0.0.1:{to} helo opensmtpd.peer.example
match from any for any action "out"
"""}
