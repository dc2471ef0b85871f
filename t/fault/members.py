"""The processes of a suite: what descends from its master."""
import os


def parents():
    """pid -> (parent, name)"""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                head, _, tail = f.read().rpartition(")")
        except OSError:
            continue
        if (fields := tail.split())[0] not in "ZX":
            found[int(pid)] = (int(fields[1]), head.partition("(")[2])
    return found


def members(master_pid):
    """pid -> name, of master and all that descend from it."""
    known = parents()
    if master_pid not in known:
        return {}
    found = {master_pid: known[master_pid][1]}
    while more := {pid: name for pid, (parent, name) in known.items() if parent in found and pid not in found}:
        found.update(more)
    return found


def pids(master_pid, name):
    return sorted(pid for pid, called in members(master_pid).items() if called == name)
