"""The bytes of a transfer: any number of requests, ranges and connections are one download (D2)."""

from __future__ import annotations

import errno
from functools import partial
from typing import Any, Literal, cast

import structlog
from flask import g, redirect, request

from csp_web.blueprints.downloads import blueprint
from csp_web.domain.delivery.transfer_bytes import byte_log
from csp_web.domain.delivery.transfers import find_transfer
from csp_web.domain.upkeep.configured import file_store
from csp_web.i18n import gettext as _
from csp_web.models import DownloadOption
from csp_web.web.attachment_names import content_disposition
from csp_web.web.errors import answer
from csp_web.web.gate import public
from csp_web.web.ranges import FileChanged, Offload, file_response

LONGEST_TOKEN = 100
SIGNED_SECONDS = 900  # a resumed download asks here again and gets a fresh address

log = structlog.get_logger("csp_web")


@blueprint.get("/t/<token>")
@public
def transfer(token: str) -> Any:
    """Send the file, whole or a range; the server in front, or the store itself, does it where that is configured."""
    found = find_transfer(token[:LONGEST_TOKEN])
    option, offload = found.link.option, _offload()
    try:
        elsewhere = _address(option)
        if elsewhere and request.method == "GET":
            _note(found.id, option.size, 200, offloaded=True)
            return redirect(elsewhere, 302)
        response = file_response(
            path=file_store().path(option.storage_key) or partial(file_store().open, option.storage_key),
            size=option.size,
            etag=option.sha256,
            last_modified=option.added_at,
            download_name=option.file_name,
            content_type="application/octet-stream",
            environ=request.environ,
            on_end=partial(byte_log.ended, found.id),
            offload=offload,
        )
    except FileChanged as error:
        log.error("a file of the store is missing or damaged", option=option.id, why=str(error.strerror))
        return answer(503, _("This file cannot be read at the moment. The people who keep it were told."))
    _note(found.id, option.size, response.status_code, offloaded=offload is not None)
    return response


def _address(option: DownloadOption) -> str:
    """Where the store gives the file itself, for some minutes; empty for files of this machine.

    Raises:
        FileChanged: the store has not the file that was put there.
    """
    store, key = file_store(), option.storage_key
    there = store.address(key, disposition=content_disposition(option.file_name), seconds=SIGNED_SECONDS)
    if there and (not store.exists(key) or store.size(key) != option.size):
        raise FileChanged(errno.EIO, "The file in the store is missing or of another size")
    return there or ""


def _offload() -> Offload | None:
    settings = g.settings
    if not settings.offload:
        return None
    mode = cast("Literal['x-accel-redirect', 'x-sendfile']", settings.offload)
    return Offload(mode, settings.files_dir, settings.offload_prefix)


def _note(transfer: int, size: int, status: int, *, offloaded: bool) -> None:
    """Say that bytes begin to go out. Nobody else says how many it sent: then all of them count."""
    if request.method != "GET" or status not in {200, 206}:
        return
    byte_log.began(transfer)
    if offloaded:
        byte_log.ended(transfer, size)
