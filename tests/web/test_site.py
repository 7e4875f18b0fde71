"""The list of pages (tests/support/site.py) is whole: no page of the product is forgotten by the checks that walk it."""

from __future__ import annotations

import re
from collections import Counter

from flask import Flask
from werkzeug.exceptions import NotFound

from tests.support.site import NO_PAGES, PLACES, Place

NUMBERS = (
    "option",
    "upload",
    "upload_whole",
    "partner",
    "colleague",
    "self",
    "pool",
    "quarantined",
    "assignment",
    "link",
    "view",
    "job_done",
    "job_failed",
    "job_going",
)
EXAMPLES = dict.fromkeys(NUMBERS, "1")
GUID = "00000000-0000-4000-8000-000000000000"


def endpoint_of(app: Flask, place: Place) -> str:
    """What answers at a place; empty where nothing does."""
    path = re.sub(r"{(\w+)}", lambda name: EXAMPLES.get(name[1], GUID), place.address.partition("?")[0])
    try:
        return str(app.url_map.bind("localhost").match(path, method="GET")[0])
    except NotFound:
        return ""


def pages(app: Flask) -> set[str]:
    """Every endpoint that a browser can open."""
    return {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())} - NO_PAGES


def test_b13_every_page_of_the_product_is_in_the_list(app: Flask) -> None:
    assert pages(app) - {endpoint_of(app, place) for place in PLACES} == set(), "add a line to tests/support/site.py"


def test_a_page_that_nobody_listed_is_noticed(app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "")
    assert pages(app) - {endpoint_of(app, place) for place in PLACES} == {"forgotten"}


def test_what_is_no_page_is_no_page(app: Flask) -> None:
    """An endpoint that left the product leaves the list of exceptions too."""
    assert {rule.endpoint for rule in app.url_map.iter_rules()} >= NO_PAGES


def test_places_have_names_of_their_own() -> None:
    assert [name for name, count in Counter(place.name for place in PLACES).items() if count > 1] == []
    assert [place.name for place in PLACES if not place.address.startswith("/")] == []
