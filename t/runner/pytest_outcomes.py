"""A plugin of pytest: writes each outcome as a line as soon as it is known, and ends a test that takes too long.
A test that needs more than the 300 s says so: @pytest.mark.limit(600)."""
import json
import os
import signal

import pytest

LIMIT_S = 300


def pytest_addoption(parser):
    parser.addoption("--outcomes", help="file for the outcomes")
    parser.addoption("--named", default="", help="only tests that have this in their name")


def pytest_collection_modifyitems(config, items):
    wanted = config.getoption("--named")
    out = [item for item in items if wanted not in item.nodeid]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if wanted in item.nodeid]


def pytest_configure(config):
    config.addinivalue_line("markers", "limit(seconds): how long the test may take")
    config.pluginmanager.register(Writer(config.getoption("--outcomes")))


class Writer:
    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8") if path else None
        self.known = {}

    def write(self, name, outcome, detail):
        if self.file and name not in self.known:
            self.known[name] = outcome
            self.file.write(json.dumps({"name": name, "outcome": outcome, "detail": detail}) + "\n")
            self.file.flush()

    def pytest_collectreport(self, report):
        if report.failed:
            self.write(report.nodeid, "failed", str(report.longrepr))

    def pytest_runtest_logreport(self, report):
        if report.failed:
            # A test that passed and could not be cleared away is told under a name of its own.
            name = report.nodeid + (" (teardown)" if report.when == "teardown" else "")
            self.write(name, "failed", report.longreprtext + "".join(f"\n{text}" for _, text in report.sections))
        elif report.skipped:
            self.write(report.nodeid, "skipped", report.longreprtext)
        elif report.when == "call":
            self.write(report.nodeid, "passed", "")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    mark = item.get_closest_marker("limit")
    seconds = mark.args[0] if mark else LIMIT_S

    def too_long(signum, frame):
        raise TimeoutError(f"{item.nodeid} took more than {seconds} s (process {os.getpid()})")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
