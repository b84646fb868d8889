"""Personal data in replies: the one place that decides who sees them, and what the others see instead."""

from typing import Final

from aiohttp import web

from api.caller import identity_of
from historian.model.access import Right
from historian.model.item import Item

ADDRESS_SHOWN: Final = 6  # signs: province and city, as a rule
ADDRESS_LENGTH_MIN: Final = 12  # a shorter one would be shown nearly whole
NAME_SHOWN: Final = 1
MASK: Final = "***"


def may_see_personal(request: web.BaseRequest) -> bool:
    """Whether the caller sees personal data as they are; everybody does while access control is off."""
    return identity_of(request).may(Right.PERSONAL)


def masked(item: Item | None, value: str) -> str:
    """What is shown of a value to who may not see personal data; a value that is none is shown whole.

    How much is hidden does not tell how long it is.
    """
    if item is None or not item.is_personal:
        return value
    shown = ADDRESS_SHOWN if len(value) >= ADDRESS_LENGTH_MIN else NAME_SHOWN
    return value[:shown] + MASK
