"""The first steps on the dashboard: what is left to do, or the way into the tour; until done or dismissed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, g, redirect, request, url_for

from csp_web.blueprints.tour import blueprint
from csp_web.domain.figures.getting_started import Step, steps_for
from csp_web.domain.tour_world import is_demo
from csp_web.web.gate import current_actor, signed_in

DISMISSED = "csp_first_steps"
A_YEAR = 365 * 86_400


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What the dashboard shows before everything else: steps, or in a demo world the tour."""

    demo: bool
    steps: list[Step]


@blueprint.app_template_global("first_steps")
def first_steps() -> FirstSteps | None:
    """None once everything is done, or this person dismissed it in this browser."""
    actor = current_actor()
    if request.cookies.get(DISMISSED) == str(actor.id):
        return None
    if _in_demo_world():
        return FirstSteps(True, [])
    steps = steps_for(actor)
    return FirstSteps(False, steps) if any(not step.done for step in steps) else None


def _in_demo_world() -> bool:
    """Asked once per process: there is no index for it."""
    known: dict[str, bool] = current_app.extensions
    if "demo_world" not in known:
        known["demo_world"] = is_demo()
    return known["demo_world"]


@blueprint.post("/first-steps/dismissal")
@signed_in
def dismiss() -> Any:
    """Show them no more; the page of the tour still does."""
    answer: Any = redirect(url_for("home.dashboard"), 303)
    answer.set_cookie(
        DISMISSED,
        str(current_actor().id),
        max_age=A_YEAR,
        secure=g.settings.https,
        httponly=True,
        samesite="Lax",
    )
    return answer
