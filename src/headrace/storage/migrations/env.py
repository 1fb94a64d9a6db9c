"""What Alembic runs to migrate: the transaction and the locks are the caller's."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="schema_revision",
    render_as_batch=True,
)
context.run_migrations()
