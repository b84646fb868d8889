"""Who decides by hand, and why: asked of every edit and every decision on the quarantine."""

import unicodedata
from typing import Final, NamedTuple

from historian.errors import EditRefused

REASON_LENGTH_MAX: Final = 500
AUTHOR_LENGTH_MAX: Final = 100


class Decision(NamedTuple):
    """A reason is never blank; the author may be unknown."""

    author: str
    reason: str


def make_decision(author: str, reason: str) -> Decision:
    """Both without blanks around them. Raises EditRefused for a blank reason, too long a text or control characters."""
    author, reason = author.strip(), reason.strip()
    if not reason:
        raise EditRefused("reason: say why; it stays with every sample for ever")
    for name, text, length_max in (
        ("reason", reason, REASON_LENGTH_MAX),
        ("author", author, AUTHOR_LENGTH_MAX),
    ):
        if len(text) > length_max:
            raise EditRefused(f"{name}: {len(text)} characters, {length_max} are taken")
        if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text):
            raise EditRefused(f"{name}: one line of text, without control characters")
    return Decision(author, reason)
