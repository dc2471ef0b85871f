"""Sizes of files and functions: printed each time, and held below the bars of the house style."""
import statistics

import tree

FILE_MAX, FILE_MEDIAN, FILE_P90 = 800, 200, 450
FUNCTION_MAX, FUNCTION_MEDIAN, FUNCTION_P90 = 80, 15, 40


def p90(numbers):
    return sorted(numbers)[max(0, -(-len(numbers) * 9 // 10) - 1)]


def figures(what, rows):
    """Prints what there is, and returns (median, p90)."""
    numbers = [size for size, _ in rows]
    largest = ", ".join(f"{name} {size}" for size, name in sorted(rows, reverse=True)[:3])
    median = statistics.median(numbers)
    print(f"   {what}: {len(rows)}, lines: {sum(numbers)}, median {median:.0f}, p90 {p90(numbers)}, "
          f"max {max(numbers)} ({largest})")
    return median, p90(numbers)


def file_rows(folders):
    return [(tree.read(path).count("\n"), path) for path in tree.files(folders)]


def function_rows(folders):
    return [(size, f"{path}:{name}") for path in tree.files(folders) for name, size in tree.functions(path)]


def test_the_counter_sees_functions():
    assert dict(tree.functions("lib/base/str.c"))["str_cut"] == 9
    assert dict(tree.functions("lib/base/fault.h")) == {"is_fault": 4}


def test_files(capsys):
    rows = file_rows(None)
    with capsys.disabled():
        print()
        median, high = figures("files", rows)
        figures("files of tests", file_rows(["t"]))
    tree.none(row for row in rows + file_rows(["t"]) if row[0] > FILE_MAX)
    assert median <= FILE_MEDIAN
    assert high <= FILE_P90


def test_functions(capsys):
    rows = function_rows(None)
    with capsys.disabled():
        print()
        median, high = figures("functions", rows)
        figures("functions of tests", function_rows(["t"]))
    tree.none(row for row in rows + function_rows(["t"]) if row[0] > FUNCTION_MAX)
    assert median <= FUNCTION_MEDIAN
    assert high <= FUNCTION_P90
