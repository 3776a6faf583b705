"""Answers of JSON."""

from starlette.responses import Response


class JsonAnswer(Response):
    """JSON that ends with a newline, so that a terminal's prompt does not stand behind it."""

    media_type = "application/json; charset=utf-8"

    def render(self, content: str | bytes) -> bytes:
        """Return the bytes to send."""
        return bytes(super().render(content)) + b"\n"
