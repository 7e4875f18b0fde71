"""Backups in the data directory: made, checked, fetched, deleted. None that holds secrets leaves by the browser (D11)."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for

from csp_web.blueprints.admin import blueprint
from csp_web.db import now, transaction
from csp_web.domain.long_work import jobs
from csp_web.domain.upkeep import backups
from csp_web.errors import Refused
from csp_web.i18n import gettext as _
from csp_web.web.gate import current_actor, needs
from csp_web.web.ranges import FileChanged, file_response


@blueprint.get("/admin/backups", endpoint="backups")
@needs("operator.manage")
def index() -> str:
    """The backups that there are, and a button for one more."""
    actor = current_actor()
    found = backups.list_backups(by=actor)
    return render_template(
        "admin/backups.html",
        backups=[(each, _why_not_download(each)) for each in found],
        folder=backups.folder(),
        why_not_make=" ".join(jobs.why_not_start("make_backup", by=actor)),
        why_not_check=" ".join(jobs.why_not_start("check_backup", by=actor)),
    )


def _why_not_download(backup: backups.Backup) -> str:
    """Why a backup is not given out here (B6)."""
    if backup.problem:
        return _("It cannot be read, so nobody knows whether it holds secrets. Copy it on the server.")
    if not backup.with_secrets:
        return ""
    return _("It holds the secrets of product keys. Copy it on the server, and keep it like the keys themselves.")


@blueprint.post("/admin/backups")
@needs("operator.manage")
def make_backup() -> Any:
    """Have one made."""
    name = backups.new_name(now())
    with transaction():
        number = jobs.start("make_backup", by=current_actor(), subject=name, arguments={"name": name}).id
    return redirect(url_for("jobs.detail", job=number), 303)


@blueprint.post("/admin/backups/<string:name>/check")
@needs("operator.manage")
def check_backup(name: str) -> Any:
    """Have one read whole."""
    actor = current_actor()
    backup = backups.find_backup(name, by=actor)
    with transaction():
        number = jobs.start("check_backup", by=actor, subject=backup.name, arguments={"name": backup.name}).id
    return redirect(url_for("jobs.detail", job=number), 303)


@blueprint.get("/admin/backups/<string:name>/file")
@needs("operator.manage")
def download_backup(name: str) -> Response:
    """The bytes of one, or a part of them; the log says who fetched it, at every try: a part may be nearly all."""
    actor = current_actor()
    backup = backups.find_backup(name, by=actor)
    if reason := _why_not_download(backup):
        raise Refused(reason)
    if request.method == "GET":
        with transaction():
            backups.record_download(backup.name, by=actor)
    path = backups.folder() / backup.name
    try:
        return file_response(
            path=path,
            size=backup.size,
            etag=hashlib.sha256(f"{backup.name} {backup.size} {backup.made_at}".encode()).hexdigest(),
            last_modified=backup.made_at,
            download_name=backup.name,
            content_type="application/x-tar",
            environ=request.environ,
        )
    except FileChanged as error:
        raise Refused(_("This file is damaged on the server."), advice=_("Make another backup.")) from error


@blueprint.route("/admin/backups/<string:name>/deletion", methods=["GET", "POST"])
@needs("operator.manage")
def delete_backup(name: str) -> Any:
    """Ask, then delete one."""
    actor = current_actor()
    backup = backups.find_backup(name, by=actor)
    if request.method == "POST":
        backups.delete_backup(backup.name, by=actor)
        flash(_("%(name)s is deleted.", name=backup.name), "success")
        return redirect(url_for(".backups"), 303)
    return render_template("admin/backups_delete.html", backup=backup)
