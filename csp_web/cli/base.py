"""What commands share: the installation they work on, the person they act as."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from sqlalchemy import select

from csp_web import db, migrate
from csp_web.config import Settings, load
from csp_web.domain.access.actors import Actor, actor_of
from csp_web.domain.upkeep import installation
from csp_web.models import Partner, Role, User, UserRole

existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


def open_installation() -> Settings:
    """The settings, with the domain pointing at a database that has the shape that this version needs."""
    settings = load()
    check_revision(settings)
    attach(settings)
    return settings


def attach(settings: Settings) -> None:
    """Point the domain at an installation."""
    db.configure(settings.database_url)
    installation.configure(settings)


def check_revision(settings: Settings) -> None:
    """Stop with a sentence when the database is empty, older or newer than this version."""
    found = migrate.current(settings.database_url)
    if found is None:
        raise click.ClickException("This installation has no database yet. Run: csp-web init")
    if found not in migrate.revisions():
        raise click.ClickException(
            f"The database is at revision {found}, which this version of csp-web does not know: it was used by a newer one."
        )
    if found != migrate.newest():
        raise click.ClickException(
            f"The database is at revision {found}, this version needs {migrate.newest()}. Run: csp-web upgrade"
        )


as_option = click.option("--as", "email", metavar="EMAIL", help="Who acts; by default the first operator admin.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would be done.")


class _NothingIsKept(Exception):
    """Ends a transaction without writing anything."""


@contextmanager
def trial(*, keep: Callable[[], bool]) -> Iterator[None]:
    """One transaction that is undone at its end unless ``keep`` says otherwise: dry runs do what they only talk of."""
    with suppress(_NothingIsKept), db.transaction():
        yield
        if not keep():
            raise _NothingIsKept


def operator_admin(email: str | None) -> Actor | None:
    """The person named, else the first operator admin; None: nobody is one yet, the command line itself acts."""
    nobody = db.session.scalar(select(UserRole.user_id).where(UserRole.role == Role.OPERATOR_ADMIN).limit(1)) is None
    return None if email is None and nobody else person(email)


def person(email: str | None, role: Role = Role.OPERATOR_ADMIN, *, partner: str | None = None) -> Actor:
    """The person that a command acts as: the one named, else the first who has the role (and is of the partner).

    Raises:
        ClickException: there is no such person.
    """
    statement = select(User).join(Partner, Partner.id == User.partner_id).where(User.disabled_at.is_(None))
    if partner:
        statement = statement.where(Partner.name == partner)
    if email:
        statement = statement.where(User.email == email.strip().lower())
    else:
        statement = statement.join(UserRole, UserRole.user_id == User.id).where(UserRole.role == role)
    user = db.session.scalars(statement.order_by(User.id).limit(1)).first()
    if user is None:
        wanted = f"There is no active user {email}" if email else f"Nobody is {role}"
        raise click.ClickException(f"{wanted}{f' at {partner}' if partner else ''}. Add one: csp-web user add --help")
    return actor_of(user, address="command line")
