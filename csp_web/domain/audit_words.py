"""The activity log in words: what every act is called, and what its details mean."""

from __future__ import annotations

from typing import Any

from csp_web.domain.access.permissions import ROLE_NAMES
from csp_web.i18n import N_
from csp_web.i18n import gettext as _
from csp_web.models import Role
from csp_web.said import again

OPERATIONS = {
    "add_customer": N_("Added a customer"),
    "add_file": N_("Added an installer file"),
    "add_partner": N_("Added a partner"),
    "add_to_cart": N_("Added to a cart"),
    "add_user": N_("Added a user"),
    "approve_cancellation": N_("Approved a cancellation"),
    "assign_ticket": N_("Assigned a support request"),
    "begin_upload": N_("Began to send an installer file"),
    "block_file": N_("Blocked a harmful file"),
    "cancel_job": N_("Cancelled long work"),
    "change_cart": N_("Changed a cart"),
    "change_password": N_("Changed their own password"),
    "change_roles": N_("Changed a user’s roles"),
    "check_backup": N_("Checked a backup"),
    "check_log": N_("Checked the activity log"),
    "close_ticket": N_("Closed a support request"),
    "confirm_password": N_("Was asked for the password once more"),
    "create_order": N_("Placed an order"),
    "decline_cancellation": N_("Declined a cancellation"),
    "delete_backup": N_("Deleted a backup"),
    "change_view": N_("Changed a saved view"),
    "delete_view": N_("Deleted a saved view"),
    "disable_user": N_("Disabled a user"),
    "discard_upload": N_("Discarded an unfinished upload"),
    "download_backup": N_("Downloaded a backup"),
    "edit_customer": N_("Edited a customer"),
    "edit_partner": N_("Edited a partner"),
    "enable_user": N_("Enabled a user"),
    "end_market_list": N_("Ended a list of excluded markets"),
    "end_session": N_("Ended a session"),
    "export_software": N_("Exported software"),
    "fill_demo_world": N_("Filled the installation with the demo world"),
    "get_software_download_link": N_("Made a download link"),
    "hand_out_key": N_("Handed out a key"),
    "import_customers": N_("Imported customers"),
    "import_keys": N_("Imported keys"),
    "import_price_sheet": N_("Imported a price sheet"),
    "mail_failed": N_("A mail could not be sent"),
    "make_backup": N_("Made a backup"),
    "note_on_ticket": N_("Wrote an internal note"),
    "open_direct_download": N_("Made a direct address for a download"),
    "open_ticket": N_("Opened a support request"),
    "put_market_list_in_force": N_("Put a list of excluded markets in force"),
    "put_policy_in_force": N_("Put a cancellation policy in force"),
    "refund": N_("Recorded a refund"),
    "refused": N_("Tried something that is not allowed"),
    "reply_to_ticket": N_("Replied to a support request"),
    "request_cancellation": N_("Requested a cancellation"),
    "quarantine_keys": N_("Put keys into quarantine"),
    "release_key": N_("Released a key from quarantine"),
    "replace_key": N_("Replaced a wrong key"),
    "reset_password": N_("Gave a user a temporary password"),
    "retry_mail": N_("Sent a failed mail again"),
    "revoke_download_link": N_("Revoked a download link"),
    "revoke_keys": N_("Revoked keys"),
    "rotate_keys": N_("Encrypted the keys with a new secret"),
    "scan_again": N_("Had an installer file scanned again"),
    "set_up": N_("Set up the installation in the browser"),
    "save_view": N_("Saved a view"),
    "send_download_link": N_("Sent a download link by mail"),
    "set_low_stock": N_("Said when a pool of keys is low"),
    "show_key": N_("Showed a key"),
    "sign_file": N_("Put a signature beside an installer file"),
    "sign_in": N_("Signed in"),
    "sign_out": N_("Signed out"),
    "sign_out_everywhere": N_("Ended all sessions of a user"),
    "test_mail": N_("Sent a test mail"),
    "start_job": N_("Started long work"),
    "update_profile": N_("Changed their own profile"),
    "wait_for_key": N_("Started waiting for a key"),
    "withdraw_file": N_("Withdrew an installer file"),
}

RESOURCES = {
    "address": N_("Address"),
    "backup": N_("Backup"),
    "cancellation_policy": N_("Cancellation policy"),
    "cart": N_("Cart"),
    "customer": N_("Customer"),
    "customers": N_("Customers"),
    "download_option": N_("File"),
    "job": N_("Long work"),
    "key_stock": N_("Stock of keys"),
    "link": N_("Link"),
    "log": N_("Activity log"),
    "mail": N_("Mail"),
    "market_list": N_("List of excluded markets"),
    "order": N_("Order"),
    "partner": N_("Partner"),
    "price_sheet": N_("Price sheet"),
    "software": N_("Software"),
    "subscription": N_("Subscription"),
    "ticket": N_("Support request"),
    "upload": N_("Upload"),
    "user": N_("User"),
    "view": N_("Saved view"),
}

DETAILS = {
    "added": N_("Added"),
    "address_of_session": N_("IP address"),
    "amount": N_("Amount"),
    "broken": N_("Broken at"),
    "cancellation": N_("Cancellation"),
    "changes": N_("Changes"),
    "city": N_("City"),
    "company_name": N_("Company name"),
    "corrected": N_("Corrected"),
    "columns": N_("Columns"),
    "country": N_("Country"),
    "currency": N_("Currency"),
    "customers": N_("Customers"),
    "damaged": N_("Could not be read"),
    "deadline_days": N_("Right to cancel ends within days"),
    "domain": N_("Domain"),
    "email": N_("E-mail"),
    "ended": N_("Ended"),
    "family": N_("Product family"),
    "file_name": N_("File name"),
    "file_type": N_("File type/OS"),
    "filled": N_("Lines that got keys"),
    "filters": N_("Narrowed to"),
    "finding": N_("Found by the virus scanner"),
    "first_name": N_("First name"),
    "format": N_("Format"),
    "from_address": N_("From the address"),
    "given_up": N_("Older secrets given up"),
    "impact": N_("Impact"),
    "key": N_("Key"),
    "keys": N_("Keys"),
    "language": N_("Language"),
    "last_name": N_("Last name"),
    "line1": N_("Street address"),
    "line2": N_("Address line 2"),
    "lines": N_("Lines"),
    "link": N_("Link"),
    "link_days": N_("Link ends within days"),
    "name": N_("Name"),
    "new": N_("New"),
    "offer": N_("Offer"),
    "old": N_("Old"),
    "permission": N_("Permission"),
    "phone": N_("Phone"),
    "policy": N_("Cancellation policy"),
    "pools": N_("Pools of keys"),
    "postal_code": N_("Postal code"),
    "product": N_("Product"),
    "quantities": N_("Quantities"),
    "quantity": N_("Quantity"),
    "reason": N_("Reason"),
    "recipient": N_("Recipient"),
    "reference": N_("Reference"),
    "refunded": N_("Refunded"),
    "registration_number": N_("Registration number"),
    "rows": N_("Rows"),
    "rule": N_("Rule"),
    "seed": N_("Seed"),
    "sessions": N_("Sessions"),
    "sha256": N_("SHA-256"),
    "shared": N_("Shared with colleagues"),
    "since": N_("From"),
    "size": N_("Size"),
    "sku": N_("SKU"),
    "state": N_("State"),
    "subscription": N_("Subscription"),
    "support_email": N_("Support e-mail"),
    "text": N_("Text"),
    "ticket": N_("Ticket"),
    "time_zone": N_("Time zone"),
    "to": N_("Assigned to"),
    "total": N_("Total"),
    "type": N_("Type"),
    "until": N_("Until"),
    "version": N_("Version"),
    "waiting": N_("Waiting for keys"),
    "waits": N_("Ended waits for keys"),
    "work": N_("Kind of work"),
}

REASONS = {
    "disabled": N_("The account is disabled."),
    "password": N_("The e-mail address or the password was wrong."),
}


def operation_name(code: str) -> str:
    """What an act is called; one that is not known is shown by its code."""
    return _(OPERATIONS[code]) if code in OPERATIONS else code


def resource_name(code: str) -> str:
    """What kind of thing an act was done to."""
    return _(RESOURCES[code]) if code in RESOURCES else code


def reason(text: str) -> str:
    """Why an act was refused: a code of ours in words, or what was said then."""
    return _(REASONS[text]) if text in REASONS else again(text)


def told(details: dict[str, Any]) -> list[tuple[str, str]]:
    """The details of an act as pairs of label and text; of changes, one pair per field: old → new."""
    pairs: list[tuple[str, str]] = []
    for name, value in details.items():
        if name == "changes" and isinstance(value, dict):
            pairs.extend((_label(field), _change(change)) for field, change in value.items())
        else:
            pairs.append((_label(name), _text(value)))
    return pairs


def _label(name: str) -> str:
    return _(DETAILS[name]) if name in DETAILS else name.replace("_", " ")


def _change(change: Any) -> str:
    if isinstance(change, list) and len(change) == 2:
        return f"{_text(change[0]) or '–'} → {_text(change[1]) or '–'}"
    return _text(change)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{_label(str(name))}: {_text(item)}" for name, item in value.items())
    text = str(value)
    return _(_KNOWN[text]) if text in _KNOWN else again(text)


_KNOWN = {**{role.value: ROLE_NAMES[role] for role in Role}, **REASONS}
