"""`ordre openapi`."""

from pathlib import Path

from ordre.api.openapi import document_text


def openapi(*, output: Path | None = None) -> None:
    """Print the OpenAPI document.

    Args:
        output: Write it to this file instead.
    """
    if output is None:
        print(document_text(), end="")
    else:
        output.write_text(document_text(), encoding="utf-8")
        print(f"wrote {output}")
