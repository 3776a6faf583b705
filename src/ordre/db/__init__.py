"""The SQL. One store contract, two engines: SQLite for one file, PostgreSQL for many processes."""
