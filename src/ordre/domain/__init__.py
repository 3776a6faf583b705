"""The pure core: the standard library only; no clock, no random, no I/O, no logging.

Amounts are whole minor units of the order's currency; instants are milliseconds since 1970 in UTC.
"""
