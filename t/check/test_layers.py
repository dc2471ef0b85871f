"""A layer includes only from below it, an executable from nobody else's folder, a grammar nothing that does I/O."""
import os
import re
import subprocess

import pytest
import tree

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)

IO_HEADERS = {"unistd.h", "fcntl.h", "netdb.h", "poll.h", "dirent.h", "pwd.h", "grp.h", "syslog.h", "signal.h", "pthread.h"}
IO_FOLDERS = ("sys/", "netinet/", "arpa/", "event2/", "openssl/", "linux/")
IO_ALLOWED = {"sys/types.h", "sys/param.h", "arpa/inet.h", "netinet/in.h"}  # types, and the text of addresses
IO_SYMBOLS = {"open", "open64", "openat", "openat64", "read", "write", "close", "socket", "connect", "send", "sendto",
              "sendmsg", "recv", "recvfrom", "recvmsg", "accept", "accept4", "bind", "listen", "stat", "stat64", "fstat",
              "fstat64", "lstat", "rename", "renameat", "unlink", "unlinkat", "mkdir", "fopen", "fopen64", "fread",
              "fwrite", "fprintf", "printf", "puts", "fputs", "fgets", "getline", "fork", "vfork", "execve", "system",
              "popen", "getenv", "time", "clock_gettime", "gettimeofday", "localtime", "localtime_r", "getaddrinfo"}


def includes(path):
    """What stands between quotes, and what stands between angle brackets."""
    own, outside = [], []
    for kind, name in INCLUDE.findall(tree.read(path)):
        (own if kind == '"' else outside).append(name)
    return own, outside


def allowed(path):
    """(layers, folders) that this file may include from."""
    parts = path.split(os.sep)
    if parts[0] == "lib":
        return tree.closure([parts[1]]), []
    if path.startswith(tree.SHARED):
        return tree.closure(["db", "mail"]), [tree.SHARED]
    if parts[0] in tree.PROGRAMS:
        row = tree.PROGRAMS[parts[0]]
        needs = row.get("WORKER" if parts[1] == "worker" else "NEEDS", [])
        return tree.closure(needs), [parts[0], tree.SHARED if parts[0] == "policy" else parts[0]]
    return set(tree.LAYERS), [parts[0], tree.SHARED]


def wrong_includes(path):
    layers, folders = allowed(path)
    for name in includes(path)[0]:
        folder = os.path.dirname(name)
        layer = name.split("/")[0]
        is_below = layer in layers and os.path.exists(os.path.join(tree.TREE, "lib", name))
        is_own = any(folder == f or folder.startswith(f + "/") for f in folders)
        if not is_below and not is_own:
            yield f"{path} includes {name}"


def test_the_layers_are_known():
    assert {"base", "os", "loop", "ipc", "conf", "db", "tls", "mail", "proto", "queue", "store", "daemon"} <= set(tree.LAYERS)
    assert tree.closure(["mail"]) == {"base", "mail"}
    seen = []
    for name, row in tree.LAYERS.items():
        assert set(row.get("NEEDS", [])) <= set(seen), f"{name} needs what stands above it"
        seen.append(name)


@pytest.mark.parametrize("layer", sorted(tree.LAYERS))
def test_a_layer_includes_from_below_only(layer):
    tree.none(wrong for path in tree.files([f"lib/{layer}"]) for wrong in wrong_includes(path))


@pytest.mark.parametrize("program", [*tree.PROGRAMS, "ctl"])
def test_an_executable_includes_its_layers_and_itself(program):
    tree.none(wrong for path in tree.files([program]) for wrong in wrong_includes(path))


@pytest.mark.parametrize("layer", ["mail", "proto"])
def test_grammars_include_nothing_that_does_io(layer):
    bad = [f"{path} includes <{name}>" for path in tree.files([f"lib/{layer}"]) for name in includes(path)[1]
           if name in IO_HEADERS or (name.startswith(IO_FOLDERS) and name not in IO_ALLOWED)]
    tree.none(bad)


@pytest.mark.parametrize("layer", ["mail", "proto"])
def test_grammars_call_nothing_that_does_io(layer):
    library = os.path.join(tree.BUILD_ROOT, "release", f"lib{layer}.a")
    listing = subprocess.run(["nm", "-A", "-u", library], capture_output=True, text=True, check=True).stdout
    used = {line.split()[-1].split("@")[0]: line.split(":")[1] for line in listing.splitlines()}
    tree.none(f"{used[name]} calls {name}" for name in used if name in IO_SYMBOLS)
