"""Programs of others that some tests run, which not everybody has. `.ci/run` installs them all: where CI is set, a test that
lacks one fails, since nobody looks at what a server passes over."""

import os
import shutil

import pytest


def needed(program: str, package: str | None = None) -> None:
    """The program is there, or the test ends; the package is Debian's, where it is not named as the program is."""
    if shutil.which(program) is None:
        lacking(f"{program} is not installed (Debian: apt-get install {package or program})")


def lacking(what: str) -> None:
    """Ends a test that cannot be tried here: on a person's machine it is passed over, where CI is set it fails."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and where CI is set nothing is passed over.", pytrace=False)
    pytest.skip(what)
