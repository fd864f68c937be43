"""Alembic's entry: run the revisions over the connection that the caller brought."""

from alembic import context

from ngcp.provisioning.upgrade import VERSION_DATABASE

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema=VERSION_DATABASE,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
