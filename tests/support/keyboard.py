"""A person with a keyboard and nothing else: no mouse, no touch, no focus that a script of the test sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import FileChooser, Locator, Page

MOST_STEPS = 400
# Whether the focus is on this element; and what is wrong with how the focus shows (WCAG 2.4.7, 2.4.11), wherever it is.
# The browser scrolls to it with one of the next frames.
FOCUS = """async (wanted) => {
    const fault = (active) => {
        if (active.tabIndex < 0) return "";  // a part that a script brought in: read out, but nothing to be worked
        const name = `${active.tagName} ${active.id || active.textContent.trim().slice(0, 40)}`;
        const style = getComputedStyle(active), lines = [...active.getClientRects()], steps = [0.1, 0.5, 0.9];
        if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return `${name}: no outline`;
        const across = ({ left, top, width, height }) =>
            steps.flatMap((x) => steps.map((y) => [left + x * width, top + y * height]));
        const points = lines.flatMap(across);
        const hidden = points.filter(([x, y]) => {
            const top = document.elementFromPoint(x, y);
            return !top || !(active.contains(top) || (top.contains(active) && top.matches("label, a, button, summary")));
        });
        if (hidden.length <= points.length / 2) return "";
        const [x, y] = hidden[0];
        const by = document.elementFromPoint(x, y);
        const what = by ? `${by.tagName} ${by.id || by.className}` : "the window's edge";
        return `${name}: ${hidden.length} of ${points.length} points are covered by ${what}, at ${x}, ${y}`;
    };
    for (let frame = 0; ; frame += 1) {
        const active = document.activeElement;
        if (!active || active === document.body) return [false, ""];
        const found = fault(active);
        if (!found || frame === 60) return [active === wanted, found];
        await new Promise(requestAnimationFrame);
    }
}"""


@dataclass
class Keyboard:
    """One page, worked by keys. Every element that takes the focus on the way has to show it and not to be covered."""

    page: Page

    def to(self, target: Locator, *, key: str = "Tab") -> Keyboard:
        """Press Tab (or Shift+Tab) until the focus is there; fails when it never comes, or cannot be seen on its way."""
        expect(target).to_be_visible()
        for _step in range(MOST_STEPS):
            there, fault = target.evaluate(FOCUS)  # looked for each time: a part of the page may be replaced meanwhile
            assert not fault, f"{self.page.url}: {fault}"
            if there:
                return self
            self.page.keyboard.press(key)
        raise AssertionError(f"{self.page.url}: {key} never comes to {target}")

    def press(self, target: Locator, key: str = "Enter") -> None:
        """Go to a link or button and press it."""
        self.to(target)
        self.page.keyboard.press(key)

    def follow(self, name: str) -> None:
        """Follow the first link that says this."""
        self.press(self.page.get_by_role("link", name=name, exact=True).first)

    def button(self, name: str, key: str = "Enter") -> None:
        """Press the first button that says this."""
        self.press(self.page.get_by_role("button", name=name, exact=True).first, key)

    def type(self, label: str, words: str) -> None:
        """Go to a field, replace what stands in it."""
        field = self.page.get_by_label(label, exact=True).first
        self.to(field)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(words)
        expect(field).to_have_value(words)

    def choose(self, label: str, option: str) -> None:
        """Go to a choice and press the arrow until it says this; the page may change with every step."""
        field = self.page.get_by_label(label, exact=True).first
        self.to(field)
        options = [" ".join(text.split()) for text in field.locator("option").all_inner_texts()]
        now = field.evaluate("(choice) => choice.selectedIndex")
        steps = options.index(option) - now
        for _step in range(abs(steps)):
            self.page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
        expect(field.locator("option:checked")).to_have_text(option)

    def attach(self, label: str, *files: str) -> None:
        """Press Enter on a field for files; the window that opens is the system's own."""
        field = self.page.get_by_label(label, exact=True).first
        self.to(field)
        opened: list[FileChooser] = []
        self.page.once("filechooser", lambda chooser: opened.append(chooser))  # noqa: PLW0108 -- a builtin is not taken
        self.page.keyboard.press("Enter")
        if not opened:  # a browser that was busy takes the key and opens nothing: a person presses again
            self.page.wait_for_timeout(1000)
        if not opened:
            self.to(field)
            self.page.keyboard.press("Space")
            self.page.wait_for_timeout(2000)
        assert opened, "no window for files opens"
        opened[0].set_files(list(files))
