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


def test_sources_of_programs_have_tests(capsys):
    """Most of a program is tested by the system tests as well; what has no unit test of its own is told."""
    missing = [path for path in tree.files([*tree.PROGRAMS, "ctl"], (".c",)) if os.path.basename(path) != "main.c"
               and not os.path.exists(os.path.join(tree.TREE, "t/unit", path.split("/")[0],
                                                   "test_" + os.path.basename(path)))]
    with capsys.disabled():
        print(f"\n   sources of programs without a unit test: {len(missing)}" + "".join(f"\n      {m}" for m in missing))


def test_format_is_told(capsys):
    """Reported, not enforced: versions of clang-format differ."""
    done = subprocess.run(["clang-format", "-n", *every_c()], cwd=tree.TREE, capture_output=True, text=True)
    changed = sorted(set(re.findall(r"^(\S+?):\d+:\d+: warning", done.stderr, re.M)))
    with capsys.disabled():
        print(f"\n   files that clang-format would change: {len(changed)} of {len(every_c())}")
