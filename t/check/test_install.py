"""cmake --install puts daemons into libexec, commands into sbin and bin, samples into etc, pages into man."""
import os
import stat
import subprocess

import pytest
import tree

RELEASE = os.path.join(tree.BUILD_ROOT, "release")
PREFIX = "usr/local"


def setting(name):
    with open(os.path.join(RELEASE, "CMakeCache.txt"), encoding="utf-8") as cache:
        for line in cache:
            if line.startswith(f"{name}:"):
                return line.rstrip("\n").split("=", 1)[1]
    return ""


def install(root):
    done = subprocess.run(["cmake", "--install", RELEASE], env={**os.environ, "DESTDIR": str(root)}, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return os.path.join(root, setting("CMAKE_INSTALL_PREFIX").lstrip("/") or PREFIX)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return install(tmp_path_factory.mktemp("root"))


def etc(prefix):
    return os.path.join(prefix, setting("CMAKE_INSTALL_SYSCONFDIR") or "etc", "postrider")


def daemons():
    """As CMakeLists.txt names them; a worker's name is its folder's and -worker."""
    for name, row in tree.PROGRAMS.items():
        yield name
        if "WORKER" in row:
            yield f"{name}-worker"


@pytest.mark.parametrize("name", daemons())
def test_a_daemon_goes_to_libexec_and_cannot_be_read(installed, name):
    mode = stat.S_IMODE(os.stat(os.path.join(installed, "libexec/postrider", name)).st_mode)
    assert mode == 0o711


@pytest.mark.parametrize("path", ["sbin/postrider", "sbin/sendmail", "bin/mailq", "bin/newaliases"])
def test_a_command_goes_to_sbin_or_bin(installed, path):
    mode = os.stat(os.path.join(installed, path)).st_mode
    assert stat.S_ISREG(mode) and mode & 0o111 == 0o111
    assert not mode & (stat.S_ISUID | stat.S_ISGID)


def test_nothing_is_setuid_or_writable_by_others(installed):
    for folder, _, names in os.walk(installed):
        for name in names:
            mode = os.lstat(os.path.join(folder, name)).st_mode
            assert stat.S_ISLNK(mode) or not mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWOTH), name


@pytest.mark.parametrize("name", ["main.cf", "master.cf"])
def test_a_sample_goes_to_etc(installed, name):
    assert os.path.getsize(os.path.join(etc(installed), name)) > 0


@pytest.mark.parametrize("page", ["man1/mailq.1", "man5/main.cf.5", "man5/master.cf.5", "man5/postrider-bounce.5", "man8/postrider.8",
                                  "man8/postrider-qmgr.8", "man8/postrider-imapd-worker.8"])
def test_a_page_goes_to_man(installed, page):
    assert os.path.getsize(os.path.join(installed, "share/man", page)) > 0


def test_a_second_installation_keeps_the_configuration(tmp_path):
    mine = os.path.join(etc(install(tmp_path)), "main.cf")
    with open(mine, "w", encoding="utf-8") as text:
        text.write("myhostname = mine.example\n")
    install(tmp_path)
    with open(mine, encoding="utf-8") as text:
        assert text.read() == "myhostname = mine.example\n"
