"""A new secret for the stored product keys, while the portal serves."""

from __future__ import annotations

import click

from csp_web.cli.base import as_option, open_installation, operator_admin
from csp_web.cli.imports import keys
from csp_web.cli.progress import progress
from csp_web.domain.stock import vault
from csp_web.domain.stock.key_rotation import Rotation, outdated, rotate


@keys.command("rotate")
@as_option
def rotate_keys(email: str | None) -> None:
    """Encrypt the stored keys with a new secret. The portal may go on serving; cut off, it is gone on with.

    The secret in the data directory (keys-key) is replaced. Where CSP_WEB_KEYS_KEY is set instead, put the new secret
    in front of the old one there, with a comma between them, restart the portal, and run this.
    """
    open_installation()
    actor = operator_admin(email)
    with progress("Keys", outdated()) as step:
        result = rotate(by=actor, new_secret=True, progress=step)
    click.echo(_said(result))
    if result.damaged:
        raise click.ClickException(f"{result.damaged} keys could not be read and stay as they are: csp-web doctor")


def _said(result: Rotation) -> str:
    said = f"Encrypted {result.moved:,} keys with the secret in use."
    if vault.secrets_file() is None:
        return f"{said} Only the first secret of CSP_WEB_KEYS_KEY is needed now."
    if result.given_up:
        return (
            f"{said} The older secret is gone. Backups with secrets hold it; those without, made before, can be restored "
            "only with your own copy of it. Make a new backup."
        )
    return said
