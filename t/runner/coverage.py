"""Line coverage of lib/ and the programs by the unit tests, from gcov."""
import collections
import glob
import gzip
import json
import os
import subprocess
import tempfile

import builds
import unit


def lines_of(data_files):
    """{source: {line: times run}} over all objects; a header's lines add up."""
    counts = collections.defaultdict(lambda: collections.defaultdict(int))
    for start in range(0, len(data_files), 50):
        with tempfile.TemporaryDirectory(prefix="gcov-") as folder:
            subprocess.run(["gcov", "--json-format", *data_files[start:start + 50]], cwd=folder, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for path in glob.glob(os.path.join(folder, "*.gcov.json.gz")):
                with gzip.open(path, "rt", encoding="utf-8") as text:
                    for source in json.load(text)["files"]:
                        for line in source["lines"]:
                            counts[source["file"]][line["line_number"]] += line["count"]
    return counts


def share(lines):
    return 100 * sum(1 for count in lines if count) / len(lines) if lines else 0


def run(results, wanted):
    folder = builds.folder("coverage")
    good = builds.build(results, "coverage")
    for path in glob.glob(os.path.join(folder, "**/*.gcda"), recursive=True):
        os.unlink(path)
    unit.run(results, "coverage", wanted, part="unit", is_built=good)
    files = glob.glob(os.path.join(folder, "**/*.gcda"), recursive=True)
    folders, everything = collections.defaultdict(list), []
    print("\n  lines   run  file")
    for source, lines in sorted(lines_of(files).items()):
        relative = os.path.relpath(source, builds.TREE)
        if relative.startswith(("..", "t/")) or source.startswith("/usr"):
            continue
        print(f"{len(lines):7} {share(lines.values()):4.0f}%  {relative}")
        folders[os.path.dirname(relative)] += lines.values()
        everything += lines.values()
    print("\n  lines   run  folder")
    for name, lines in sorted(folders.items()):
        print(f"{len(lines):7} {share(lines):4.0f}%  {name}")
    print(f"{len(everything):7} {share(everything):4.0f}%  in all\n")
