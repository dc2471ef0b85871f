"""What ./t/run understands."""
import argparse

PARTS = ("all", "unit", "check", "system", "fault", "fuzz", "builds", "coverage")

HELP = """\
Parts: unit (CMocka, of both presets), check (layout of the source, installation), system (real sockets, real
clients), fault (kills, full disks, power cuts), fuzz (a short run of each fuzzer), builds (without Berkeley DB; with
clang), all of these (the default), coverage (of the unit tests; prints the figures).
The last line counts what ran; the exit status is 1 when something failed."""


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./t/run", epilog=HELP, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=PARTS, default="all", metavar="PART", help="|".join(PARTS))
    parser.add_argument("-k", metavar="NAME", default="", help="only tests whose name has NAME in it")
    parser.add_argument("--preset", choices=("dev", "release"), help="unit and system tests of this build only")
    parser.add_argument("--seconds", type=int, default=6, help="how long each fuzzer runs (6)")
    parser.add_argument("-v", action="store_true", help="name every test")
    return parser.parse_args(arguments)
