"""`ordre openapi`."""

from pathlib import Path


def openapi(*, output: Path | None = None) -> None:
    """Print the OpenAPI document.

    Args:
        output: Write it to this file instead.
    """
    from ordre.api.document.openapi import document_text  # noqa: PLC0415 - help and completion need nothing of what it loads

    if output is None:
        print(document_text(), end="")
    else:
        output.write_text(document_text(), encoding="utf-8")
        print(f"wrote {output}")
