"""Log lines on standard error: one JSON object each for programs, or one short line each for people at a terminal.

Whatever writes to the log takes this way: Ordre's own events, those of libraries (`logging`), Python's warnings, and exceptions
that nobody caught.

A line is on its way when it is written, but for those of requests that went well: they wait for each other, as a system call for
each of them is 5 % of what a request costs. Whatever else is written goes after them, and they are written when a process ends in
order; one that is killed loses those of its last ``TOGETHER_SECONDS``.
"""

import asyncio
import atexit
import logging
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from types import TracebackType
from typing import Any

import msgspec

_GREY, _RED, _GREEN, _YELLOW, _PLAIN = "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"
_COLOURS = {"debug": _GREY, "info": "", "warning": _YELLOW, "error": _RED, "critical": _RED}
_SENTENCES = {
    "listening": "Ordre {version} serves {url} (documentation at {url}/docs)",
    "draining": "told to stop: serving for {seconds:g} s more",
    "worker_died": "server process {pid} ended with {exit_code}; another one takes its place",
    "stopped": "Ordre has stopped",
    "witnessing": "signing roots, every {every_seconds:g} s",
    "witness_stopped": "told to stop, after {roots} roots",
    "tidying": "erasing what has expired, every {every_seconds:g} s",
}
"""Event -> how people read it; other events show their name and fields."""
_REFUSED, _FAILED = 400, 500
"""The lowest statuses of a refusal and of a failure."""
_NUMBERS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_THOUSANDTHS = [f".{number:03d}Z" for number in range(1000)]
TOGETHER_SECONDS = 0.05
"""So long the line of a request waits for others."""
_encode = msgspec.json.Encoder(enc_hook=repr).encode


Event = dict[str, Any]
"""Its name as ``event``, and its fields, of which ``exc_info`` is an exception, or as the standard library has it."""
_Rendered = Callable[[str, Event], bytes]


def for_people(format_: str) -> bool:
    """Whether a format, `auto`, `json` or `text`, means text here."""
    return format_ == "text" or (format_ == "auto" and sys.stderr.isatty())


def configure(level: str, format_: str, *, at_once: bool = False) -> None:
    """Send every line of this process to standard error, from this level on. ``format_`` is `auto`, `json` or `text`.

    With ``at_once``, and for people, no line waits for others: somebody looks for it.
    """
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    _log.rendered = _for_people(colours=colours) if for_people(format_) else _as_json
    _log.least, _log.at_once = _NUMBERS[level], at_once or for_people(format_)
    root = logging.getLogger()
    root.handlers[:] = [_OfLibraries()]
    root.setLevel(max(logging.WARNING, _log.least))
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda failed: _uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)


def info(event: str, **fields: object) -> None:
    """Write what happened."""
    write("info", {"event": event, **fields})


def warning(event: str, **fields: object) -> None:
    """Write what somebody may have to see to."""
    write("warning", {"event": event, **fields})


def error(event: str, **fields: object) -> None:
    """Write what somebody has to see to."""
    write("error", {"event": event, **fields})


def write(level: str, event: Event) -> None:
    """Write one line, now."""
    if _NUMBERS.get(level, logging.WARNING) >= _log.least:
        _written([*_taken(), _log.rendered(level, event)])


def write_soon(level: str, event: Event) -> None:
    """Write one line together with others, soon, by the event loop that runs."""
    if _log.at_once:
        write(level, event)
    elif _NUMBERS.get(level, logging.WARNING) >= _log.least:
        if not _waiting:
            asyncio.get_running_loop().call_later(TOGETHER_SECONDS, write_waiting)
        _waiting.append(_log.rendered(level, event))


def write_waiting() -> None:
    """Write the lines that wait."""
    if _waiting:
        _written(_taken())


def _taken() -> list[bytes]:
    """Return the lines that wait, which do so no more. Two threads may do this at once: each takes what the other leaves."""
    lines = list[bytes]()
    with suppress(IndexError):
        while True:
            lines.append(_waiting.popleft())
    return lines


def _written(lines: list[bytes]) -> None:
    """Write lines to standard error. What cannot be written, since nobody reads any more or the disk is full, is lost."""
    try:
        sys.stderr.buffer.write(b"\n".join([*lines, b""]))  # which has a lock of its own
        sys.stderr.buffer.flush()
    except BrokenPipeError:
        _let_go()
    except (OSError, ValueError):
        return


def _let_go() -> None:
    """Write to nobody from now on: Python would try the line again at its end, and end with an error."""
    with suppress(OSError, ValueError):
        nobody = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nobody, sys.stderr.fileno())
        os.close(nobody)


class _OfLibraries(logging.Handler):
    """Writes the log records of libraries as lines of Ordre's log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            event: Event = {"event": record.getMessage().strip(), "logger": record.name, "exc_info": record.exc_info}
            write(record.levelname.lower(), event)
        except Exception:  # noqa: BLE001 - as every handler of `logging`: a line that cannot be written stops nothing
            self.handleError(record)


def _uncaught(type_: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(type_, KeyboardInterrupt):
        return
    write("critical", {"event": "crashed", "exc_info": (type_, error, trace)})


def _as_json(level: str, event: Event) -> bytes:
    line = {"timestamp": _timestamp(), "level": level, "event": None}  # first, whatever else there is
    line.update(event)
    if "exc_info" in line and (failed := line.pop("exc_info")):
        line["exception"] = _traceback(failed)
    return _encode(line)


def _for_people(*, colours: bool) -> _Rendered:
    def rendered(level: str, event: Event) -> bytes:
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
    return _second(seconds) + _THOUSANDTHS[thousandths]


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


_waiting = deque[bytes]()
atexit.register(write_waiting)


class _Log:
    """Where lines go, from which level on, and how they look: as `configure` says, once for the process."""

    rendered: _Rendered = staticmethod(_as_json)
    least = logging.INFO
    at_once = True


_log = _Log()
