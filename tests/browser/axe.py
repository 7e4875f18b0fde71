"""axe-core in an open page: what it holds against the page by WCAG 2.2 A and AA, and by its own best practices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axe_playwright_python.base import AXE_SCRIPT

if TYPE_CHECKING:
    from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
OPTIONS: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": TAGS},
    "resultTypes": ["violations"],
    "preload": False,
    "iframes": False,
}
RUN = """async (options) => {
    const { violations } = await axe.run(document, options);
    return violations.map(({ id, help, nodes }) => [id, help, nodes.map((node) => [node.target.join(" "), node.failureSummary])]);
}"""


def faults(page: Page) -> list[str]:
    """Every fault that axe finds: rule, part of the page, and what is wrong with it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(RUN, OPTIONS)
    return [
        f"{rule} ({meaning}) at {where}: {' '.join(why.split())}"
        for rule, meaning, nodes in found
        for where, why in nodes
    ]
