"""People, from the command line: the first operator admin comes from here."""

from __future__ import annotations

import click
from sqlalchemy import func, select

from csp_web.cli.base import open_installation
from csp_web.db import session, transaction
from csp_web.domain.access import people
from csp_web.domain.access.people_listing import partner_names
from csp_web.domain.upkeep import first_setup
from csp_web.identifiers import fold
from csp_web.models import Partner, Role, User

ROLES = [role.value for role in Role]
password_option = click.option(
    "--password",
    prompt=True,
    hide_input=True,
    confirmation_prompt=True,
    help="Asked for when it is not given; others see what is given here in the list of processes.",
)
temporary_option = click.option("--temporary", is_flag=True, help="It opens only the page on which it is changed.")


@click.group()
def user() -> None:
    """Add people, list them, give them a new password."""


@user.command()
@click.argument("email")
@click.option("--name", required=True, help="The person's name.")
@click.option("--partner", required=True, help="Organisation; it is made when there is none of this name.")
@click.option("--country", default="US", show_default=True, help="Country of an organisation that is made.")
@click.option("--operator", is_flag=True, help="An organisation that is made is the operator's.")
@click.option(
    "--role", "roles", type=click.Choice(ROLES), multiple=True, required=True, help="May be given several times."
)
@password_option
@temporary_option
def add(
    email: str,
    name: str,
    partner: str,
    country: str,
    operator: bool,
    roles: tuple[str, ...],
    password: str,
    temporary: bool,
) -> None:
    """Add a person who can sign in."""
    open_installation()
    with transaction():
        made = people.add_user(
            _organisation(partner, country, operator),
            by=None,
            email=email,
            name=name,
            roles=[Role(role) for role in roles],
            password=password,
            temporary=temporary,
        )
        said = f"{made.email} can sign in for {made.partner.name} as {', '.join(roles)}."
    first_setup.close()
    click.echo(said)


def _organisation(name: str, country: str, operator: bool) -> Partner:
    """The organisation of this name, made when there is none."""
    known = next((row.id for row in partner_names() if fold(row.name) == fold(name)), None)
    if known is None:
        if operator and session.scalar(select(func.count()).select_from(Partner).where(Partner.is_operator)):
            raise click.ClickException("There is an operator already; only one organisation is.")
        return people.add_partner(by=None, name=name, country=country.upper(), is_operator=operator)
    found = session.get_one(Partner, known)
    if operator and not found.is_operator:
        raise click.ClickException(f"{found.name} is a partner, not the operator.")
    return found


@user.command("list")
def list_users() -> None:
    """List everybody: organisation, e-mail, roles."""
    open_installation()
    for found in session.scalars(select(User).join(Partner).order_by(Partner.name, User.email)):
        state = "" if found.is_active else " (disabled)"
        click.echo(f"{found.partner.name}\t{found.email}\t{', '.join(sorted(found.roles))}{state}")


@user.command()
@click.argument("email")
@password_option
@temporary_option
def password(email: str, password: str, temporary: bool) -> None:
    """Set a new password and end the person's sessions."""
    open_installation()
    with transaction():
        people.reset_password(_person(email), by=None, password=password, temporary=temporary)
    click.echo("The password was changed; all sessions have ended.")


@user.command()
@click.argument("email")
def disable(email: str) -> None:
    """Keep a person out at once."""
    open_installation()
    with transaction():
        people.disable_user(_person(email), by=None)
    click.echo(f"{email} cannot sign in any more.")


@user.command()
@click.argument("email")
def enable(email: str) -> None:
    """Let a disabled person sign in again."""
    open_installation()
    with transaction():
        people.enable_user(_person(email), by=None)
    click.echo(f"{email} can sign in again.")


def _person(email: str) -> User:
    found = session.scalars(select(User).filter_by(email=email.strip().lower())).first()
    if found is None:
        raise click.ClickException(f"There is no user {email}.")
    return found
