"""The user guide, read from ``docs/users/<language>.md`` and made into pages once per process.

The file is Markdown that any viewer shows. Every topic (``##``) and task (``###``) has an anchor of its own on the line
above its heading, the same in all languages, so that pages of the product can point at it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

_SECTION = re.compile(r'^<a id="([a-z0-9-]+)"></a>\n+(##|###) (.+)\n', re.MULTILINE)
_OTHER_LANGUAGE = re.compile(r"^\[[^\]]+\]\((?:en|ru)\.md\)\s*", re.MULTILINE)
_PICTURES = "../pictures/"
PICTURE_TYPE = "image/webp"


@dataclass(frozen=True, slots=True)
class Task:
    """A part of a topic: one thing that somebody wants to do."""

    anchor: str
    title: str
    body: Markup


@dataclass(frozen=True, slots=True)
class Topic:
    """A page of the guide."""

    anchor: str
    title: str
    body: Markup
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """The guide in one language. ``topic_of`` says on which page an anchor is."""

    intro: Markup
    topics: tuple[Topic, ...]
    topic_of: dict[str, str]

    def topic(self, anchor: str) -> Topic | None:
        """The page with this name."""
        return next((topic for topic in self.topics if topic.anchor == anchor), None)


@lru_cache
def guide(root: Path, language: str) -> Guide:
    """The guide of a language; in English where there is none."""
    path = root / "docs" / "users" / f"{language}.md"
    text = (path if path.exists() else path.with_name("en.md")).read_text(encoding="utf-8")
    return _made(text, root)


def _made(text: str, root: Path) -> Guide:
    parts = _SECTION.split(_OTHER_LANGUAGE.sub("", text))
    sections = list(zip(parts[1::4], parts[2::4], parts[3::4], parts[4::4], strict=True))
    topic_of = dict(_places(sections))
    written = _Writer(topic_of, root)
    topics: list[Topic] = []
    for anchor, level, title, body in sections:
        if level == "##":
            topics.append(Topic(anchor, title, written.html(body), ()))
        else:
            last = topics[-1]
            task = Task(anchor, title, written.html(body))
            topics[-1] = Topic(last.anchor, last.title, last.body, (*last.tasks, task))
    intro = re.sub(r"^# .+\n", "", parts[0], count=1, flags=re.MULTILINE)
    return Guide(written.html(intro), tuple(topics), topic_of)


def _places(sections: list[tuple[str, str, str, str]]) -> Iterator[tuple[str, str]]:
    topic = ""
    for anchor, level, _title, _body in sections:
        topic = anchor if level == "##" else topic
        yield anchor, topic


class _Writer:
    """Makes Markdown into HTML. What HTML there is in the text is shown as text; links and pictures stay in the product."""

    def __init__(self, topic_of: dict[str, str], root: Path) -> None:
        self._topic_of = topic_of
        self._root = root
        self._parser = MarkdownIt("commonmark", {"html": False}).enable("table")
        self._parser.add_render_rule("image", _folded_picture)

    def html(self, text: str) -> Markup:
        """The text as HTML. Markup is right here: the parser escapes everything, and the text is ours, from the checkout."""
        tokens = self._parser.parse(text)
        for place, block in enumerate(tokens):
            for token in block.children or ():
                self._place(token)
            if block.children and [token.type for token in block.children] == ["image"]:
                tokens[place - 1].hidden = tokens[place + 1].hidden = True  # no paragraph around a folded picture
        return Markup(self._parser.renderer.render(tokens, self._parser.options, {}))  # noqa: S704 -- see above

    def _place(self, token: Token) -> None:
        if token.type == "link_open":
            anchor = str(token.attrGet("href") or "").removeprefix("#")
            if anchor in self._topic_of:
                token.attrSet("href", address_of(anchor, self._topic_of))
        if token.type == "image":
            name = str(token.attrGet("src") or "").removeprefix(_PICTURES)
            token.attrSet("src", f"/help/pictures/{name}")
            token.attrSet("loading", "lazy")
            for side, pixels in zip(("width", "height"), picture_size(self._root, name), strict=True):
                token.attrSet(side, str(pixels))


def _folded_picture(
    renderer: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: EnvType
) -> str:
    """A picture that is loaded when it is unfolded: the text alone is read in a moment, on the slowest line too."""
    drawn = renderer.image(tokens, place, options, env)
    return f'<details class="picture"><summary>{escape(tokens[place].content)}</summary>{drawn}</details>'


def address_of(anchor: str, topic_of: dict[str, str]) -> str:
    """Where an anchor is inside the product."""
    topic = topic_of[anchor]
    return f"/help/{topic}" if topic == anchor else f"/help/{topic}#{anchor}"


def picture_path(root: Path, name: str) -> Path:
    """Where a picture lies, ``name`` being like "en/01-customers.webp"."""
    return root / "docs" / "pictures" / name


def picture_size(root: Path, name: str) -> tuple[int, int]:
    """Width and height of a picture, so that a page does not jump while it loads.

    A WebP made by a browser begins with a frame of VP8, which holds both as 14 bits at a fixed place.
    """
    head = picture_path(root, name).read_bytes()[:30]
    if head[8:16] == b"WEBPVP8X":
        return (int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1)
    if head[8:16] == b"WEBPVP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError(f"{name} is not a picture that a browser made")
