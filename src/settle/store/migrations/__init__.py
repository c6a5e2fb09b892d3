"""The history of the schema. Alembic runs it; `settle.store.migrate` says when."""
