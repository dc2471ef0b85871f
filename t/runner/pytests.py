"""Runs a folder of pytest files; looks afterwards for processes that they left."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import builds
from results import FAILED, PASSED, Section

LIMIT_S = {"check": 300, "system": 2100, "fault": 2100}  # what hangs ends within what CI has


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


def run(results, part, wanted, preset):
    folder = os.path.join(builds.TREE, "t", part)
    before = ours()
    with Section(results, f"{part} tests"), tempfile.TemporaryDirectory(prefix="results-") as room:
        report = os.path.join(room, "outcomes")
        command = [sys.executable, "-B", "-m", "pytest", "-q", "--tb=no", "--no-header", "--no-summary",
                   "--continue-on-collection-errors", "-p",
                   "no:cacheprovider", "-p", "pytest_outcomes", f"--outcomes={report}", f"--named={wanted}", f"--rootdir={folder}", folder]
        here = os.path.dirname(os.path.abspath(__file__))
        environment = {**os.environ, "PYTHONPATH": here, "PYTHONDONTWRITEBYTECODE": "1",
                       "POSTRIDER_BUILD_ROOT": builds.BUILD_ROOT, "POSTRIDER_PRESET": preset or "dev"}
        tests = subprocess.Popen(command, env=environment, start_new_session=True)
        try:
            status = tests.wait(LIMIT_S[part])
        except BaseException as stop:
            os.killpg(tests.pid, signal.SIGKILL)
            tests.wait()
            if not isinstance(stop, subprocess.TimeoutExpired):
                raise
            status = None
        if os.path.exists(report):
            outcomes(results, part, report)
        if status is None:
            results.add(part, part, FAILED, f"did not end within {LIMIT_S[part]} s")
        elif status not in (0, 1, 5):  # 5: no test was selected
            results.add(part, part, FAILED, f"pytest ended with status {status}")
        if part != "check" and status != 5:
            nothing_is_left(results, part, before)
