-- Each migration says which code can serve a schema with it: code whose newest migration is this one or later.
-- It is kept in the database, for older code to read it there. See docs/decisions.
-- compatible-with: 7

alter table schema_migrations add column compatible_with bigint;
