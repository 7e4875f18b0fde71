"""What can be refused, and how it is said.

A refusal is an exception with a sentence for people; one place in ``web.errors`` turns it into an answer. Nothing
that failed is answered 200.
"""

from __future__ import annotations

from collections.abc import Mapping


class DomainError(Exception):
    """A refusal. ``sentence`` says what and why; ``advice`` says what to do about it (B6)."""

    status = 409

    def __init__(self, sentence: str, *, advice: str = "", rule: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice
        self.rule = rule


class NotFound(DomainError):
    """There is no such thing, or it belongs to someone else: the same answer for both (D14)."""

    status = 404

    def __init__(self, sentence: str = "") -> None:
        from csp_web.i18n import gettext as _

        super().__init__(sentence or _("There is nothing at this address."))


class Forbidden(DomainError):
    """The user may see the thing but not do this. ``roles`` names who may (D14)."""

    status = 403

    def __init__(self, sentence: str, *, permission: str = "", roles: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.permission = permission
        self.roles = roles


class Refused(DomainError):
    """A rule says no, whoever asks: the window has ended, the market is excluded."""


class Conflict(DomainError):
    """Somebody else changed the thing meanwhile, or the form was already used for something else."""


class Invalid(DomainError):
    """The input does not fit. ``problems`` holds a sentence per field; the form is shown again with all that was typed."""

    status = 422

    def __init__(self, problems: Mapping[str, str], sentence: str = "") -> None:
        from csp_web.i18n import gettext as _

        super().__init__(sentence or _("Some fields need your attention."))
        self.problems = dict(problems)


class Blocked(DomainError):
    """A virus scanner found something in the file; it is never served."""

    status = 410


class Busy(DomainError):
    """The database or the disk cannot take the act just now; nothing was done."""

    status = 503


class StorageFull(DomainError):
    """There is no room left on the disk; nothing was done."""

    status = 507
