"""In each process's place and under its contract a program tries everything that the process table forbids: all must be refused.
And what `postrider status --sandbox` says agrees with the kernel."""
import json
import os
import pwd
import re
import select
import shutil
import signal
import socket
import subprocess

import pytest
from members import members
from suite import ROOT, Suite
from tries_pages import KILLED, Page
from waiting import until

BUILD = "release"  # the walls of what is installed; in dev the workers are dynamic and keep the root directory
DAEMONS = ("smtpd", "cleanup", "qmgr", "policy", "local", "auth", "auth-worker", "pam", "login", "imapd", "pop3d", "meter", "pickup",
           "bounce", "pipe")
WORKERS = ("local-worker", "imapd-worker", "pop3d-worker", "pipe-worker")
SPAWNERS = ("local", "imapd", "pop3d", "pipe")
PROGRAMS = ("pipe", "pipe-worker")
MAIL_UID = 20000
NOBODY = pwd.getpwnam("nobody").pw_uid
ATTEMPTS_AT_LEAST = {"master": 45, "pam": 100, **{role: 90 for role in SPAWNERS}, "pipe": 70, "pipe-worker": 70}  # of the others: 110
CALL_OF_THE_CPU = "make a 32-bit call"  # some CPUs know of none, and stop whoever makes it

# Where a kernel was built without them, not even root has these.
KERNELS_CHOICE = {"compare itself with a sibling", "open an MPTCP socket", "open a socket of another family", "bpf", "userfaultfd",
                  "perf_event_open", "load a kernel module", "load a kernel", "fanotify", "io_uring_setup", "io_uring_enter",
                  "io_uring_register", "keyrings", "swapoff and acct", "use I/O ports", "change segments", CALL_OF_THE_CPU,
                  "make an x32 call", "open by handle", "run memory that it wrote, by a key", "setxattr",
                  "lift the filter", "open files of process 1", "raise the limit of processes"}

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give processes ids of their own")


@pytest.fixture(scope="module")
def tries():
    """The folder of executables that make the attempts."""
    subprocess.run([os.path.join(ROOT, "t", "build"), BUILD, "--target", "tries"], check=True)
    return os.path.join(os.environ.get("POSTRIDER_BUILD_ROOT", os.path.join(ROOT, "build")), BUILD, "tries")


class Tried(Suite):
    """A suite whose processes make the attempts when they are told to."""

    def __init__(self, tries):
        self.libexec = None
        super().__init__(build=BUILD, settings=["system_users=yes", "restart_backoff_max=0"])
        self.libexec = os.path.join(self.dir, "libexec")
        shutil.copytree(tries, self.libexec)
        self.options += ["--set", f"daemon_directory={self.libexec}"]
        os.mkdir(os.path.join(self.libexec, "progress"))
        self.pages = {role: Page(os.path.join(self.libexec, "progress", role)) for role in (*DAEMONS, "master")}

    def start(self):
        super().start()
        for role in WORKERS:
            path = os.path.join(self.mail_dir, "user1", "Maildir", f"tries-{role}")
            self.pages[role] = Page(path, MAIL_UID)
        self.pages["pipe-worker"] = Page(os.path.join(self.libexec, "progress", "pipe-worker"), NOBODY)
        other = os.path.join(self.mail_dir, "user2", "Maildir", "cur", "1.2.3:2,S")
        with open(other, "w", encoding="utf-8") as f:
            f.write("Subject: of another\n\nbody\n")
        os.chown(other, MAIL_UID, MAIL_UID)
        self.aims = {"queue": os.path.join(self.spool_dir, "queue", "active"), "others_mail": other,
                     "key": os.path.join(self.config_dir, "key.pem"), "users": os.path.join(self.config_dir, "users"),
                     "socket": os.path.join(self.spool_dir, "public", "submit")}
        return self

    def __exit__(self, kind, value, trace):
        if self.is_up:
            self.kill()  # its log is full of deaths; the test looks at them itself
        return super().__exit__(kind, value, trace)

    def aim(self, role, pid):
        self.pages[role].tell(pid, uid_of(pid), **self.aims)

    def deaths(self):
        return re.findall(r"(?:process|worker)-died .*", self.log())


def uid_of(pid):
    return os.stat(f"/proc/{pid}").st_uid


def judged(page, role):
    assert page.succeeded() == [], f"{role} could {page.succeeded()}"
    assert len(page.made()) >= ATTEMPTS_AT_LEAST.get(role, 110), f"{role} made {len(page.made())} attempts"


def only_attempts_died(suite, unwalled):
    deaths = suite.deaths()
    by_filter = [line for line in deaths if f"signal {int(signal.SIGSYS)} " in line]
    by_cpu = [line for line in deaths if any(f"signal {number} " in line for number in by_the_cpu(unwalled))]
    assert sorted(by_filter + by_cpu) == sorted(deaths)
    made = [role for role, page in suite.pages.items() if CALL_OF_THE_CPU in page.made()]
    assert len(by_cpu) <= len(made)


def by_the_cpu(unwalled):
    """The signal by which that one call ends where there is no wall, if it does."""
    outcome, number = unwalled.rows()[CALL_OF_THE_CPU]
    return {number} if outcome == KILLED else set()


def serves(suite):
    suite.send("Subject: after it\r\n\r\nx\r\n", to="user3@example.test")
    suite.wait_messages(1, "user3")
    suite.imap("user3").logout()
    suite.pop3("user3").quit()


@pytest.fixture(scope="module")
def unwalled(tries, tmp_path_factory):
    """What comes of the attempts without any wall."""
    folder = tmp_path_factory.mktemp("unwalled")
    beside = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    file, path = folder / "file", folder / "socket"
    file.write_text("x")
    page = Page(folder / "page")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    listener.listen()
    page.tell(beside.pid, 62001, queue=str(file), others_mail=str(file), key=str(file), users=str(file), socket=str(path))
    try:
        subprocess.run([os.path.join(tries, "bare"), page.path], check=True, cwd=folder, timeout=60)
    finally:
        listener.close()
        beside.communicate()
    return page


@needs_root
def test_attempts_succeed_where_there_is_no_wall(unwalled):
    """An attempt that never succeeds would prove nothing."""
    refused = {name for name in unwalled.rows() if name not in unwalled.succeeded()}
    assert refused <= KERNELS_CHOICE, f"these prove nothing: {refused - KERNELS_CHOICE}"
    assert unwalled.killed() <= {CALL_OF_THE_CPU}


@needs_root
def test_every_daemon_is_refused_everything(tries, unwalled):
    with Tried(tries) as s:
        pids = {role: s.processes(role)[0] for role in DAEMONS}
        for role in DAEMONS:
            s.aim(role, pids["cleanup" if role == "qmgr" else "qmgr"])
        for role in DAEMONS:
            s.pages[role].go()
        until(lambda: all(s.pages[role].is_done() for role in DAEMONS), "all attempts of daemons")
        for role in DAEMONS:
            judged(s.pages[role], role)
        serves(s)
        only_attempts_died(s, unwalled)


@needs_root
def test_every_worker_is_refused_everything(tries, unwalled):
    begin = {"local-worker": lambda s: s.send(), "imapd-worker": lambda s: s.imap(), "pop3d-worker": lambda s: s.pop3(),
             "pipe-worker": lambda s: s.send(to="command@localhost")}
    with Tried(tries) as s:
        with open(os.path.join(s.config_dir, "aliases"), "a", encoding="utf-8") as f:
            f.write('command: "|true"\n')
        beside = s.imap("user2")
        pid = int(s.wait_log(r"session .*user=user2@example.test .*worker=(\d+)")[0])
        assert uid_of(pid) == MAIL_UID
        for role in WORKERS:
            s.aim(role, pid)
            s.pages[role].go()
            until(lambda: begun(s, begin[role]) and s.pages[role].is_done(), f"all attempts of {role}")
            judged(s.pages[role], role)
        beside.noop()
        serves(s)
        only_attempts_died(s, unwalled)


def begun(suite, begin):
    """Starts the worker; that it dies in the middle is what it is for."""
    try:
        begin(suite)
    except Exception:  # noqa: BLE001  each client library has its own
        pass
    return True


@needs_root
def test_master_is_refused_everything(tries, unwalled):
    with Tried(tries) as s:
        s.stop()
        s.aim("master", os.getpid())
        s.pages["master"].go()
        until(lambda: mastered(s, unwalled) and s.pages["master"].is_done(), "all attempts of master")
        judged(s.pages["master"], "master")


def mastered(suite, unwalled):
    """One life of a master that makes attempts."""
    ready, told = os.pipe()
    with open(os.path.join(suite.dir, "stderr"), "ab") as err:
        master = subprocess.Popen([os.path.join(suite.libexec, "master"), "-C", suite.config_dir, "-s", "-r", str(told)],
                                  pass_fds=[told], stdin=subprocess.DEVNULL, stdout=err, stderr=err, start_new_session=True,
                                  env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    os.close(told)
    try:
        until(lambda: master.poll() is not None or suite.pages["master"].is_done(), "attempts of master")
        if master.poll() is None:
            master.terminate()
        assert -master.wait(30) in {0, signal.SIGSYS} | by_the_cpu(unwalled)
    finally:
        os.close(ready)
        until(lambda: not running(suite.libexec), "the end of what master started")
    return True


@needs_root
def test_status_agrees_with_the_kernel():
    with Suite(build=BUILD) as s:
        s.imap().logout()
        answer = s.postrider("status", "--sandbox", "--json")
        assert answer.returncode == 0, answer.stderr
        rows = json.loads(answer.stdout)["processes"]
        assert {row["process"] for row in rows} >= {role for role in DAEMONS if role != "pam"}
        for row in rows:
            agrees(row, kernel(row["pid"]))


SPAWNER_CAPS = 1 << 6 | 1 << 7 | 1 << 18  # SETGID, SETUID, SYS_CHROOT


def kernel(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def agrees(row, status):
    """What status says, what the kernel says, and what must be."""
    name = row["process"]
    caps = SPAWNER_CAPS if name in SPAWNERS else 0
    uids, gids = set(status["Uid"].split()), set(status["Gid"].split())
    assert uids == {str(row["uid"])} and row["uid"] != 0, name
    assert gids == {str(row["gid"])} and row["gid"] != 0, name
    assert status["Groups"].split() == [] and row["groups"] == 0, name
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == caps, name
    assert int(status["CapInh"], 16) == int(status["CapAmb"], 16) == int(status["CapBnd"], 16) == 0, name
    assert row["caps"] == ("setgid,setuid,sys_chroot" if caps else "none") and row["bounding"] == "none", name
    assert status["NoNewPrivs"] == "1" and row["no_new_privs"] == 1, name
    assert status["Seccomp"] == "2" and row["seccomp"] == 2, name
    assert int(status["Seccomp_filters"]) == row["filters"] >= (1 if name in PROGRAMS else 2), name
    assert row["root"] in ("?", os.readlink(f"/proc/{row['pid']}/root")), name  # unknown where master may not look
    assert row["landlock"] >= (0 if name in PROGRAMS else 1) and row["dumpable"] == 0 and row["proved"] == 1, name


@needs_root
def test_no_process_is_less_confined_than_its_kind():
    """Master and the workers, of whom status does not speak."""
    with Suite(build=BUILD) as s:
        beside = [s.imap(), s.pop3()]
        s.send()
        s.wait_messages(1)
        master = kernel(s.master_pid)
        assert master["NoNewPrivs"] == "1" and master["Seccomp"] == "2"
        assert int(master["CapEff"], 16) == SPAWNER_CAPS | 1 << 8 | 1 << 10 | 1 << 5  # SETPCAP, NET_BIND_SERVICE, KILL
        workers = [pid for pid, name in members(s.master_pid).items() if name.endswith("-worker") and uid_of(pid) == MAIL_UID]
        assert len(workers) == 3
        for pid in workers:
            status = kernel(pid)
            assert set(status["Uid"].split()) == {str(MAIL_UID)} == set(status["Gid"].split())
            assert status["Groups"].split() == []
            assert [int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")] == [0] * 5
            assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
            assert os.readlink(f"/proc/{pid}/root") == os.path.join(s.mail_dir, "user1", "Maildir")
        for client in beside:
            client.logout() if hasattr(client, "logout") else client.quit()


def running(folder):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe").startswith(folder):
                found.append(pid)
        except OSError:
            pass
    return found
