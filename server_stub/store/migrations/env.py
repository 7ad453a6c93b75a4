"""What Alembic runs: the revisions, in the transaction of whoever called ``migrate``."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
