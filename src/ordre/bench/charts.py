"""Charts as SVG: panels beside each other, each with lines over a logarithmic axis; readable on light and on dark pages."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

COLUMNS = 3
_WIDTH, _HEIGHT = 300, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 30, 40
_LEGEND = 34
_TICKS = 4
_STYLE = """
  text { font: 11px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600; font-size: 12px }
  .page { fill: #ffffff } .grid { stroke: #d0d7de; stroke-width: 1 } .line { fill: none; stroke-width: 2 }
  .dashed { stroke-dasharray: 5 4 }
  .c0 { stroke: #0969da } .c1 { stroke: #bc4c00 } .c2 { stroke: #6e7781 } .c3 { stroke: #1a7f37 }
  .f0 { fill: #0969da } .f1 { fill: #bc4c00 } .f2 { fill: #6e7781 } .f3 { fill: #1a7f37 } .spread { stroke-width: 1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .page { fill: #0d1117 } .grid { stroke: #30363d }
    .c0 { stroke: #58a6ff } .c1 { stroke: #f0883e } .c2 { stroke: #9198a1 } .c3 { stroke: #3fb950 }
    .f0 { fill: #58a6ff } .f1 { fill: #f0883e } .f2 { fill: #9198a1 } .f3 { fill: #3fb950 }
  }
"""
_COLOURS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value, with the least and the most that it stands for."""

    x: float
    y: float
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Points that belong together. Lines of one ``colour``, of which there are four, are of one thing."""

    name: str
    points: tuple[Point, ...]
    colour: int = 0
    dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One diagram; a logarithmic one where ``log`` says so, else from 0 on."""

    title: str
    lines: tuple[Line, ...]
    log: bool = False


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values to places on an axis: ``low`` is at ``start``, ``high`` at ``end``."""

    low: float
    high: float
    start: float
    end: float
    log: bool

    def place(self, value: float) -> float:
        """Return the place of a value."""
        low, high, at = (
            (math.log(max(one, 1e-9)) for one in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        )
        share = (at - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)


def chart(name: str, x: str, panels: Sequence[Panel]) -> str:
    """Return an SVG of panels. ``name`` says to those who cannot see it what it shows, ``x`` what the lower axes are."""
    rows = -(-len(panels) // COLUMNS)
    width, height = min(len(panels), COLUMNS) * _WIDTH, rows * _HEIGHT + _LEGEND
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(name)}">',
        f"<title>{escape(name)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
    ]
    for place, panel in enumerate(panels):
        left, top = place % COLUMNS * _WIDTH, place // COLUMNS * _HEIGHT
        parts += [f'<g transform="translate({left} {top})">', *_panel(panel, x), "</g>"]
    parts += _legend(panels, rows * _HEIGHT)
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, x: str) -> Iterator[str]:
    points = [point for line in panel.lines for point in line.points]
    xs = sorted({point.x for point in points})
    most = max(point.most for point in points)
    least = min(point.least for point in points) if panel.log else 0.0
    across = _Scale(xs[0], xs[-1], _LEFT + 8, _WIDTH - _RIGHT - 8, log=True)
    ticks = _powers(least, most) if panel.log else _steps(most)
    up = _Scale(ticks[0], ticks[-1], _HEIGHT - _BOTTOM, _TOP, log=panel.log)
    yield f'<text class="title" x="{_LEFT}" y="16">{escape(panel.title)}</text>'
    for tick in ticks:
        y = up.place(tick)
        yield f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{_short(tick)}</text>'
    for one in xs:
        yield f'<text x="{across.place(one):.1f}" y="{_HEIGHT - _BOTTOM + 14}" text-anchor="middle">{_short(one)}</text>'
    yield f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - _BOTTOM + 28}" text-anchor="middle">{escape(x)}</text>'
    for line in panel.lines:
        yield from _drawn(line, across, up)


def _drawn(line: Line, across: _Scale, up: _Scale) -> Iterator[str]:
    colour = line.colour % _COLOURS
    places = [(across.place(one.x), up.place(one.y), up.place(one.least), up.place(one.most)) for one in line.points]
    for x, _, least, most in places:
        yield f'<line class="spread c{colour}" x1="{x:.1f}" y1="{least:.1f}" x2="{x:.1f}" y2="{most:.1f}"/>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in places)
    yield f'<polyline class="line c{colour}{" dashed" if line.dashed else ""}" points="{path}"/>'
    for x, y, _, _ in places:
        yield f'<circle class="f{colour}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>'


def _legend(panels: Sequence[Panel], top: int) -> Iterator[str]:
    known = {line.name: line for panel in panels for line in panel.lines}
    left = _LEFT
    for name, line in known.items():
        style = f"line c{line.colour % _COLOURS}{' dashed' if line.dashed else ''}"
        yield f'<line class="{style}" x1="{left}" y1="{top + 14}" x2="{left + 24}" y2="{top + 14}"/>'
        yield f'<text x="{left + 30}" y="{top + 18}">{escape(name)}</text>'
        left += 48 + 7 * len(name)


def _steps(most: float) -> list[float]:
    """Return round values from 0 to the least that is no less than ``most``."""
    if most <= 0:
        return [0.0, 1.0]
    raw = most / _TICKS
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * one for one in (1, 2, 2.5, 5, 10) if size * one >= raw)
    return [step * number for number in range(math.ceil(most / step) + 1)]


def _powers(least: float, most: float) -> list[float]:
    """Return the powers of ten around these values."""
    low, high = math.floor(math.log10(max(least, 1e-3))), math.ceil(math.log10(max(most, 1e-3)))
    return [10.0**one for one in range(low, max(high, low + 1) + 1)]


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
