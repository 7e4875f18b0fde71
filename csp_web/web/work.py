"""The mark in the bar of every page while work of the person is under way."""

from __future__ import annotations

from flask import Flask, url_for

from csp_web.domain.long_work.jobs import under_way
from csp_web.i18n import ngettext
from csp_web.web.gate import actor_or_none


def init_work(app: Flask) -> None:
    """Teach the templates. Who has nothing under way costs a look for a file, and no statement."""
    app.jinja_env.globals["work_under_way"] = work_under_way


def work_under_way() -> tuple[str, str] | None:
    """Address and words of the person's work that is not over yet."""
    actor = actor_or_none()
    found = under_way(actor.id) if actor is not None else ()
    if not found:
        return None
    where = url_for("jobs.detail", job=found[0].id) if len(found) == 1 else url_for("jobs.index")
    return where, ngettext("%(num)s thing under way", "%(num)s things under way", len(found))
