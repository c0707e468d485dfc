"""How alembic runs a migration: on the connection it was given, or written down as SQL."""

from alembic import context

from ocs_adapters.sql.migrations.releases import note_release

given = context.config.attributes
if context.is_offline_mode():
    context.configure(
        dialect_name=given["dialect"],
        dialect_opts={"paramstyle": "named"},
        output_buffer=given["output"],
        literal_binds=True,
        transactional_ddl=False,
        on_version_apply=note_release,
    )
else:
    connection = given["connection"]
    context.configure(
        connection=connection,
        # On PostgreSQL, the steps of a migration are transactions of their own.
        transactional_ddl=connection.dialect.name == "sqlite",
        on_version_apply=note_release,
    )
with context.begin_transaction():
    context.run_migrations()
