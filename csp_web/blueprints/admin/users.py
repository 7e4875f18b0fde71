"""People of all organisations; each is changed on the page that the partner's own admin agent uses too."""

from __future__ import annotations

from flask import render_template, request, url_for

from csp_web.blueprints.admin import blueprint
from csp_web.domain.access.people_listing import list_people, partner_names
from csp_web.web.gate import needs


@blueprint.get("/admin/users")
@needs("operator.manage")
def users() -> str:
    """People by e-mail address, of one organisation or of all, with search."""
    text = request.args.get("q", "")[:200].strip()
    number = request.args.get("partner", "")
    partner_id = int(number) if number.isdecimal() and len(number) < 19 else None
    people = list_people(partner_id=partner_id, text=text, cursor=request.args.get("page"))

    def address(cursor: str | None) -> str | None:
        return url_for(".users", q=text or None, partner=partner_id, page=cursor) if cursor else None

    return render_template(
        "admin/users.html",
        people=people,
        partners=partner_names(),
        partner_id=partner_id,
        text=text,
        previous_url=address(people.page.previous),
        next_url=address(people.page.next),
    )
