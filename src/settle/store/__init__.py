"""What the system remembers: SQLAlchemy tables, migrations and one file per aggregate.

SQLite is the embedded default, PostgreSQL comes by URL; tables, migrations and tests are the same.
"""
