"""The tour: a page that lists its stops, a step to one of them, its end. Where somebody is stays in the cookie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import redirect, render_template, request, url_for
from flask import session as cookie

from csp_web.blueprints.tour import blueprint
from csp_web.blueprints.tour.stops import Stop, stops_for
from csp_web.domain.access.actors import refusal
from csp_web.domain.figures.getting_started import steps_for
from csp_web.domain.tour_world import sample
from csp_web.errors import NotFound
from csp_web.web.gate import actor_or_none, current_actor, signed_in
from csp_web.web.places import safe_next


@dataclass(frozen=True, slots=True)
class Box:
    """What a page of the tour says: which stop, of how many, what the person's role may not do, where it goes on."""

    stop: Stop
    number: int
    count: int
    refused: str
    here: bool
    missing: bool  # what the stop tells of is not there yet
    following: str


@blueprint.get("/tour")
@signed_in
def contents() -> str:
    """All stops for this person."""
    actor = current_actor()
    return render_template("tour/contents.html", stops=stops_for(actor), at=_at(), steps=steps_for(actor))


@blueprint.get("/tour/go")
@signed_in
def go() -> Any:
    """To a stop, by default the first one: nothing is changed but where the person is."""
    actor = current_actor()
    stops = stops_for(actor)
    wanted = request.args.get("to", stops[0].key if stops else "")
    stop = next((each for each in stops if each.key == wanted), None)
    if stop is None:
        raise NotFound
    found = sample(actor)
    address, missing = stop.address(found), bool(stop.shows) and not getattr(found, stop.shows)
    cookie["tour"] = {"at": stop.key, "path": urlsplit(address).path, "missing": missing}
    return redirect(address, 303)


@blueprint.post("/tour/end")
@signed_in
def end() -> Any:
    """End it, and stay where one is."""
    cookie.pop("tour", None)
    return redirect(safe_next(request.form.get("next")), 303)


@blueprint.app_template_global("tour_box")
def tour_box() -> Box | None:
    """What the page in hand says of the tour; None when none is under way. It asks nothing of the database."""
    actor = actor_or_none()
    if "tour" not in cookie or actor is None:
        return None
    stops = stops_for(actor)
    number = next((n for n, stop in enumerate(stops) if stop.key == _at()), None)
    if number is None:
        return None
    stop = stops[number]
    following = stops[number + 1].key if number + 1 < len(stops) else ""
    return Box(
        stop=stop,
        number=number + 1,
        count=len(stops),
        refused=refusal(actor, stop.acts) if stop.acts else "",
        here=request.path == cookie["tour"].get("path"),
        missing=bool(cookie["tour"].get("missing")),
        following=url_for("tour.go", to=following) if following else "",
    )


def _at() -> str:
    kept = cookie.get("tour")
    return str(kept.get("at", "")) if isinstance(kept, dict) else ""
