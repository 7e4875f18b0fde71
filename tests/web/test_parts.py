"""Shared parts of pages: what screen readers hear, what is never hidden, what htmx is told."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, flash, render_template, render_template_string
from jinja2 import StrictUndefined
from wtforms import BooleanField, FileField, Form, HiddenField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from csp_web.web.assets import init_assets
from csp_web.web.filters import init_filters
from csp_web.web.gate import csrf
from csp_web.web.themes import init_themes

ROOT = Path(__file__).resolve().parents[2]
# WTForms takes plain words; its published types do not know that yet.
COUNTRIES: Any = ["Germany"]
IMPACTS: Any = ["Critical", "Minimal"]
APPENDIX_E = {
    "allowEval": False,
    "includeIndicatorStyles": False,
    "allowScriptTags": False,
    "selfRequestsOnly": True,
    "historyCacheSize": 0,
}


class Order(Form):
    """A form with every kind of control."""

    token = HiddenField(default="kept")
    name = StringField("Name", [InputRequired("Say the name."), Length(max=5)], description="As on the paper.")
    country = SelectField("Country", choices=COUNTRIES)
    impact = RadioField("Impact", [InputRequired("Choose one.")], choices=IMPACTS)
    agreed = BooleanField("Agreed")
    files = FileField("Add files")


@pytest.fixture(scope="module")
def site() -> Flask:
    """Templates, texts and assets; no database, no session."""
    app = Flask("parts", root_path=str(ROOT), static_folder=None)
    app.secret_key = "for this test"
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.jinja_env.undefined = StrictUndefined
    csrf.init_app(app)
    init_filters(app)
    init_themes(app)
    app.jinja_env.globals.update(tour_box=lambda: None, work_under_way=lambda: None)  # they ask the database
    init_assets(app, ROOT / "static")
    app.context_processor(lambda: {"site_name": "CSP Web"})
    return app


def _say(site: Flask, source: str, **values: Any) -> str:
    parts = ["forms", "buttons", "tables", "time", "page", "badges", "messages"]
    imports = "".join(f"{{% import 'shared/{part}.html' as {part} %}}" for part in parts)
    with site.test_request_context("/here"):
        return render_template_string(imports + source, **values)


def _refused_form() -> Order:
    form = Order(data={"name": "", "country": "Germany"})
    form.validate()
    return form


def test_a_field_is_tied_to_its_hint_and_error(site: Flask) -> None:
    html = _say(site, "{{ forms.field(form.name, autocomplete='organization') }}", form=_refused_form())
    assert '<label for="name" class="required">Name</label>' in html
    assert 'aria-describedby="name-hint name-error"' in html
    assert 'id="name-hint">As on the paper.<' in html
    assert 'id="name-error"' in html
    assert "Say the name." in html
    assert 'aria-invalid="true"' in html
    assert 'autocomplete="organization"' in html


def test_a_browser_never_cuts_what_is_pasted(site: Flask) -> None:
    """Too long a text comes back whole with a sentence; maxlength would lose its end without a word."""
    assert "maxlength" not in _say(site, "{{ forms.field(form.name) }}", form=Order())


def test_a_field_without_errors_says_nothing_of_them(site: Flask) -> None:
    html = _say(site, "{{ forms.field(form.country) }}", form=Order())
    assert "aria-invalid" not in html
    assert "aria-describedby" not in html
    assert 'class="form-select"' in html


def test_radio_buttons_are_a_group_with_a_legend(site: Flask) -> None:
    html = _say(site, "{{ forms.field(form.impact) }}", form=_refused_form())
    assert '<fieldset class="field " id="impact" aria-describedby="impact-error">' in html
    assert '<legend class="required">Impact</legend>' in html
    assert html.count('type="radio"') == 2
    assert '<label for="impact-0">Critical</label>' in html


def test_d13_a_file_input_states_its_limits(site: Flask) -> None:
    html = _say(site, "{{ forms.field(form.files, limits=(10, 25, 100)) }}", form=Order())
    assert "Up to 10 files, 25 MiB each, 100 MiB together." in html
    assert 'aria-describedby="files-hint"' in html


def test_the_summary_links_to_every_field_in_question(site: Flask) -> None:
    html = _say(site, "{{ forms.error_summary(form) }}", form=_refused_form())
    assert 'tabindex="-1" role="alert"' in html
    assert '<a href="#name">Name</a>: Say the name.' in html
    assert '<a href="#impact-0">Impact</a>: Choose one.' in html


def test_the_summary_names_what_belongs_to_no_field(site: Flask) -> None:
    form = Order()
    form.form_errors.append("The order is closed.")
    assert "<li>The order is closed.</li>" in _say(site, "{{ forms.error_summary(form) }}", form=form)


def test_a_form_without_errors_has_no_summary(site: Flask) -> None:
    assert "error-summary" not in _say(site, "{{ forms.error_summary(form) }}", form=Order())


def test_a_form_that_posts_carries_the_token_and_one_that_gets_does_not(site: Flask) -> None:
    source = "{% call forms.form('/x', method=method) %}{{ forms.hidden_fields(form) }}{% endcall %}"
    posted = _say(site, source, form=Order(), method="post")
    assert posted.count('name="csrf_token"') == 1
    assert 'name="token"' in posted
    assert "csrf_token" not in _say(site, source, form=Order(), method="get")


@pytest.mark.parametrize(
    "part",
    [
        "{{ forms.submit('Cancel', disabled_reason=why) }}",
        "{{ buttons.link_button('/go', 'Cancel', disabled_reason=why) }}",
        "{{ buttons.post_button('/go', 'Cancel', disabled_reason=why) }}",
    ],
)
def test_b6_a_refused_act_stays_visible_with_its_reason_and_cannot_be_sent(site: Flask, part: str) -> None:
    html = _say(site, part, why="It ended on 3 May 2026.")
    tied = re.search(r'type="button" aria-disabled="true" aria-describedby="([^"]+)"', html)
    assert tied is not None
    assert f'<span class="reason" id="{tied[1]}">It ended on 3 May 2026.</span>' in html
    for way_out in ("<form", "href", 'type="submit"'):
        assert way_out not in html


def test_what_people_typed_is_escaped(site: Flask) -> None:
    hostile = '"><script>alert(1)</script>'
    html = _say(
        site,
        "{{ tables.cell(t, t) }}{{ tables.row_head(t, '/x', t) }}{{ badges.badge('ok', t) }}{{ page.facts([(t, t)]) }}"
        "{{ buttons.copy_field('a', t, t) }}{{ buttons.refused(t, t) }}{{ messages.message('ok', t) }}",
        t=hostile,
    )
    assert "<script" not in html
    assert '">' + hostile not in html


def test_cells_carry_their_label_for_the_phone(site: Flask) -> None:
    html = _say(
        site, "{% call tables.table(['A', ('B', 'num')], 'All') %}{{ tables.cell('B', 7, 'num') }}{% endcall %}"
    )
    assert '<td data-label="B" class="num"><span>7</span></td>' in html
    assert '<th scope="col" class="num">B</th>' in html
    assert '<caption class="visually-hidden">All</caption>' in html


def test_d1_an_instant_is_shown_in_the_users_zone_and_in_utc(site: Flask) -> None:
    html = _say(site, "{{ time.moment(at) }}", at=datetime(2026, 5, 3, 10, 0, tzinfo=UTC))
    assert '<time datetime="2026-05-03T10:00:00+00:00" title="2026-05-03 10:00:00 UTC">3 May 2026, 10:00' in html


def test_a_pager_without_other_pages_is_not_shown(site: Flask) -> None:
    assert "<nav" not in _say(site, "{{ tables.pager() }}")
    assert 'rel="next" href="/x?after=1"' in _say(site, "{{ tables.pager(none, '/x?after=1') }}")


def test_a_page_tells_htmx_what_the_policy_demands(site: Flask) -> None:
    """Appendix E to the letter; refusals with a form (409, 422) are swapped, every other error goes to the messages."""
    config = json.loads((ROOT / "templates/layouts/_htmx.json").read_text())
    handling = {rule["code"]: rule for rule in config.pop("responseHandling")}
    assert config == APPENDIX_E
    assert handling["409|422"] == {"code": "409|422", "swap": True}
    assert handling["[45].."]["target"] == "#messages"
    assert list(handling)[-1] == "[45].."


def test_a_page_stands_without_any_optional_variable(site: Flask) -> None:
    with site.test_request_context("/here"):
        html = render_template_string(
            '{% extends "layouts/base.html" %}{% block heading %}Customers{% endblock %}{% block content %}{% endblock %}'
        )
    assert "<title>Customers · CSP Web</title>" in html
    assert html.count("<h1>") == 1
    assert '<html lang="en">' in html


def test_messages_are_announced_by_their_weight(site: Flask) -> None:
    with site.test_request_context("/here"):
        flash("Saved.", "success")
        flash("Refused.", "error")
        html = render_template_string('{% extends "layouts/plain.html" %}{% block heading %}x{% endblock %}')
    assert 'class="message message-ok" role="status"' in html
    assert 'class="message message-danger" role="alert"' in html


@pytest.mark.parametrize("code", [400, 403, 404, 405, 409, 413, 422, 429, 500, 503, 507])
@pytest.mark.parametrize("template", ["errors/error.html", "errors/_error.html"])
def test_an_error_says_what_happened_and_what_to_do(site: Flask, code: int, template: str) -> None:
    values = {
        "title": "Not now",
        "sentence": "It failed.",
        "advice": "Try later.",
        "request_id": "8f3c",
        "home_url": "/",
    }
    with site.test_request_context("/here"):
        html = render_template(template, code=code, **values)
    assert "It failed." in html
    assert "Try later." in html
    assert ("8f3c" in html) == (code >= 500 or template == "errors/error.html")


def test_news_are_toasts_and_what_needs_attention_stays_in_the_page(site: Flask) -> None:
    with site.test_request_context("/here"):
        news = render_template("shared/_toast.html", flashed=[("success", "Renewed.")])
        trouble = render_template("shared/_toast.html", flashed=[("warning", "No key in stock.")])
    assert 'hx-swap-oob="beforeend:#toasts"' in news
    assert "data-toast" in news
    assert 'hx-swap-oob="beforeend:#messages"' in trouble
    assert "data-toast" not in trouble
