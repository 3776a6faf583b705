"""Log lines on standard error: one JSON object each for programs, or one short line each for people at a terminal.

Whatever writes to the log takes this way: Ordre's own events (structlog), those of libraries (`logging`), Python's warnings, and
exceptions that nobody caught.
"""

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

_GREY, _RED, _GREEN, _YELLOW, _PLAIN = "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"
_COLOURS = {"debug": _GREY, "info": "", "warning": _YELLOW, "error": _RED, "critical": _RED}
_SENTENCES = {
    "listening": "Ordre {version} serves {url} (documentation at {url}/docs)",
    "draining": "told to stop: serving for {seconds:g} s more",
    "worker_died": "server process {pid} ended with {exit_code}; another one takes its place",
    "stopped": "Ordre has stopped",
    "tidying": "erasing what has expired, every {every_seconds:g} s",
}
"""Event -> how people read it; other events show their name and fields."""
_REFUSED, _FAILED = 400, 500
"""The lowest statuses of a refusal and of a failure."""
_encode = msgspec.json.Encoder(enc_hook=repr).encode


def for_people(format_: str) -> bool:
    """Return whether a format, `auto`, `json` or `text`, means text here."""
    return format_ == "text" or (format_ == "auto" and sys.stderr.isatty())


def configure(level: str, format_: str) -> None:
    """Send every line of this process to standard error, from this level on. ``format_`` is `auto`, `json` or `text`."""
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    rendered = _for_people(colours=colours) if for_people(format_) else _as_json
    structlog.configure(
        processors=[rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [_OfLibraries(rendered)]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda failed: _uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)


_Rendered = Callable[[WrappedLogger, str, EventDict], bytes]


class _OfLibraries(logging.Handler):
    """Writes what libraries log as lines of ours."""

    def __init__(self, rendered: _Rendered) -> None:
        super().__init__()
        self._rendered, self._output = rendered, structlog.BytesLogger(sys.stderr.buffer)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            event: EventDict = {"event": record.getMessage().strip(), "logger": record.name, "exc_info": record.exc_info}
            self._output.msg(self._rendered(None, record.levelname.lower(), event))
        except Exception:  # noqa: BLE001 - as every handler of `logging`: a line that cannot be written stops nothing
            self.handleError(record)


def _uncaught(type_: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(type_, KeyboardInterrupt):
        return
    structlog.get_logger("ordre").critical("crashed", exc_info=(type_, error, trace))


def _as_json(_: WrappedLogger, level: str, event: EventDict) -> bytes:
    failed = event.pop("exc_info", None)
    line = {"timestamp": _timestamp(), "level": level, "event": event.pop("event"), **event}
    if failed:
        line["exception"] = _traceback(failed)
    return _encode(line)


def _for_people(*, colours: bool) -> _Rendered:
    def rendered(_: WrappedLogger, level: str, event: EventDict) -> bytes:
        failed, name = event.pop("exc_info", None), event.pop("event")
        if name == "request":
            colour, words = _request(event)
        else:
            colour, words = _COLOURS.get(level, ""), _words(name, event)
        if failed:
            words = f"{words}\n{_traceback(failed)}"
        clock = time.strftime("%H:%M:%S")
        line = f"{_GREY}{clock}{_PLAIN} {colour}{words}{_PLAIN if colour else ''}" if colours else f"{clock} {words}"
        return line.encode()

    return rendered


def _request(event: Mapping[str, Any]) -> tuple[str, str]:
    """Return the colour and the words of a request."""
    status = event["status"]
    colour = _RED if status >= _FAILED else _YELLOW if status >= _REFUSED else _GREEN
    words = (status or "-", event["method"], event.get("path", "-"), event.get("code"), f"{event['ms']:g} ms")
    who = (event.get("account"), event.get("client"))
    return colour, " ".join(str(word) for word in (*words, *who) if word)


def _words(name: str, event: Mapping[str, Any]) -> str:
    if name in _SENTENCES:
        return _SENTENCES[name].format(**event)
    fields = " ".join(f"{key}={value}" for key, value in event.items() if key not in ("logger", "reason"))
    reason = f": {event['reason']}" if "reason" in event else ""
    named = name if "logger" in event else name.replace("_", " ")
    return f"{named}{reason} {fields}".rstrip()


def _traceback(failed: Any) -> str:
    if isinstance(failed, BaseException):
        return "".join(traceback.format_exception(failed)).rstrip()
    if not isinstance(failed, tuple):
        failed = sys.exc_info()
    return "".join(traceback.format_exception(*failed)).rstrip()


def _timestamp() -> str:
    seconds, thousandths = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{_second(seconds)}.{thousandths:03d}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
