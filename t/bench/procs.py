"""What the kernel says of a tree of processes and of the machine: CPU, memory, context switches."""
import os
import re

TICKS = os.sysconf("SC_CLK_TCK")


def stats():
    """pid -> (parent, name, CPU ticks of itself, CPU ticks of the children that it waited for)"""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as f:
                head, _, tail = f.read().rpartition(")")
        except OSError:
            continue
        fields = tail.split()
        if fields[0] not in "ZX":
            found[int(entry)] = (int(fields[1]), head.partition("(")[2], int(fields[11]) + int(fields[12]),
                                 int(fields[13]) + int(fields[14]))
    return found


def tree(root, known=None):
    """The process and all that descend from it."""
    known = known or stats()
    children = {}
    for pid, (parent, *_) in known.items():
        children.setdefault(parent, []).append(pid)
    members, left = [], [root]
    while left:
        pid = left.pop()
        if pid in known:
            members.append(pid)
        left += children.get(pid, [])
    return members


def cpu_s(root):
    """CPU seconds that the tree has used, with those that ended."""
    known = stats()
    return sum(known[p][2] + known[p][3] for p in tree(root, known)) / TICKS


def by_name(root):
    """name -> [pids]; the root is counted by its name too."""
    known, found = stats(), {}
    for pid in tree(root, known):
        found.setdefault(known[pid][1], []).append(pid)
    return found


def pss_kib(root):
    """Proportional set size of the tree in KiB: what is shared counts by its share."""
    total = 0
    for pid in tree(root):
        try:
            with open(f"/proc/{pid}/smaps_rollup") as f:
                total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1))
        except (OSError, AttributeError):
            pass  # it ended, or is a kernel thread
    return total


def switches(root):
    """Context switches so far: {pid: count}, all threads of each process of the tree."""
    found = {}
    for pid in tree(root):
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/status") as f:
                    count = sum(map(int, re.findall(r"ctxt_switches:\s+(\d+)", f.read())))
                found[pid] = found.get(pid, 0) + count
        except OSError:
            pass
    return found


class Machine:
    """A moment of the whole machine; `foreign` tells what others did since."""

    def __init__(self, roots):
        """roots: pids of the trees whose work is no disturbance."""
        self.ours = sum(cpu_s(root) for root in roots) + sum(os.times()[:4])
        known = stats()
        self.kernel = sum(ticks for parent, _, ticks, _ in known.values() if parent == 2) / TICKS
        with open("/proc/stat") as f:
            text = f.read()
        self.ticks = list(map(int, re.match(r"cpu +(.*)", text).group(1).split()))[:8]
        self.switches = int(re.search(r"^ctxt (\d+)", text, re.M).group(1))

    def foreign(self, since):
        """Share of the machine's CPU that neither we nor the kernel's threads used, and what the hypervisor took."""
        spent = [now - then for now, then in zip(self.ticks, since.ticks)]
        user_nice_system = sum(spent[:3]) / TICKS
        other = user_nice_system - (self.ours - since.ours) - (self.kernel - since.kernel)
        return max(0.0, other + spent[7] / TICKS) / max(sum(spent) / TICKS, 1e-9)
