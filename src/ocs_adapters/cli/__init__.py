"""The command line, `ocs`. Other packages join it through the entry-point group `ocs.commands`."""

from ocs_adapters.cli.main import main

__all__ = ["main"]
