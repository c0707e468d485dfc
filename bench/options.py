"""What benches are told on the command line."""

import argparse
import sys

SHORT = "--short" in sys.argv
"""Little data: whether a bench works, not what it finds."""


def check_arguments(about: str | None) -> None:
    """Tell of a bench where `--help` asks for it, and refuse what it does not know."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="little data: it works, and its figures say nothing")
    parser.parse_args()
