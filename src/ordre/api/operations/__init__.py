"""The operations of the API: one row each."""
