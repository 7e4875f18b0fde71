"""htmx at the edge: when a fragment is wanted, and how to send the browser elsewhere."""

from __future__ import annotations

from flask import Response, request


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


def vary(response: Response) -> Response:
    """Tell caches that the same address has two bodies; a fragment is never stored."""
    response.vary.add("HX-Request")
    return response
