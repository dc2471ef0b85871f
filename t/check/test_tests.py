"""Tests wait for events, take free ports, and end what they started by its id."""
import os
import re

import tree

HELPER = "waiting.py"  # the one place that may sleep: it polls for an event until a deadline
TESTS = ("t/system", "t/fault", "t/check", "t/runner", "t/bench")


def scripts(folders):
    found = list(tree.files(folders, (".py",)))
    for name in ("instance", "run"):
        path = os.path.join("t", name)
        if os.path.isfile(os.path.join(tree.TREE, path)):
            found.append(path)
    return [path for path in found if not path.endswith("check/test_tests.py")]


def test_no_process_is_ended_by_its_name():
    tree.none(tree.lines_with(scripts(TESTS), r"\b(pkill|killall|pidof|pgrep)\b", tree.read))


def test_no_test_sleeps():
    users = [path for path in scripts(["t/system", "t/fault"]) if os.path.basename(path) != HELPER]
    tree.none(tree.lines_with(users, r"\bsleep\(", tree.read))
    tree.none(tree.lines_with(tree.files(["t/unit"]), r"\bsleep\s*\("))


def test_no_fixed_ports():
    pattern = r"""(connect|bind|SMTP|IMAP4|POP3)(_SSL)?\(\(?["'](127\.0\.0\.1|localhost)["'],\s*[1-9]\d+"""
    tree.none(tree.lines_with(scripts(["t/system", "t/fault"]), pattern, tree.read))


def test_every_fuzzer_has_seeds_and_every_grammar_a_fuzzer():
    fuzzers = {os.path.basename(path)[len("fuzz_"):-2] for path in tree.files(["t/fuzz"], (".c",))}
    folder = os.path.join(tree.TREE, "t/fuzz/seeds")
    seeds = {name for name in os.listdir(folder) if os.listdir(os.path.join(folder, name))}
    assert not sorted(fuzzers - seeds), "fuzzers without seeds"
    assert not sorted(seeds - fuzzers), "seeds without a fuzzer"


def test_unit_tests_name_what_exists():
    bad = []
    for path in tree.files(["t/unit"], (".c",)):
        row = re.match(r"/\* SOURCES: ([^*]*)NEEDS: ([^*]*) \*/", tree.read(path))
        for source in row.group(1).split() if row else []:
            if not os.path.exists(os.path.join(tree.TREE, source)):
                bad.append(f"{path} names {source}")
    tree.none(bad)
