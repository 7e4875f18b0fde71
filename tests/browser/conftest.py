"""Every page in one look (``make test``) or in every one (``make axe``), and the table of what was looked at."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import pytest

from tests.browser.views import LANGUAGES, THEMES, views

LOOKED = "looked at"


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--every-look``: all themes, languages and widths of each page. Known when this folder is named."""
    parser.addoption("--every-look", action="store_true", help="each page in every theme, language and width")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test that asks for a ``view`` one per place."""
    if "view" in metafunc.fixturenames:
        every = bool(metafunc.config.getoption("every_look", default=False))
        chosen = views(every=every)
        if not every and metafunc.module.__name__.endswith(
            "test_zoom"
        ):  # one state of every other page; axe looks at all
            chosen = list({view.place.address.partition("?")[0]: view for view in chosen}.values())[::2]
        metafunc.parametrize("view", chosen, ids=[view.id for view in chosen])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """With every look: how many pages were looked at in each, and how many faults they had."""
    if not config.getoption("every_look", default=False):
        return
    seen: Counter[Any] = Counter()
    bad: Counter[Any] = Counter()
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        for name, (check, language, theme, width, faults) in report.user_properties:
            if name == LOOKED and report.when == "call":
                seen[check, language, theme, width] += 1
                bad[check, language, theme, width] += faults
    for check in sorted({key[0] for key in seen}):
        _write_table(terminalreporter, check, seen, bad)


def _write_table(terminalreporter: Any, check: str, seen: Counter[Any], bad: Counter[Any]) -> None:
    widths = sorted({key[3] for key in seen if key[0] == check})
    terminalreporter.section(f"{check}: faults / pages")
    terminalreporter.write_line(f"{'':24}" + "".join(f"{width:>14} px" for width in widths))
    for language, theme in product(LANGUAGES, THEMES):
        cells = [f"{bad[check, language, theme, width]} / {seen[check, language, theme, width]}" for width in widths]
        if any(seen[check, language, theme, width] for width in widths):
            terminalreporter.write_line(f"{language + ', ' + theme:24}" + "".join(f"{cell:>17}" for cell in cells))
