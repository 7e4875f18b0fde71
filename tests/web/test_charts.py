"""Where the parts of a picture go: inside the drawing, in proportion, texts apart from one another (B5)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp_web.web.charts import HEIGHT, LETTER, WIDTH, Picture, columns, line, meter, rows, shortened, ticks

pytestmark = pytest.mark.one_database

figures = st.integers(min_value=0, max_value=10**13)


@st.composite
def several(draw: st.DrawFn) -> tuple[list[list[int]], list[str]]:
    """Series of one length, and a label for every place."""
    places = draw(st.integers(min_value=1, max_value=40))
    row = st.lists(figures, min_size=places, max_size=places)
    series = draw(st.lists(row, min_size=1, max_size=4))
    return series, draw(st.lists(st.text("a1 ", max_size=12), min_size=places, max_size=places))


def inside(picture: Picture) -> bool:
    bars = all(
        bar.x >= 0 and bar.y >= 0 and bar.x + bar.width <= WIDTH + 0.1 and bar.y + bar.height <= picture.height + 0.1
        for bar in picture.bars
    )
    return bars and all(0 <= mark.x <= WIDTH and 0 <= mark.y <= picture.height for mark in picture.labels)


@given(figures)
def test_levels_are_round_even_and_hold_the_greatest_figure(highest: int) -> None:
    levels = ticks(highest)
    step = levels[1]
    assert levels[0] == 0
    assert levels[-1] >= highest > levels[-1] - step or levels == (0, 1)
    assert {after - before for before, after in pairwise(levels)} == {step}
    assert str(step).rstrip("0") in {"1", "2", "5"}
    assert len(levels) <= 5


@given(several())
def test_standing_bars_are_as_high_as_their_figures(given_figures: tuple[list[list[int]], list[str]]) -> None:
    series, labels = given_figures
    picture = columns(series, labels, str)
    highest = ticks(max(map(max, series)))[-1]
    unit = (picture.rules[0] - picture.rules[-1]) / highest
    drawn = {(bar.series, bar.index): bar.height for bar in picture.bars}
    for number, row in enumerate(series):
        for index, value in enumerate(row):
            assert drawn.get((number, index), 0) == pytest.approx(value * unit, abs=0.02)
    assert inside(picture)


@given(several())
def test_stacked_bars_stand_upon_one_another(given_figures: tuple[list[list[int]], list[str]]) -> None:
    series, labels = given_figures
    picture = columns(series, labels, str, stacked=True)
    for index in range(len(labels)):
        foot = HEIGHT - 20.0
        for bar in sorted((bar for bar in picture.bars if bar.index == index), key=lambda bar: bar.series):
            assert bar.y + bar.height == pytest.approx(foot, abs=0.05)
            foot = bar.y
    assert inside(picture)


@given(several())
def test_lying_bars_are_in_proportion_and_their_sums_are_said(
    given_figures: tuple[list[list[int]], list[str]],
) -> None:
    series, labels = given_figures
    picture = rows(series, labels, str)
    sums = [sum(parts) for parts in zip(*series, strict=True)]
    assert [mark.text for mark in picture.figures] == [str(value) for value in sums]
    for index, value in enumerate(sums):
        length = sum(bar.width for bar in picture.bars if bar.index == index)
        assert length == pytest.approx((WIDTH - 8) * value / max([*sums, 1]), abs=0.05)
    assert inside(picture)


@given(several())
def test_lines_have_a_dot_per_figure_and_run_from_left_to_right(
    given_figures: tuple[list[list[int]], list[str]],
) -> None:
    series, labels = given_figures
    for drawn, row in zip(line(series, labels, str).lines, series, strict=True):
        assert len(drawn.dots) == len(row) == len(drawn.points.split())
        assert all(left[0] <= right[0] for left, right in pairwise(drawn.dots))
        assert all(0 <= y <= HEIGHT for _x, y in drawn.dots)


@given(several())
def test_labels_do_not_touch_and_the_newest_is_there(given_figures: tuple[list[list[int]], list[str]]) -> None:
    series, labels = given_figures
    marks = columns(series, labels, str).labels
    assert marks[-1].text == labels[-1]
    for before, after in pairwise(marks):
        assert before.x + len(before.text) * LETTER / 2 <= after.x - len(after.text) * LETTER / 2 + 0.1


@given(st.integers(-5, 10**6), st.integers(-5, 10**6))
def test_a_meter_is_between_empty_and_full(value: int, whole: int) -> None:
    full = meter(value, whole)
    assert 0 <= full <= 100
    if 0 < value < whole:
        assert full == pytest.approx(100 * value / whole, abs=0.01)


def test_nothing_at_all_is_drawn_as_an_empty_frame() -> None:
    assert columns([[0, 0]], ["a", "b"], str).bars == ()
    assert rows([[]], [], str).bars == ()
    assert [mark.text for mark in columns([[0]], ["a"], str).levels] == ["0", "1"]


def test_a_text_too_long_is_cut_with_an_ellipsis() -> None:
    assert shortened("Windows Server 2025 Datacenter", 20 * LETTER) == "Windows Server 2025…"
    assert shortened("short", 20 * LETTER) == "short"
