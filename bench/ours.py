"""Ours: the whole stack, key and rules and replay, on the database that `OCS_DATABASE_URL` names; no relay beside it.

Run: python -m bench.ours PORT
"""

import sys

from ocs_adapters.bootstrap import platform
from ocs_adapters.settings import load
from ocs_http.app import create_app
from ocs_http.server import listen, run

if __name__ == "__main__":
    with listen("127.0.0.1", int(sys.argv[1])) as listening:
        run(create_app(platform(load()).services, background=False), listening)
