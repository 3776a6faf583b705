"""The HTTP API: one table of operations, one endpoint, thin handlers."""
