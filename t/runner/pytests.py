"""Runs a folder of pytest files, each on its own; looks afterwards for processes that they left."""
import concurrent.futures
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

import builds
from results import FAILED, PASSED, Section

LIMIT_S = {"check": 300, "system": 2100, "fault": 2100}  # what hangs ends within what CI has
AT_ONCE = {"system": 2, "fault": 2}  # files side by side: their suites wait for disks, clocks and each other more than they compute
FIRST = ("test_powercut.py",)  # it takes as long as all the others of its folder
ALONE = ("test_budget.py", "test_memory.py")  # what they count, others at work beside them would change


def ours():
    """Processes whose executable stands in the build folder, as {pid: executable}."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            path = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            continue
        if path.startswith(builds.BUILD_ROOT + os.sep):
            found[int(pid)] = path
    return found


def nothing_is_left(results, part, before):
    deadline = time.monotonic() + 10
    while (left := {pid: path for pid, path in ours().items() if before.get(pid) != path}) and \
            time.monotonic() < deadline:
        time.sleep(0.1)
    results.add(part, f"{part}.nothing_is_left_running", FAILED if left else PASSED,
                "\n".join(f"{pid} {path}" for pid, path in sorted(left.items())))
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def outcomes(results, part, path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            results.add(part, row["name"], row["outcome"], row["detail"])


class Runs:
    """Runs of pytest, each of some files: side by side, and ended together when one of them must not go on."""

    def __init__(self, results, part, wanted, preset, room):
        self.results, self.part, self.wanted, self.room = results, part, wanted, room
        self.folder = os.path.join(builds.TREE, "t", part)
        self.deadline = time.monotonic() + LIMIT_S[part]
        here = os.path.dirname(os.path.abspath(__file__))
        self.environment = {**os.environ, "PYTHONPATH": here, "PYTHONDONTWRITEBYTECODE": "1",
                            "POSTRIDER_BUILD_ROOT": builds.BUILD_ROOT, "POSTRIDER_PRESET": preset or "dev"}
        self.at_work, self.is_ending, self.lock = set(), False, threading.Lock()

    def start(self, path, report, output):
        command = [sys.executable, "-B", "-m", "pytest", "-q", "--tb=no", "--no-header", "--no-summary",
                   "--continue-on-collection-errors", "-p", "no:cacheprovider", "-p", "pytest_outcomes", f"--outcomes={report}",
                   f"--named={self.wanted}", f"--rootdir={self.folder}", path]
        with self.lock:
            if self.is_ending:
                return None
            tests = subprocess.Popen(command, env=self.environment, stdout=output, start_new_session=True)
            self.at_work.add(tests)
        return tests

    def wait(self, tests):
        """The status; None: it took too long."""
        try:
            return tests.wait(max(0, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(tests.pid, signal.SIGKILL)
            tests.wait()
            return None
        finally:
            with self.lock:
                self.at_work.discard(tests)

    def one(self, path):
        """Whether a test was selected."""
        name = os.path.basename(path)
        report, output = os.path.join(self.room, f"{name}.outcomes"), os.path.join(self.room, f"{name}.output")
        with open(output, "w+", encoding="utf-8") as said:
            tests = self.start(path, report, said)
            if tests is None:
                return False
            status = self.wait(tests)
            said.seek(0)
            last = (said.read().strip().splitlines() or [""])[-1]
        if os.path.exists(report):
            outcomes(self.results, self.part, report)
        if status is None:
            self.results.add(self.part, name, FAILED, f"did not end within {LIMIT_S[self.part]} s of all")
        elif status not in (0, 1, 5):  # 5: no test was selected
            self.results.add(self.part, name, FAILED, f"pytest ended with status {status}: {last}")
        if status != 5:
            print(f"   {name}: {last}", flush=True)
        return status != 5

    def end(self):
        with self.lock:
            self.is_ending = True
            for tests in self.at_work:
                with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile, and nobody has looked yet
                    os.killpg(tests.pid, signal.SIGKILL)

    def all(self):
        """Whether a test was selected. The largest files first, so that none of them is left alone at the end."""
        names = [n for n in os.listdir(self.folder) if n.startswith("test_") and n.endswith(".py")]
        names.sort(key=lambda n: (n not in FIRST, -os.path.getsize(os.path.join(self.folder, n))))
        if self.wanted:
            return self.one(self.folder)
        together = self.side_by_side([n for n in names if n not in ALONE], AT_ONCE.get(self.part, 1))
        return self.side_by_side([n for n in names if n in ALONE], 1) or together

    def side_by_side(self, names, at_once):
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            futures = [pool.submit(self.one, os.path.join(self.folder, n)) for n in names]
            try:
                return any([f.result() for f in futures])
            except BaseException:
                self.end()
                raise


def run(results, part, wanted, preset):
    before = ours()
    with Section(results, f"{part} tests"), tempfile.TemporaryDirectory(prefix="results-") as room:
        has_run = Runs(results, part, wanted, preset, room).all()
        if part != "check" and has_run:
            nothing_is_left(results, part, before)
