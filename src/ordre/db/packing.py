"""Large texts as they are stored: compressed, as one value, beside marks where they would stand.

A fact's ``data`` and ``event`` say much the same: the order, and the request that made it. Digests are of the texts, so nothing
that is proven knows of this. How large they are is stored beside it: pages are bounded by that, and nothing is unpacked further.
"""

import zlib
from pathlib import Path

LEAST = 1_000
"""Characters of texts that are packed: below, a row is as small without."""
MOST = 256 * 1024 * 1024
"""Bytes that are unpacked at most: no row is as large."""
MARK = "*"
"""Stands for a text that is packed; no JSON begins so."""
UNREADABLE = "packed, and changed since"
"""Stands for what cannot be unpacked: no JSON either, and the body of no digest."""
_BETWEEN = "\x1e"
"""Between two texts; JSON escapes it."""
_FORM = b"\x01"
"""Begins what is packed as here: deflate without a header, with these words known beforehand. Another form has another number."""
WORDS = Path(__file__).with_name("packing.txt").read_bytes()
"""The names and forms that orders are written with. What is stored was packed with these, so they never change."""


def packed(*texts: str) -> tuple[bytes, int] | None:
    """Return texts as one value, and how many bytes they have; None where they are small."""
    if sum(map(len, texts)) < LEAST:
        return None
    whole = _BETWEEN.join(texts).encode()
    compressing = zlib.compressobj(3, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, WORDS)
    return _FORM + compressing.compress(whole) + compressing.flush(), len(whole)


def unpacked(value: object, size: object) -> list[str] | None:
    """Return the texts that were packed; None where they cannot be read, or have another size than is said."""
    if not (isinstance(value, bytes) and isinstance(size, int) and value.startswith(_FORM) and 0 < size <= MOST):
        return None
    unpacking = zlib.decompressobj(-15, WORDS)
    try:
        whole = unpacking.decompress(value[1:], size + 1)
        if len(whole) != size or not unpacking.eof or unpacking.unused_data:
            return None
        return whole.decode().split(_BETWEEN)
    except (zlib.error, UnicodeDecodeError):
        return None


def in_row(data: str, event: str) -> tuple[str, str, bytes | None, int | None]:
    """Return data and event of a fact as its columns hold them, the last two of which are what is packed, and its size."""
    made = packed(data, event)
    return (data, event, None, None) if made is None else (MARK, MARK if event else "", *made)


def from_row(data: str, event: str, value: object, size: object) -> tuple[str, str]:
    """Return data and event of a fact by its columns; ``UNREADABLE`` where somebody changed them."""
    if value is None and size is None and data != MARK:
        return data, event
    if data not in (MARK, ""):
        return data, event + UNREADABLE
    texts = unpacked(value, size) if data else None
    if texts is None or len(texts) != 2 or event != (MARK if texts[1] else ""):  # noqa: PLR2004 - data and event
        return UNREADABLE, ""
    return texts[0], texts[1]
