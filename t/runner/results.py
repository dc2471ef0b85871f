"""Outcomes of all tests, and how they are told."""
import shlex
import sys
import threading
import time

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
LAST = 60  # lines of what a failed test said


def shown(detail):
    """The end of it, which is often a log; what failed may stand far before that (pytest marks it with an E)."""
    lines = detail.rstrip().splitlines()
    return [line for line in lines[:-LAST] if line.startswith("E ")][:LAST // 3] + lines[-LAST:]


class Results:
    def __init__(self, is_verbose=False):
        self.is_verbose = is_verbose
        self.rows = []  # (name, outcome, part, how to run it alone)
        self.last = ""
        self.lock = threading.Lock()

    def add(self, part, name, outcome, detail="", preset=None):
        with self.lock:
            wanted = "" if name == part or name.endswith("nothing_is_left_running") else f" -k {shlex.quote(name)}"
            alone = f"./t/run {part}{wanted}" + (f" --preset {preset}" if preset else "")
            self.rows.append((f"{name} ({preset})" if preset else name, outcome, part, alone))
            if outcome == FAILED:
                print(f"FAILED {part} {name}" + (f" ({preset})" if preset else ""))
                for line in ["as above"] if detail == self.last else shown(detail):
                    print(f"    {line}")
                self.last = detail
            elif self.is_verbose:
                print(f"{outcome} {part} {name}" + (f" ({preset})" if preset else ""))
            sys.stdout.flush()

    def count(self, outcome, since=0):
        return sum(1 for row in self.rows[since:] if row[1] == outcome)

    def line(self, since=0):
        return ", ".join(f"{self.count(outcome, since)} {outcome}" for outcome in (PASSED, FAILED, SKIPPED))

    def tell(self):
        """The names of what failed, and the line of counts as the very last one."""
        failed = [row for row in self.rows if row[1] == FAILED]
        if failed:
            print("\nFailed, and how to run each alone:")
            for name, _, part, alone in failed:
                print(f"  {part} {name}\n      {alone}")
        print(self.line(), flush=True)
        return 1 if failed or not self.rows else 0


class Section:
    """Says what begins, and at its end what came out and how long it took."""

    def __init__(self, results, title):
        self.results, self.title = results, title

    def __enter__(self):
        self.start, self.since = time.monotonic(), len(self.results.rows)
        print(f"-- {self.title}", flush=True)
        return self

    def __exit__(self, kind, value, trace):
        if len(self.results.rows) > self.since:
            seconds = time.monotonic() - self.start
            print(f"   {self.title}: {self.results.line(self.since)} in {seconds:.0f} s", flush=True)
