"""What is the same as in the API that Ordre speaks, what differs, what is extra: as a table, and as checks against any server."""
