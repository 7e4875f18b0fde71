"""htmx at the edge: when a fragment is wanted, where its refusals go, and what a request has to say beside its fragment."""

from __future__ import annotations

from flask import Flask, Response, get_flashed_messages, make_response, render_template, request
from flask import session as cookie

# Refusals are shown beside the page's other messages, whatever part of the page asked.
TO_MESSAGES = {"HX-Retarget": "#messages", "HX-Reswap": "beforeend", "HX-Reselect": "[data-message]"}
SHOWN = frozenset({200, 422})


def wants_fragment() -> bool:
    """Whether the browser will put the answer into a part of its page: not when boosted, not when restoring history."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def go_to(address: str) -> Response:
    """Make the whole page go elsewhere, from a fragment request."""
    return Response(status=204, headers={"HX-Redirect": address})


def refusal(template: str, status: int, **values: object) -> Response:
    """A message instead of the fragment: the page keeps what it shows and what was typed into it."""
    return make_response(render_template(template, **values), status, TO_MESSAGES)


def init_htmx(app: Flask) -> None:
    """Let every fragment carry what was flashed, as toasts; and let templates know that they are parts."""
    app.after_request(_add_flashed)
    app.context_processor(lambda: {"is_part": wants_fragment()})


def _add_flashed(response: Response) -> Response:
    if "_flashes" not in cookie or response.status_code not in SHOWN or response.mimetype != "text/html":
        return response
    if wants_fragment():
        flashed = get_flashed_messages(with_categories=True)
        response.set_data(response.get_data() + render_template("shared/_toast.html", flashed=flashed).encode())
    return response
