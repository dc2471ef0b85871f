"""Builds with one program that is not as it should be (t/fault/plants; target `plants`)."""
import os
import shutil
import subprocess

from suite import ROOT

BUILD = "release"
PLANTS = (  # bugs that the power-cut test must find
    "queue-no-fsync", "queue-reply-before-commit", "queue-fsync-before-end", "mail-no-fsync", "mail-reply-before-commit",
    "mail-fsync-before-rename")


def folder(bug, directory):
    """A libexec for a suite with that bug: what is built, and the one program with it in its place."""
    subprocess.run([os.path.join(ROOT, "t", "build"), BUILD, "--target", "suite", "plants"], check=True)
    built = os.path.join(os.environ.get("POSTRIDER_BUILD_ROOT", os.path.join(ROOT, "build")), BUILD)
    shutil.copytree(os.path.join(built, "libexec"), directory)
    planted = os.path.join(built, "plants", bug)
    for program in os.listdir(planted):
        shutil.copy(os.path.join(planted, program), os.path.join(directory, program))
    return directory
