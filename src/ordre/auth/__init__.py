"""Tokens (issue, verify, keys) and secrets (make, hash)."""
