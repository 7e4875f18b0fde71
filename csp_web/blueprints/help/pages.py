"""Contents, one page per topic, the whole guide on one page for searching, and its pictures."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request, send_file

from csp_web.blueprints.help import blueprint
from csp_web.blueprints.help.guide import PICTURE_TYPE, Guide, guide, picture_path
from csp_web.errors import NotFound
from csp_web.i18n import language
from csp_web.web.gate import public, signed_in

A_DAY = 86_400


def spoken() -> Guide:
    """The guide in the reader's language."""
    return guide(g.settings.root, language())


@blueprint.get("/help")
@signed_in
def contents() -> str:
    """All topics with their tasks."""
    return render_template("help/contents.html", guide=spoken())


@blueprint.get("/help/all")
@signed_in
def everything() -> str:
    """The whole guide on one page, which browsers can search and print."""
    return render_template("help/everything.html", guide=spoken())


@blueprint.get("/help/<topic>")
@signed_in
def topic(topic: str) -> str:
    """One topic, with the one before and the one after it."""
    found = spoken()
    shown = found.topic(topic)
    if shown is None:
        raise NotFound
    place = found.topics.index(shown)
    return render_template(
        "help/topic.html",
        guide=found,
        topic=shown,
        before=found.topics[place - 1] if place else None,
        after=found.topics[place + 1] if place + 1 < len(found.topics) else None,
    )


@blueprint.get("/help/pictures/<any(en, ru):code>/<picture>")
@public
def picture(code: str, picture: str) -> Any:
    """A picture of the guide; it shows invented companies and is no secret."""
    path = picture_path(g.settings.root, f"{code}/{picture}")
    if path.suffix != ".webp" or path.name != picture or not path.is_file():
        raise NotFound
    answer = send_file(path, mimetype=PICTURE_TYPE, max_age=A_DAY, conditional=True)
    answer.make_conditional(request)
    return answer
