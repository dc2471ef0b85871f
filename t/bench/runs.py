"""Runs that alternate between the sides, their medians, and the table with ratios."""
import statistics
import sys
import time
from dataclasses import dataclass, field

import procs

FOREIGN_MAX = 0.05  # a run during which others used more than this share of the CPU is dropped
TRIES = 3           # for each run that is wanted


@dataclass
class Figure:
    """One line of the table. The first side is ours; ratios say how many times better it is."""
    name: str
    unit: str
    higher_is_better: bool
    bar: float = 0  # the least ratio that is wanted; 0: none
    values: dict = field(default_factory=dict)  # side's name -> [values]

    def median(self, side):
        values = self.values.get(side)
        return statistics.median(values) if values else None

    def ratio(self, ours, peer):
        a, b = self.median(ours), self.median(peer)
        if a is None or b is None or not a or not b:
            return None
        return a / b if self.higher_is_better else b / a


def say(text):
    print(text, file=sys.stderr, flush=True)


def quiet(seconds=20):
    """Waits until the machine is quiet, for so long at most."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before = procs.Machine([])
        time.sleep(0.5)
        if procs.Machine([]).foreign(before) < FOREIGN_MAX:
            return


def measured(side, roots, function):
    """One run: ({figure's name: value}, share of foreign CPU)."""
    before = procs.Machine(roots)
    values = function(side)
    return values, procs.Machine(roots).foreign(before)


def record(figures, side, values):
    for figure in figures:
        if values.get(figure.name) is not None:
            figure.values.setdefault(side.name, []).append(values[figure.name])


def alternate(sides, figures, function, runs, strict=True):
    """Runs function(side) -> {figure's name: value} `runs` times for each side, in turns; returns how many were dropped."""
    dropped, done, tries = 0, {side.name: 0 for side in sides}, 0
    while min(done.values()) < runs and tries < runs * TRIES:
        tries += 1
        for side in sides:
            if done[side.name] >= runs:
                continue
            if strict:
                quiet()
            values, foreign = measured(side, [s.pid for s in sides], function)
            shown = ", ".join(f"{k} {v:.6g}" for k, v in list(values.items())[:3] if v is not None)
            say(f"   {side.name}: {shown}; foreign CPU {foreign:.0%}")
            if strict and foreign > FOREIGN_MAX:
                dropped += 1
                continue
            done[side.name] += 1
            record(figures, side, values)
    return dropped


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value < 10 else f"{value:.1f}"


def verdict(figure, ratios):
    """Judges by the best of the peers."""
    if not figure.bar or not ratios:
        return ""
    return f"bar {figure.bar:g} x: " + ("met" if min(ratios) >= figure.bar else "MISSED")


def row(figure, ours, peers):
    cells, ratios = [figure.name, figure.unit, number(figure.median(ours.name))], []
    for peer in peers:
        ratio = figure.ratio(ours.name, peer.name)
        cells += [number(figure.median(peer.name)), "-" if ratio is None else f"{ratio:.2f} x"]
        ratios += [] if ratio is None else [ratio]
    count = min((len(v) for v in figure.values.values()), default=0)
    return cells + [str(count), verdict(figure, ratios)]


def table(title, figures, ours, peers):
    """Prints medians, and how many times better ours is; the last columns are the runs behind a median and the bar."""
    head = ["", "unit", ours.name]
    for peer in peers:
        head += [peer.name, "better"]
    rows = [head + ["runs", ""]] + [row(f, ours, peers) for f in figures if f.values]
    if len(rows) == 1:
        return
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    print(f"\n{title}")
    for r in rows:
        cells = [c.ljust(w) if i < 2 or i == len(r) - 1 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))]
        print("  ".join(cells).rstrip())
    sys.stdout.flush()
