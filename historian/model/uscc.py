"""The unified social credit code (GB 32100-2015): 18 signs with a check sign, around an organisation code with its own (GB 11714)."""

import re
import unicodedata
from typing import Final

from historian.errors import EntityInvalid

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I, O, S, V, Z: they look like digits
LENGTH: Final = 18
ORGANISATION: Final = slice(8, 17)

_FORM: Final = re.compile(rf"[1-9A-GNY][{ALPHABET}][0-9]{{6}}[{ALPHABET}]{{9}}[{ALPHABET}]")
_VALUES: Final = {sign: value for value, sign in enumerate(ALPHABET)}
_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(LENGTH - 1))
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)


def normalised(text: str) -> str:
    """The code in its one spelling: upper case, no full-width signs, no blanks or hyphens.

    Raises EntityInvalid that says which of the checks fails.
    """
    code = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()
    if len(code) != LENGTH:
        raise EntityInvalid(
            f"{text!r} is no unified social credit code: {len(code)} signs, {LENGTH} are needed"
        )
    if not _FORM.fullmatch(code):
        raise EntityInvalid(
            f"{text!r} is no unified social credit code: authority, category, 6 digits of the region, 9 signs of the "
            f"organisation, check sign, of {ALPHABET}"
        )
    if organisation_check_sign(code[ORGANISATION][:-1]) != code[ORGANISATION][-1]:
        raise EntityInvalid(f"{text!r}: the check sign of the organisation code (place 17) does not fit")
    if check_sign(code[:-1]) != code[-1]:
        raise EntityInvalid(f"{text!r}: the check sign (place 18) does not fit")
    return code


def check_sign(first: str) -> str:
    """The 18th sign of the first 17: what is missing to a multiple of 31."""
    total = sum(_VALUES[sign] * weight for sign, weight in zip(first, _WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def organisation_check_sign(first: str) -> str:
    """The 9th sign of an organisation code's first 8; here letters count on from 10 and none is left out."""
    total = sum(int(sign, 36) * weight for sign, weight in zip(first, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X"[-total % 11]
