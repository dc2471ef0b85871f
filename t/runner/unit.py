"""Runs the CMocka executables of one build; each test case counts."""
import glob
import os
import re
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import builds
from results import FAILED, PASSED, SKIPPED, Section

LIMIT_S = 240
GONE_S = 2
TAP = re.compile(r"^(not )?ok (\d+) (- |# SKIP )(\w+)")
CASE = re.compile(r"cmocka_unit_test\w*\(\s*(\w+)")
ENVIRONMENT = {
    "CMOCKA_MESSAGE_OUTPUT": "TAP",
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


def executables():
    """(name, source, target) of each test source: base.log, t/unit/base/test_log.c, test_base_log."""
    for source in sorted(glob.glob(os.path.join(builds.TREE, "t/unit/*/test_*.c"))):
        layer = os.path.basename(os.path.dirname(source))
        short = os.path.basename(source)[len("test_"):-len(".c")]
        yield f"{layer}.{short}", source, f"test_{layer}_{short}"


def selected(wanted):
    """Those that have a case whose name has `wanted` in it; all when the sources do not tell."""
    everything = list(executables())
    some = []
    for name, source, target in everything:
        with open(source, encoding="utf-8") as text:
            if wanted in name or any(wanted in f"{name}.{case}" for case in CASE.findall(text.read())):
                some.append((name, source, target))
    return some or everything


def parse(output):
    """Cases as (name, outcome, detail), and how many were announced. A line that a child repeated counts once."""
    cases, seen, planned, group = [], set(), 0, 0
    for line in output.splitlines():
        plan = re.match(r"^1\.\.(\d+)$", line)
        match = TAP.match(line)
        if plan:
            planned, group = planned + int(plan.group(1)), group + 1
        elif match and (group, match.group(2), match.group(4)) not in seen:
            seen.add((group, match.group(2), match.group(4)))
            outcome = SKIPPED if "SKIP" in match.group(3) else FAILED if match.group(1) else PASSED
            cases.append([match.group(4), outcome, line if outcome == FAILED else ""])
        elif cases and cases[-1][1] == FAILED:
            cases[-1][2] += "\n" + line
    return cases, planned


def is_gone(group, seconds):
    """Whether no process of the group is left: those that were killed with their parent take a moment."""
    end = time.monotonic() + seconds
    while True:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(0.01)


def execute(path):
    """(output, exit status or None when it took too long, whether no process of its group was left)."""
    with tempfile.TemporaryDirectory(prefix="unit-") as folder, tempfile.TemporaryFile() as output:
        process = subprocess.Popen([path], cwd=folder, env={**os.environ, **ENVIRONMENT}, start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            status = process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            status = None
        is_alone = is_gone(process.pid, GONE_S if status is not None else 0) or status is None
        if not is_gone(process.pid, 0):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        output.seek(0)
        return output.read().decode(errors="replace"), status, is_alone


def run_one(results, preset, name, target, wanted, part):
    path = os.path.join(builds.folder(preset), "unit", target)

    def add(case, outcome, detail=""):
        if wanted in f"{name}.{case}":
            results.add(part, f"{name}.{case}" if case else name, outcome, detail, preset)

    if not os.path.exists(path):
        return add("", FAILED, "does not build")
    output, status, is_alone = execute(path)
    cases, planned = parse(output)
    for case in cases:
        add(*case)
    failed = sum(1 for case in cases if case[1] == FAILED)
    if status is None or not is_alone:
        results.add(part, name, FAILED, f"{output[-4000:]}\n" + (
            f"did not end within {LIMIT_S} s" if status is None else "left a process running"), preset)
    elif len(cases) < planned or planned == 0 or (status != 0 and not failed):
        ran = f"{len(cases)} of {planned} cases ran, exit status {status}"
        results.add(part, name, FAILED, f"{output[-4000:]}\n{ran}", preset)
    return None


def run(results, preset, wanted, part="unit", is_built=True):
    with Section(results, f"unit tests ({preset})"):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for name, _, target in selected(wanted):
                if not is_built and not builds.is_current(preset, f"unit/{target}"):
                    results.add(part, name, FAILED, "does not build", preset)
                else:
                    pool.submit(run_one, results, preset, name, target, wanted, part)
