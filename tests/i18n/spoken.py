"""What an answer says: the texts of a page and of its attributes, and the forms that are on it. One pass, no tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
SILENT = frozenset({"script", "style"})
# Attributes that are shown or read out, now or by a script; of the others only those that hold sentences for scripts.
SAID = frozenset({"title", "alt", "placeholder", "label", "aria-label", "aria-description", "aria-valuetext"})
SHOWN_VALUES = frozenset({"text", "search", "email", "tel", "url", "number", "date", "submit", "reset", "button"})


@dataclass
class Form:
    """A form that is sent by POST: where to, what stands in its hidden fields, whether there is something to fill in."""

    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    has_fields: bool = False


class Spoken(HTMLParser):
    """What a page says to a reader of a language. Parts in a language of their own (``lang``) are not heard."""

    def __init__(self, page: str, language: str) -> None:
        super().__init__()
        self.language = language
        self.texts: set[str] = set()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._deaf: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._deaf or tag in SILENT or given.get("lang", self.language) != self.language:
            if tag not in VOID and (not self._deaf or tag == self._deaf[0]):
                self._deaf.append(tag)
            return
        self._note_form(tag, given)
        shown = tag == "input" and given.get("type", "text") in SHOWN_VALUES
        for name, value in given.items():
            if name in SAID or (name.startswith("data-") and " " in value) or (name == "value" and shown):
                self._hear(value)

    def _note_form(self, tag: str, given: dict[str, str]) -> None:
        if tag == "form":
            self._form = Form(given.get("action", "")) if given.get("method", "").lower() == "post" else None
            if self._form:
                self.forms.append(self._form)
        elif self._form and given.get("type") == "hidden":
            self._form.hidden[given.get("name", "")] = given.get("value", "")
        elif self._form and tag in {"input", "select", "textarea"}:
            self._form.has_fields = True

    def handle_endtag(self, tag: str) -> None:
        if self._deaf and tag == self._deaf[0]:
            self._deaf.pop()
        elif tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if not self._deaf:
            self._hear(data)

    def _hear(self, text: str) -> None:
        tidy = " ".join(text.split())
        if tidy:
            self.texts.add(tidy)
