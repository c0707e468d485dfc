"""Ours: the whole stack, key and rules and replay, on the database that `OCS_DATABASE_URL` names; no relay beside it."""

from ocs_adapters.bootstrap import platform
from ocs_adapters.settings import load
from ocs_http.app import create_app
from ocs_http.server import spare_the_collector

app = create_app(platform(load()).services, background=False)
spare_the_collector()
