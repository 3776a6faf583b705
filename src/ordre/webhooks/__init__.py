"""Webhooks: what is sent to receivers, signed, and to addresses that may be reached."""
