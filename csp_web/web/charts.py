"""Pictures of figures, drawn on the server: figures in, places of an SVG out.

It knows no business, no colour and no language. Lengths are units of the drawing, which is ``WIDTH`` wide and scales
with its box; at 300 pixels a unit is a little less than a pixel, so that text of 12 units is read on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 320, 168
TEXT, LETTER = 12, 6.6  # size of text, and the width of one letter of it
TOP, FOOT, EDGE = 10.0, 20.0, 4.0
ROW, THICK = 38.0, 12.0  # of bars that lie: one row with its label, and the bar in it
NICE = (1, 2, 5)
THICKEST = 26.0

Series = Sequence[Sequence[int]]  # figures per series, none below zero; all series are as long as the labels
Say = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle: whose (series) and of which place on the axis (index)."""

    x: float
    y: float
    width: float
    height: float
    series: int
    index: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One series as a line: the points for ``points=""``, and each of them for its dot."""

    points: str
    dots: tuple[tuple[float, float], ...]
    series: int


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn. ``rules`` are the heights of the level lines, ``left`` and ``right`` where they begin and end."""

    height: float
    left: float
    right: float
    rules: tuple[float, ...] = ()
    bars: tuple[Bar, ...] = ()
    lines: tuple[Line, ...] = ()
    levels: tuple[Mark, ...] = ()  # right-aligned, left of the level lines
    labels: tuple[Mark, ...] = ()  # centred below, or left above a lying bar
    figures: tuple[Mark, ...] = ()  # right-aligned, at the end of a lying bar's row
    width: float = WIDTH


def ticks(highest: int, steps: int = 4) -> tuple[int, ...]:
    """Levels from 0 to the first that holds ``highest``, at most ``steps`` above 0, by ones, twos, fives or their tens."""
    if highest <= 0:
        return (0, 1)
    step = next(step for step in _steps() if step * steps >= highest)
    return tuple(step * number for number in range(-(-highest // step) + 1))


def _steps() -> Sequence[int]:
    return [nice * 10**power for power in range(25) for nice in NICE]


def columns(series: Series, labels: Sequence[str], say: Say, *, stacked: bool = False) -> Picture:
    """Standing bars: one beside the other per place, or one upon the other."""
    highest = max(map(sum, zip(*series, strict=True)) if stacked else (max(row) for row in series if row), default=0)
    levels = ticks(highest)
    frame = _frame(levels, say)
    slot = _slot(frame, len(labels))
    beside = 1 if stacked else len(series)
    thick = min(THICKEST, slot * 0.72 / beside)
    bars = []
    for index in range(len(labels)):
        foot, x = 0, frame.left + slot * (index + 0.5) - thick * beside / 2
        for number, row in enumerate(series):
            top = _height(foot + row[index], levels[-1])
            bars.append(_bar(x, top, thick, _height(foot, levels[-1]) - top, number, index))
            foot, x = (foot + row[index], x) if stacked else (0, x + thick)
    return _with(frame, labels, slot, bars=tuple(bar for bar in bars if bar.height))


def line(series: Series, labels: Sequence[str], say: Say) -> Picture:
    """One line per series, with a dot at every figure."""
    levels = ticks(max((max(row) for row in series if row), default=0))
    frame = _frame(levels, say)
    slot = _slot(frame, len(labels))
    lines = []
    for number, row in enumerate(series):
        dots = tuple(
            (_round(frame.left + slot * (index + 0.5)), _round(_height(value, levels[-1])))
            for index, value in enumerate(row)
        )
        lines.append(Line(" ".join(f"{x},{y}" for x, y in dots), dots, number))
    return _with(frame, labels, slot, lines=tuple(lines))


def rows(series: Series, labels: Sequence[str], say: Say) -> Picture:
    """Lying bars, one per label with its sum at the end of the row; parts of several series follow one another."""
    sums = [sum(parts) for parts in zip(*series, strict=True)]
    said = [say(value) for value in sums]
    room = WIDTH - 2 * EDGE
    free = room - max(map(len, said), default=0) * LETTER - 2 * EDGE
    unit = room / max([*sums, 1])
    bars = []
    for index in range(len(labels)):
        x = EDGE
        for number, row in enumerate(series):
            bars.append(_bar(x, index * ROW + TEXT + 8, row[index] * unit, THICK, number, index))
            x += row[index] * unit
    return Picture(
        height=max(len(labels), 1) * ROW,
        left=EDGE,
        right=WIDTH - EDGE,
        bars=tuple(bar for bar in bars if bar.width),
        labels=tuple(Mark(EDGE, _beside(index), shortened(text, free)) for index, text in enumerate(labels)),
        figures=tuple(Mark(WIDTH - EDGE, _beside(index), text) for index, text in enumerate(said)),
    )


def _beside(index: int) -> float:
    """The foot of the text above a lying bar."""
    return index * ROW + TEXT + 2


def meter(value: int, whole: int, *, width: float = 100.0) -> float:
    """How much of a meter is full: between 0 and ``width``; nothing of nothing is empty."""
    return _round(width * min(max(value, 0) / whole, 1)) if whole > 0 else 0.0


def shortened(text: str, room: float) -> str:
    """A text that fits into so many units, with an ellipsis where it was cut."""
    letters = max(int(room / LETTER), 1)
    return text if len(text) <= letters else f"{text[: letters - 1].rstrip()}…"


def _frame(levels: Sequence[int], say: Say) -> Picture:
    said = [say(level) for level in levels]
    left = _round(max(map(len, said)) * LETTER + 8)
    heights = [_round(_height(level, levels[-1])) for level in levels]
    marks = (Mark(left - 5, height + TEXT / 3, text) for height, text in zip(heights, said, strict=True))
    return Picture(HEIGHT, left, WIDTH - EDGE, rules=tuple(heights), levels=tuple(marks))


def _with(
    frame: Picture, labels: Sequence[str], slot: float, *, bars: tuple[Bar, ...] = (), lines: tuple[Line, ...] = ()
) -> Picture:
    return Picture(
        frame.height, frame.left, frame.right, frame.rules, bars, lines, frame.levels, _below(frame, labels, slot)
    )


def _below(frame: Picture, labels: Sequence[str], slot: float) -> tuple[Mark, ...]:
    """As many labels as fit without touching; the last one, which is the newest, is always among them."""
    widest = max(map(len, labels), default=0) * LETTER + 12
    every = max(1, math.ceil(widest / slot))
    shown = [index for index in range(len(labels)) if (len(labels) - 1 - index) % every == 0]
    half = widest / 2 - 6 + EDGE  # letters of some typefaces are wider
    return tuple(
        Mark(
            _round(min(max(frame.left + slot * (index + 0.5), half), WIDTH - half)),
            HEIGHT - 5,
            labels[index],
        )
        for index in shown
    )


def _slot(frame: Picture, places: int) -> float:
    return (frame.right - frame.left) / max(places, 1)


def _height(value: int, highest: int) -> float:
    """Where a figure stands: the greatest at the top."""
    return HEIGHT - FOOT - (HEIGHT - FOOT - TOP) * value / highest


def _bar(x: float, y: float, width: float, height: float, series: int, index: int) -> Bar:
    return Bar(_round(x), _round(y), _round(width), _round(height), series, index)


def _round(length: float) -> float:
    return round(length, 2)


__all__ = ["Bar", "Line", "Mark", "Picture", "columns", "line", "meter", "rows", "shortened", "ticks"]
