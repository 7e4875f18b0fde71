"""Whether a text can be a company's name: refusals, and doubts that a person may overrule."""

import re
import unicodedata

from csp_web.domain.companies.country_data import LEGAL_FORMS
from csp_web.i18n import gettext as _
from csp_web.identifiers import fold, has_control_characters

_TOP_LEVEL_SUFFIX = re.compile(r"\.(?:com|net|org|info|biz|co|io|eu|de|ru|uk|ch|jp|kz|br|tr|kr|рф)$")
_ONE_LETTER_THRICE = re.compile(r"([^\W\d])\1\1")


def company_name_problems(name: str) -> list[str]:
    """Why the text cannot be a company's name, as sentences; empty when it can."""
    if has_control_characters(name) or "\n" in name or "\t" in name:
        return [_("This text contains characters that cannot be printed. Type it again.")]
    text = unicodedata.normalize("NFC", name).strip()
    if not text:
        return [_("Enter the company name.")]
    if not any(ch.isalnum() for ch in text):
        return [_("A company name cannot consist of special characters only.")]
    if len(text) == 1:
        return [_("A company name needs more than one character.")]
    if _words(text) <= LEGAL_FORMS:
        return [_("“%(name)s” is only a legal form. Enter the company name with it.", name=text[:40])]
    return []


def company_name_doubts(name: str) -> list[str]:
    """What looks like a slip in a name that is not refused, as sentences to show beside it."""
    text = fold(name)
    words = text.split()
    doubts = {
        _("The name ends like a domain."): _TOP_LEVEL_SUFFIX.search(text),
        _("The name repeats a character three times or more."): _stutters(text),
        _("The name consists of single characters."): len(words) > 1 and all(len(word) == 1 for word in words),
    }
    return [sentence for sentence, found in doubts.items() if found]


def _stutters(text: str) -> bool:
    """Whether a word repeats a letter; ООО and its like do so rightly."""
    return any(_ONE_LETTER_THRICE.search(word) for word in re.findall(r"\w+", text) if word not in LEGAL_FORMS)


def _words(text: str) -> set[str]:
    bare = (re.sub(r"[\W_]", "", word) for word in re.split(r"[\s,;]+", fold(text)))
    return {word for word in bare if word}
