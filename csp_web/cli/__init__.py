"""The ``csp-web`` command, one module per group. Every command says in a sentence what went wrong and exits non-zero."""

from __future__ import annotations

import sys

import click
from sqlalchemy.exc import DBAPIError

from csp_web import __version__
from csp_web.config import SettingsError
from csp_web.errors import DomainError, Invalid


class Group(click.Group):
    """Turns refusals into sentences on standard error; a trace is only for what nobody expected."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise click.ClickException(str(error)) from error
        except Invalid as error:
            raise click.ClickException(" ".join(error.problems.values()) or error.sentence) from error
        except DomainError as error:
            raise click.ClickException(f"{error.sentence} {error.advice}".strip()) from error
        except DBAPIError as error:
            raise click.ClickException(f"The database says: {str(error.orig).strip()}") from error
        except OSError as error:
            if not error.filename:
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}.") from error


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="csp-web")
def main() -> None:
    """Sell software subscriptions: customers, orders, keys, downloads, cancellations.

    Settings come from CSP_WEB_* in the environment, or from the file that CSP_WEB_CONFIG_FILE names.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)


from csp_web.cli import (  # noqa: E402 -- they use Group's rules
    backup,
    demo,
    doctor,
    files,
    imports,
    key_rotation,
    markets,
    setup,
    users,
)

for command in (
    setup.init,
    setup.run,
    setup.upgrade,
    doctor.doctor,
    demo.demo,
    users.user,
    imports.catalog,
    key_rotation.keys,
    imports.customers,
    files.files,
    markets.markets,
    backup.backup,
    backup.restore,
):
    main.add_command(command)
