"""A browser without JavaScript: it sees labels, links and buttons as a person does, and sends plain forms.

It works against the application itself or against a real server, so the same story is told to both.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse


class NotThere(AssertionError):
    """The page has no such label, link or button; the message shows what it says."""


@dataclass
class PlainBrowser:
    """One person's browser. Values that were filled in are kept until the next page."""

    client: FlaskClient
    address: str = "/"
    answer: TestResponse | None = None
    filled: dict[str, Any] = field(default_factory=dict)

    def open(self, address: str) -> PlainBrowser:
        """Go to an address and follow redirects."""
        return self._took(self.client.get(address, headers=self._referer()), address)

    @property
    def page(self) -> BeautifulSoup:
        """The page as it stands."""
        assert self.answer is not None, "no page is open"
        return BeautifulSoup(self.answer.get_data(as_text=True), "html.parser")

    @property
    def text(self) -> str:
        """What the page says, blanks folded."""
        return " ".join(self.page.get_text(" ").split())

    @property
    def heading(self) -> str:
        """The one h1."""
        headings = self.page.find_all("h1")
        assert len(headings) == 1, f"{self.address} has {len(headings)} h1"
        return " ".join(headings[0].get_text(" ").split())

    def follow(self, label: str) -> PlainBrowser:
        """Follow the first link that says this."""
        for link in self.page.find_all("a", href=True):
            if _says(link, label):
                return self.open(urljoin(self.address, str(link["href"])))
        raise NotThere(f"no link {label!r} on {self.address}: {self.text[:1500]}")

    def fill(self, label: str, value: Any) -> PlainBrowser:
        """Fill in or choose by the label that the field has; a select takes the words of an option."""
        control = self._control(label)
        name = str(control["name"])
        self.filled[name] = _option(control, value) if control.name == "select" else value
        return self

    def press(self, label: str, *, within: str = "") -> PlainBrowser:
        """Press the button that says this and send its form; ``within`` picks a part of the page by a text in it."""
        button = self._button(label, within)
        form = button.find_parent("form")
        if form is None:
            raise NotThere(f"the button {label!r} is in no form")
        values = self._values(form, button)
        address = urljoin(self.address, str(button.get("formaction") or form.get("action") or self.address))
        headers = self._referer()
        if str(form.get("method", "get")).lower() == "get":
            return self._took(self.client.get(address, query_string=values, headers=headers), address)
        return self._took(self.client.post(address, data=values, headers=headers), address)

    def _took(self, answer: TestResponse, address: str) -> PlainBrowser:
        self.answer, self.filled = answer, {}
        self.address = _path(urljoin(self.address, address))
        while self.answer.status_code in {301, 302, 303, 307, 308}:
            self.address = _path(urljoin(self.address, self.answer.headers["Location"]))
            self.answer = self.client.get(self.address, headers=self._referer())
        return self

    def _referer(self) -> dict[str, str]:
        return {"Referer": f"http://localhost{self.address}"}

    def _control(self, label: str) -> Tag:
        for found in self.page.find_all("label"):
            if _says(found, label):
                target = str(found.get("for") or "")
                control = self.page.find(id=target) if target else found.find(["input", "select", "textarea"])
                if isinstance(control, Tag):
                    return control
        raise NotThere(f"no field {label!r} on {self.address}: {self.text[:1500]}")

    def _button(self, label: str, within: str) -> Tag:
        for button in self.page.find_all(["button", "input"]):
            if button.name == "input" and button.get("type") not in {"submit", "image"}:
                continue
            if _says(button, label) and (not within or _is_within(button, within)):
                if button.get("aria-disabled") == "true" or button.has_attr("disabled"):
                    raise NotThere(f"the button {label!r} is disabled: {self.text[:1500]}")
                return button
        raise NotThere(f"no button {label!r} on {self.address}: {self.text[:2500]}")

    def _values(self, form: Tag, button: Tag) -> MultiDict[str, Any]:
        values: MultiDict[str, Any] = MultiDict()
        for control in form.find_all(["input", "select", "textarea"]):
            name = control.get("name")
            if not name or control.has_attr("disabled"):
                continue
            for value in self._value(control, str(name)):
                values.add(str(name), value)
        if button.get("name"):
            values.add(str(button["name"]), str(button.get("value", "")))
        return values

    def _value(self, control: Tag, name: str) -> list[Any]:
        kind = str(control.get("type", "text")) if control.name == "input" else control.name
        if kind in {"submit", "button", "image", "reset"}:
            return []
        if kind in {"checkbox", "radio"}:
            return self._ticked(control, name)
        if name in self.filled:
            given = self.filled[name]
            return [_upload(file) for file in given] if kind == "file" else [given]
        if kind == "file":
            return []
        return _standing(control, kind)

    def _ticked(self, control: Tag, name: str) -> list[str]:
        value = str(control.get("value", "on"))
        if name in self.filled:
            wanted = self.filled[name]
            return [value] if wanted is True or wanted == value or _labelled(self.page, control, wanted) else []
        return [value] if control.has_attr("checked") else []


def _says(tag: Tag, label: str) -> bool:
    shown = " ".join((tag.get_text(" ") or str(tag.get("value", ""))).split())
    return shown == label or str(tag.get("aria-label", "")) == label


def _is_within(tag: Tag, text: str) -> bool:
    """Whether the smallest part around a button that holds the text holds no other part of the same kind with it."""
    for parent in tag.parents:
        if parent.name in {"tr", "li", "article", "section", "fieldset", "form", "details"} and text in parent.get_text(
            " "
        ):
            return True
    return False


def _labelled(page: BeautifulSoup, control: Tag, wanted: Any) -> bool:
    label = page.find("label", attrs={"for": str(control.get("id"))})
    return isinstance(label, Tag) and _says(label, str(wanted))


def _option(select: Tag, words: Any) -> str:
    options = select.find_all("option")
    for option in options:
        shown = " ".join(option.get_text(" ").split())
        if words in (shown, option.get("value")):
            return str(option.get("value", shown))
    raise NotThere(f"no option {words!r} among {[o.get_text(' ').strip() for o in options][:60]}")


def _standing(control: Tag, kind: str) -> list[Any]:
    """What a control holds before anybody touched it."""
    if kind == "select":
        options = control.find_all("option")
        chosen = [option for option in options if option.has_attr("selected")] or options[:1]
        return [str(option.get("value", option.get_text())) for option in chosen]
    if kind == "textarea":
        return [control.get_text().removeprefix("\n")]
    return [str(control.get("value", ""))]


def _upload(file: tuple[str, bytes]) -> FileStorage:
    import io

    name, content = file
    return FileStorage(
        io.BytesIO(content), name, content_type=mimetypes.guess_type(name)[0] or "application/octet-stream"
    )


def _path(address: str) -> str:
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")
