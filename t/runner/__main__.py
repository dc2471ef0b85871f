"""./t/run: builds and runs the tests, part by part; see options.py."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import builds  # noqa: E402
import coverage  # noqa: E402
import fuzz  # noqa: E402
import options  # noqa: E402
import pytests  # noqa: E402
import unit  # noqa: E402
from results import Results  # noqa: E402


def unit_tests(results, wanted, presets):
    for preset in presets:
        targets = [f"unit/{target}" for _, _, target in unit.selected(wanted)] if wanted else ()
        good = builds.build(results, preset, targets)
        unit.run(results, preset, wanted, is_built=good)


def run_part(results, part, asked):
    presets = [asked.preset] if asked.preset else ["dev", "release"]
    if part == "unit":
        unit_tests(results, asked.k, presets)
    elif part == "check":
        builds.build(results, "release")
        pytests.run(results, part, asked.k, None)
    elif part in ("system", "fault"):
        for preset in presets:
            builds.build(results, preset)
        pytests.run(results, part, asked.k, asked.preset)
    elif part == "fuzz":
        fuzz.run(results, asked.k, asked.seconds)
    elif part == "builds":
        builds.other_builds(results, asked.k)
    elif part == "coverage":
        coverage.run(results, asked.k)


def main():
    asked = options.parse(sys.argv[1:])
    results = Results(asked.v)
    parts = ["unit", "check", "system", "fault", "fuzz", "builds"] if asked.part == "all" else [asked.part]
    for part in parts:
        run_part(results, part, asked)
    return results.tell()


if __name__ == "__main__":
    sys.exit(main())
