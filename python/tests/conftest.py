"""What tests share."""

import os

import pytest


@pytest.fixture(scope="session")
def command() -> str:
    """The command line that the package is held against."""
    path = os.environ.get("TOKENFIELD")
    if not path:
        pytest.fail("set TOKENFIELD to the path of the program `tokenfield`, as ./test --python does")
    return path
