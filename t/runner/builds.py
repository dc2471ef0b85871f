"""Brings builds up to date through t/build, which t/instance and quickstart use as well."""
import os
import re
import subprocess

from results import FAILED, PASSED, Section

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD_ROOT = os.environ.get("POSTRIDER_BUILD_ROOT", os.path.join(TREE, "build"))


def folder(preset):
    return os.path.join(BUILD_ROOT, preset)


ERROR = re.compile(r"error:|Error at|undefined reference|multiple definition|cannot find -l")
STEP = re.compile(r"^\[\d+/\d+\] (Building|Linking)", re.M)
DONE = {}


def build(results, preset, targets=(), is_test=False):
    """Builds what can be built, whatever else fails; once in a run. True when all of it was built. It counts as a test
    when it fails, and when building it is what is tested."""
    if (preset, tuple(targets)) in DONE:
        return DONE[preset, tuple(targets)]
    command = [os.path.join(TREE, "t/build"), preset]
    if targets:
        command += ["--target", *targets]
    with Section(results, f"build {preset}"):
        done = subprocess.run([*command, "--", "-k", "0"], capture_output=True, text=True)
        good = done.returncode == 0
        if is_test or not good:
            results.add("builds", f"build.{preset}", PASSED if good else FAILED, first_errors(done.stdout + done.stderr))
    DONE[preset, tuple(targets)] = good
    return good


def first_errors(text):
    lines = text.splitlines()
    errors = [line for line in lines if ERROR.search(line)]
    return "\n".join((errors or lines)[:40])


def is_current(preset, target):
    """After a build that failed: whether this target is what its sources say."""
    done = subprocess.run(["ninja", "-C", folder(preset), "-n", target], capture_output=True, text=True)
    return not STEP.search(done.stdout)


def other_builds(results, name):
    """Without Berkeley DB, and with the other compiler: they must compile and link; the tables' tests run too."""
    import unit
    for preset in ("nobdb", "clang") if not name else ("dev", "release", "fuzz", "coverage", "nobdb", "clang"):
        if name not in f"build.{preset}":
            continue
        tests = [f"unit/{target}" for _, _, target in unit.selected("db.")] if preset == "nobdb" else []
        good = build(results, preset, ["suite", *tests] if tests else [], is_test=True)
        if preset == "nobdb":
            unit.run(results, preset, "db.", part="builds", is_built=good)
