"""Long work of a person, and of the operator for its admins: followed from anywhere, whether the page stays open or not."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for

from csp_web.blueprints.jobs import blueprint
from csp_web.db import transaction
from csp_web.domain.access.actors import refusal, require
from csp_web.domain.long_work import jobs
from csp_web.domain.long_work.exports import content_type
from csp_web.domain.long_work.job_files import store
from csp_web.domain.long_work.job_kinds import KINDS, STATES, STEPS, counted, counts, pace
from csp_web.errors import NotFound, Refused
from csp_web.i18n import gettext as _
from csp_web.models import Job, JobState
from csp_web.said import again
from csp_web.web.gate import current_actor, signed_in, unasked
from csp_web.web.ranges import FileChanged, file_response

BADGES = {
    JobState.QUEUED: "neutral",
    JobState.RUNNING: "info",
    JobState.DONE: "ok",
    JobState.FAILED: "danger",
    JobState.CANCELLED: "neutral",
}
SHOWN_ERRORS = 200
# Where work of a kind is started, to do it again or go on.
PLACES = {
    "import_keys": "admin.keys",
    "import_price_sheet": "admin.catalogue",
    "import_customers": "customers.import_sheet",
    "export_software": "software.everything",
    "make_backup": "admin.backups",
    "check_backup": "admin.backups",
    "rotate_keys": "admin.keys",
}


@blueprint.get("/jobs")
@signed_in
def index() -> str:
    """What is under way and what is over, newest first."""
    page = jobs.list_jobs(current_actor(), cursor=request.args.get("page"))
    return render_template(
        "jobs/index.html",
        page=page,
        kinds=KINDS,
        states=STATES,
        badges=BADGES,
        previous_url=page.previous and url_for(".index", page=page.previous),
        next_url=page.next and url_for(".index", page=page.next),
    )


@blueprint.get("/jobs/<int:job>")
@signed_in
def detail(job: Job) -> str:
    """One piece of work: how far it is, or what came of it."""
    return render_template("jobs/detail.html", **_told(job))


@blueprint.get("/jobs/<int:job>/progress")
@signed_in
@unasked
def progress(job: Job) -> str:
    """The part of its page that changes, asked for every second; what it says in the end asks no more."""
    return render_template("jobs/_state.html", **_told(job))


def _told(job: Job) -> dict[str, Any]:
    """What the page says. A finished one answers like any other: the part comes without what asks again."""
    kind, standing, actor = KINDS[job.kind], jobs.standing(job), current_actor()
    dry_run = bool(job.arguments.get("dry_run"))
    return {
        "job": job,
        "name": _(kind.name),
        "dry_run": dry_run,
        "lasting": kind.lasting,
        "state": _(STATES[job.state]),
        "badge": BADGES[job.state],
        "standing": standing,
        "step": _(STEPS[standing.step]) if standing.step else "",
        "counted": counted(job.kind, standing.done, standing.total),
        "pace": pace(job.kind, standing.done, standing.total, standing.seconds),
        "counts": counts(job.result),
        "errors": [again(each) for each in (job.result or {}).get("errors", [])[:SHOWN_ERRORS]],
        "error_count": (job.result or {}).get("error_count", 0),
        "may_import": jobs.may_import(job),
        "why_not": refusal(actor, kind.permission),
        "place": url_for(PLACES[job.kind]),
    }


@blueprint.route("/jobs/<int:job>/cancel", methods=["GET", "POST"])
@signed_in
def cancel(job: Job) -> Any:
    """Ask whether it is to be cancelled; cancel it. What it did so far is undone."""
    if request.method == "POST":
        if jobs.cancel(job, by=current_actor()):
            lasting = _("It is cancelled. What was done stays, and can be continued.")
            flash(lasting if KINDS[job.kind].lasting else _("It is cancelled. Nothing was changed."), "success")
        return redirect(url_for(".detail", job=job.id), 303)
    if not job.is_open:
        return redirect(url_for(".detail", job=job.id), 303)
    kind = KINDS[job.kind]
    return render_template("jobs/cancel.html", job=job, name=_(kind.name), lasting=kind.lasting)


@blueprint.post("/jobs/<int:job>/import")
@signed_in
def import_checked(job: Job) -> Any:
    """Import what was checked and found in order."""
    with transaction():
        number = jobs.start_checked(job, by=current_actor()).id
    return redirect(url_for(".detail", job=number), 303)


@blueprint.get("/jobs/<int:job>/file")
@signed_in
def file(job: Job) -> Response:
    """The file that came of it: for those who may see what is in it, stored nowhere on the way."""
    require(current_actor(), KINDS[job.kind].permission)
    if job.file_key is None or job.ended_at is None:
        raise NotFound
    try:
        return file_response(
            path=store().path(job.file_key),
            size=job.file_size,
            etag=job.file_sha256,
            last_modified=job.ended_at,
            download_name=job.file_name,
            content_type=content_type(job.file_name),
            environ=request.environ,
        )
    except FileChanged as error:
        raise Refused(_("This file is damaged on the server."), advice=_("Export it again.")) from error
