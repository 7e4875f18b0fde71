"""Cut Bootstrap down to what this product shows.

The first load has a budget of 60 KB (see docs). Bootstrap's full sheet takes half of it for components that need
Bootstrap's own scripts, which are not served, for colours that ``static/css/tokens.css`` defines for both themes, and for
classes that no template and no script ever says. Cutting happens once at start, on the file of the installed wheel, so
nothing third-party lies in the repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# A class whose name is one of these, or starts with one and a dash, is dropped with every rule that mentions it.
_DROPPED_COMPONENTS = (
    "accordion", "badge", "breadcrumb", "bs-popover", "bs-tooltip", "btn-check", "btn-close", "btn-dark", "btn-info",
    "btn-light", "btn-success", "btn-warning", "btn-outline-dark", "btn-outline-info", "btn-outline-light",
    "btn-outline-success", "btn-outline-warning", "btn-toolbar", "carousel", "collapse", "collapsing", "dropdown",
    "dropend", "dropstart", "dropup", "fade", "figure", "fixed", "float", "focus-ring", "form-floating", "form-range",
    "icon-link", "initialism", "link", "list-group-horizontal", "list-group-item-danger", "list-group-item-dark",
    "list-group-item-info", "list-group-item-light", "list-group-item-primary", "list-group-item-secondary",
    "list-group-item-success", "list-group-item-warning", "modal", "nav-pills", "nav-underline", "navbar", "object-fit",
    "offcanvas", "page", "pagination", "placeholder", "popover", "progress", "ratio", "spinner", "table-active",
    "table-danger", "table-dark", "table-info", "table-light", "table-primary", "table-secondary", "table-success",
    "table-warning", "text-bg", "toast", "tooltip", "vr", "alert-dark", "alert-light", "btn-group-vertical",
    "form-control-color", "form-control-plaintext", "font-monospace", "display", "lead", "stretched-link",
    "was-validated", "is-valid", "valid-feedback", "valid-tooltip", "invalid-tooltip",
)  # fmt: skip

# Colour utilities: Bootstrap's are fixed for one theme and fail contrast in the other; components.css has its own.
_DROPPED_COLOURS = re.compile(
    r"\.(?:text|bg|border|link)-(?:primary|secondary|success|info|warning|danger|light|dark|black|white|muted|opacity)"
)
_DROPPED_CLASS = re.compile(r"\.(?:" + "|".join(_DROPPED_COMPONENTS) + r")(?![a-z])")
_DARK = "[data-bs-theme=dark]"
# Above 1200 px the page has one width of its own, so the two widest breakpoints are never used.
_DROPPED_MEDIA = re.compile(r"@media \((?:min-width:1[24]00px|max-width:1(?:199|399)\.98px)\)")
_DROPPED_AT_RULES = ("@charset", "@keyframes")
_COMMA = re.compile(r",(?![^(]*\))")
_BANNER = re.compile(r"/\*!.*?\*/", re.DOTALL)
_WORD = re.compile(r"[A-Za-z][\w-]*")
_CLASS = re.compile(r"\.([A-Za-z][\w-]*)")
_NEGATION = re.compile(r":not\([^()]*\)")


@dataclass(frozen=True)
class Words:
    """Every word of templates and scripts: a class that is none of them is on no page.

    ``beginnings`` are those that a template completes: ``btn-`` of ``btn-{{ kind }}``.
    """

    whole: frozenset[str]
    beginnings: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Words:
        """The words of these texts."""
        found = {word for text in texts for word in _WORD.findall(text)}
        return cls(frozenset(found), tuple(sorted(word for word in found if word.endswith("-"))))

    def allow(self, selector: str) -> bool:
        """Whether all classes that a selector asks for may be on a page."""
        asked = _CLASS.findall(_NEGATION.sub("", selector))
        return all(name in self.whole or name.startswith(self.beginnings) for name in asked)


def trimmed(css: str, words: Words) -> str:
    """Bootstrap's minified sheet without the dropped parts, licence banner first."""
    banner = _BANNER.search(css)
    rules = _BANNER.sub("", css).replace('@charset "UTF-8";', "")
    return (banner.group() if banner else "") + _trim(rules, words)


def _trim(css: str, words: Words) -> str:
    return "".join(_kept(head, body, words) for head, body in _blocks(css))


def _blocks(css: str) -> Iterator[tuple[str, str]]:
    """Yield (selector or at-rule, body without its braces) of the outermost level."""
    depth = start = opened = 0
    for position, character in enumerate(css):
        if character == "{":
            opened = position if depth == 0 else opened
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                yield css[start:opened], css[opened + 1 : position]
                start = position + 1


def _kept(head: str, body: str, words: Words) -> str:
    if head.startswith(_DROPPED_AT_RULES) or _DROPPED_MEDIA.match(head):
        return ""
    if head.startswith("@"):
        inner = _trim(body, words)
        return f"{head}{{{inner}}}" if inner else ""
    selectors = [each for each in _COMMA.split(head) if _is_used(each) and words.allow(each)]
    return f"{','.join(selectors)}{{{body}}}" if selectors else ""


def _is_used(selector: str) -> bool:
    return not (_DARK in selector or _DROPPED_CLASS.search(selector) or _DROPPED_COLOURS.search(selector))
