"""A database's URL: PostgreSQL's as its own programs take it, SQLite's as the file that it is."""

from pathlib import Path

import sqlalchemy as sa

POSTGRES = {"postgres", "postgresql", "postgresql+psycopg"}


def parsed(url: str) -> sa.URL:
    """The URL as SQLAlchemy takes it. `postgres://` is PostgreSQL, too, and it may have several hosts, `a:5432,b`, of which the
    first that answers is taken, with `?target_session_attrs=read-write` the first that can be written to."""
    scheme, _, rest = url.partition("://")
    if scheme not in POSTGRES:
        return sa.make_url(url)
    authority, tail = rest[: (end := _end_of_authority(rest))], rest[end:]
    user, at, hosts = authority.rpartition("@")
    if "," not in hosts:
        return sa.make_url(f"postgresql+psycopg://{rest}")
    named = [_host_and_port(host) for host in hosts.split(",")]
    several = {"host": ",".join(host for host, _ in named), "port": ",".join(port for _, port in named)}
    return sa.make_url(f"postgresql+psycopg://{user}{at}{tail}").update_query_dict(several)


def file_of(url: sa.URL) -> Path | None:
    """The file of an SQLite database; None for one in memory, and for PostgreSQL."""
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))


def _end_of_authority(rest: str) -> int:
    return min((at for at in map(rest.find, "/?") if at >= 0), default=len(rest))


def _host_and_port(host: str) -> tuple[str, str]:
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        return host.strip("[]"), ""
    return name.strip("[]"), port
