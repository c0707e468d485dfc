"""`ocs migrate`: the database's schema."""

from ocs_adapters.cli.commands import Flag, Refused, connected, read_settings


def migrate(*, check: Flag = False, sql: Flag = False) -> int:
    """Bring the database to the newest schema, making it if there is none.

    The database is the one that OCS_DATABASE_URL names. Doing it again changes nothing. On PostgreSQL others read and write
    meanwhile; of several at once, one works and the others wait; cut off, it goes on where it was when it comes again.

    Args:
        check: Change nothing; end with 1 where there is something to do.
        sql: Change nothing; print the statements, for a database that only its administrators change.
    """
    if check and sql:
        raise Refused("Give --check or --sql, not both.")
    with connected(read_settings()) as platform:
        problem = platform.problem()
        if problem and "ocs migrate" not in problem:
            raise Refused(f"{problem}.")
        if check or not problem:
            print(f"{problem}." if problem else "The schema is the newest already.")
            return int(bool(problem))
        if sql:
            print(platform.migration_as_sql(), end="")
            return 0
        done = platform.migrate()
    print(f"The schema was brought to the newest revision, {done[-1]}." if done else "Another ocs migrate has done it.")
    return 0
