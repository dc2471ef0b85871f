import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from suite import Suite  # noqa: E402


@pytest.fixture(scope="module")
def suite():
    """One suite for the tests of a module; it must come to its end without a crash."""
    with Suite() as s:
        yield s
