"""Ids: UUIDs of version 7, which sort by when they were made."""

import os


def uuid7(at: int, nanoseconds: int = 0, number: int = 0) -> str:
    """Return a new UUID of version 7 of an instant: ``at`` in milliseconds, and the nanoseconds of that millisecond.

    Ids sort by when things were made, also within a millisecond and over several processes: the twelve bits after the version
    are the fraction of the millisecond (RFC 9562, 6.2, method 3). The ``number`` orders what one request makes; it is kept to
    fourteen bits. The other 48 bits are random.
    """
    fraction, tail = nanoseconds * 4096 // 1_000_000, int.from_bytes(os.urandom(6))
    return f"{at >> 16:08x}-{at & 0xFFFF:04x}-7{fraction:03x}-{0x8000 | number & 0x3FFF:04x}-{tail:012x}"


def id_floor(at: int) -> str:
    """Return the text that is before every id made at this millisecond or later, and after every earlier one.

    An id is a UUID of version 7, whose first 48 bits are the milliseconds at which the order was created. So the primary key
    serves the filters on ``created_at`` and the order of every list.
    """
    digits = f"{max(at, 0):012x}"
    return f"{digits[:8]}-{digits[8:]}"
