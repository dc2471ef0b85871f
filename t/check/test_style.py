"""What the house style asks of every file and a program can see."""
import os
import re
import subprocess

import pytest
import tree

FORBIDDEN = (r"\b(strcpy|stpcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|atoi|atol|atoll|strtol|strtoul|strtoll|strtoull|"
             r"sscanf|strtok|strtok_r|alloca|tmpnam|mktemp)\s*\(")
LINE_MAX = 140  # clang-format keeps code within 120; a comment may stick out
EVERYTHING = (*tree.FOLDERS, "t", "cmake", "conf")
SCRIPTS = (".py", ".sh", ".cmake", ".txt", ".cf", ".def", "")


def every_c():
    return list(tree.files([*tree.FOLDERS, "t"]))


def test_no_forbidden_function_is_called():
    tree.none(tree.lines_with(every_c(), FORBIDDEN))


def test_headers_begin_with_their_purpose_and_pragma_once():
    bad = []
    for path in tree.files(endings=(".h",)):
        text = tree.read(path)
        comment = re.match(r"/\*.*?\*/\n", text, re.S)
        if not comment or "#pragma once" not in text:
            bad.append(f"{path}: no comment at the top, or no #pragma once")
        elif comment.group(0).count("\n") > 12:
            bad.append(f"{path}: more than 12 lines of comment at the top")
        elif not text[comment.end():].startswith("#pragma once\n"):
            bad.append(f"{path}: #pragma once does not follow the comment")
    tree.none(bad)


def test_a_source_includes_its_own_header_first():
    bad = []
    for path in tree.files(endings=(".c",)):
        header = path[:-2] + ".h"
        first = re.search(r'^#include\s+["<]([^">]+)', tree.read(path), re.M)
        if os.path.exists(os.path.join(tree.TREE, header)) and first.group(1) != re.sub(r"^lib/", "", header):
            bad.append(f"{path} includes {first.group(1)} first")
    tree.none(bad)


def test_main_is_a_table_of_contents():
    mains = [f"{program}/main.c" for program in tree.PROGRAMS]
    tree.none(f"{path}: {lines} lines" for path in mains if os.path.exists(os.path.join(tree.TREE, path))
                for lines in [tree.read(path).count("\n")] if lines > 80)


def test_nothing_is_left_to_do():
    words = "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"))
    tree.none(tree.lines_with(list(tree.files(EVERYTHING, (".c", ".h", *SCRIPTS[:-1]))), rf"\b({words})\b", tree.read))


def test_lines_fit():
    for path in tree.files([*tree.FOLDERS, "t"], (".c", ".h", ".py")):
        for number, line in enumerate(tree.read(path).splitlines(), 1):
            assert len(line) <= LINE_MAX or "SOURCES:" in line, f"{path}:{number}"
            assert "\t" not in line, f"{path}:{number}: a tab"


def test_no_banner_lines():
    tree.none(tree.lines_with(every_c(), r"^\s*(/\*|//|\*)?\s*[-=*#~]{8,}", tree.read))


def test_cmake_3_25_is_enough():
    assert "cmake_minimum_required(VERSION 3.25)" in tree.read("CMakeLists.txt")


@pytest.mark.parametrize("layer", sorted(tree.LAYERS))
def test_each_source_of_a_layer_has_its_test(layer):
    missing = []
    for path in tree.files([f"lib/{layer}"], (".c",)):
        test = f"t/unit/{layer}/test_{os.path.basename(path)}"
        if not os.path.exists(os.path.join(tree.TREE, test)):
            missing.append(f"{path} has no {test}")
    tree.none(missing)


# Sources of programs that the test of a neighbour runs, over real channels in one loop; all others have one of their own name.
WITH_A_NEIGHBOUR = {
    "t/unit/master/test_child.c": "master/admin.c master/begin.c master/start.c",
    "t/unit/smtpd_process/test_transaction.c": "smtpd/ask.c smtpd/auth.c smtpd/footer.c smtpd/hello.c smtpd/mail.c smtpd/meter.c "
                                               "smtpd/session.c",
    "t/unit/policy_process/test_ask.c": "policy/rules.c",
    "t/unit/cleanup_process/test_commit.c": "cleanup/bring.c cleanup/commit.c cleanup/intake.c cleanup/resolve.c cleanup/stock.c",
    "t/unit/qmgr_process/test_drain.c": "qmgr/admin.c qmgr/deliver.c qmgr/finish.c qmgr/fresh.c qmgr/message.c qmgr/resolve.c "
                                        "qmgr/scan.c qmgr/transports.c",
    "t/unit/qmgr_process/test_admin.c": "qmgr/admin_change.c qmgr/admin_lend.c",
    "t/unit/local/test_jobs.c": "local/users.c local/workers.c",
    "t/unit/local_worker/test_maildir.c": "local/worker/letters.c",
    "t/unit/auth/test_login.c": "auth/auth.c auth/find.c auth/question.c",
    "t/unit/login/test_session.c": "login/exchange.c login/front.c login/pump.c login/sleep.c",
    "t/unit/ctl/test_check.c": "ctl/check_spool.c",
    "t/unit/ctl/test_sink.c": "ctl/sendmail/submit.c",
    "t/unit/ctl/test_queue.c": "ctl/queue/bring.c ctl/queue/change.c ctl/queue/change_stopped.c ctl/queue/check_file.c "
                               "ctl/queue/export.c ctl/queue/group.c ctl/queue/import.c ctl/queue/json.c ctl/queue/list.c "
                               "ctl/queue/look.c ctl/queue/print.c ctl/queue/progress.c ctl/queue/requeue.c ctl/queue/reroute.c "
                               "ctl/queue/rewrite.c ctl/queue/select.c ctl/queue/shape.c ctl/queue/verbs.c",
}


def has_test(path):
    """One of its name under a folder of its program: t/unit/smtpd/, t/unit/smtpd_process/ or t/unit/smtpd_worker/."""
    program, name = path.split("/")[0], os.path.basename(path)
    folders = (program, f"{program}_process", f"{program}_worker")
    return any(os.path.exists(os.path.join(tree.TREE, "t/unit", folder, f"test_{name}")) for folder in folders)


def test_each_source_of_a_program_has_its_test():
    sources = {path for path in tree.files([*tree.PROGRAMS, "ctl"], (".c",)) if os.path.basename(path) != "main.c"}
    shared = {path: test for test, paths in WITH_A_NEIGHBOUR.items() for path in paths.split() if path in sources}
    bad = [f"{path} has no unit test" for path in sources - shared.keys() if not has_test(path)]
    bad += [f"{test} does not name {path}" for path, test in shared.items()
            if not has_test(path) and path not in tree.read(test).splitlines()[0]]
    tree.none(sorted(bad))


def test_format_is_told(capsys):
    """Reported, not enforced: versions of clang-format differ."""
    done = subprocess.run(["clang-format", "-n", *every_c()], cwd=tree.TREE, capture_output=True, text=True)
    changed = sorted(set(re.findall(r"^(\S+?):\d+:\d+: warning", done.stderr, re.M)))
    with capsys.disabled():
        print(f"\n   files that clang-format would change: {len(changed)} of {len(every_c())}")
