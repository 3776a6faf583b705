"""Use cases: short functions over the store, each one transaction."""
