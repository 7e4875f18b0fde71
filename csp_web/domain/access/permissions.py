"""Who may do what: one table (D14, R19, R31). Pages, verbs and tests all read it here."""

from __future__ import annotations

from csp_web.i18n import N_
from csp_web.models.accounts import Role

_ADMIN, _SALES, _HELPDESK = Role.ADMIN_AGENT, Role.SALES_AGENT, Role.HELPDESK_AGENT
_BILLING, _AUDITOR = Role.BILLING_ADMIN, Role.AUDITOR
_SUPPORT, _OPERATOR = Role.SUPPORT_AGENT, Role.OPERATOR_ADMIN

PERMISSIONS: dict[str, frozenset[Role]] = {
    "customers.see": frozenset({_ADMIN, _SALES, _HELPDESK, _BILLING, _AUDITOR}),
    "customers.add": frozenset({_ADMIN, _SALES}),
    "customers.edit": frozenset({_ADMIN, _SALES, _HELPDESK}),
    "orders.see": frozenset({_ADMIN, _SALES, _HELPDESK, _BILLING, _AUDITOR}),
    "orders.place": frozenset({_ADMIN, _SALES}),
    "software.see": frozenset({_ADMIN, _SALES, _HELPDESK, _AUDITOR}),
    "keys.handle": frozenset({_ADMIN}),
    "subscriptions.cancel": frozenset({_ADMIN}),
    "tickets.open": frozenset({_ADMIN, _SALES, _HELPDESK, _BILLING}),
    "tickets.see": frozenset({_ADMIN, _SALES, _HELPDESK, _BILLING, _AUDITOR, _SUPPORT}),
    "billing.see": frozenset({_ADMIN, _SALES, _BILLING, _AUDITOR}),
    "billing.act": frozenset({_ADMIN, _BILLING}),
    "users.manage": frozenset({_ADMIN}),
    "audit.see": frozenset({_ADMIN, _AUDITOR, _OPERATOR}),
    "support.work": frozenset({_SUPPORT}),
    "operator.manage": frozenset({_OPERATOR}),
}

ROLE_NAMES = {
    Role.ADMIN_AGENT: N_("Admin agent"),
    Role.SALES_AGENT: N_("Sales agent"),
    Role.HELPDESK_AGENT: N_("Helpdesk agent"),
    Role.BILLING_ADMIN: N_("Billing admin"),
    Role.AUDITOR: N_("Auditor"),
    Role.SUPPORT_AGENT: N_("Support agent"),
    Role.OPERATOR_ADMIN: N_("Operator admin"),
}


def roles_with(permission: str) -> tuple[Role, ...]:
    """The roles that have a permission, in the order of the table."""
    return tuple(role for role in Role if role in PERMISSIONS[permission])
