"""Industry codes of GB/T 4754-2017: a letter that the division implies, and 2, 3 or 4 digits."""

import re
import unicodedata
from typing import Final

from historian.errors import EntityInvalid

EDITION_DEFAULT: Final = "2017"
EDITIONS: Final = ("2017", "2017+A1")  # A1: the amendment of 2019
# The last division of each section, A to T.
_SECTION_ENDS: Final = {
    "A": 5, "B": 12, "C": 43, "D": 46, "E": 50, "F": 52, "G": 60, "H": 62, "I": 65, "J": 69, "K": 70, "L": 72,
    "M": 75, "N": 79, "O": 82, "P": 83, "Q": 85, "R": 90, "S": 96, "T": 97,
}  # fmt: skip
_FORM: Final = re.compile(r"([A-T])?(\d{2,4})?(?:@(.+))?")


def normalised(text: str) -> str:
    """``3011`` and ``c3011`` → ``C3011@2017``; the edition stays with the code, leading zeros too.

    Raises EntityInvalid for what no section has, or an edition that is not known.
    """
    code = unicodedata.normalize("NFKC", text).strip().upper()
    match = _FORM.fullmatch(code)
    if match is None or not (match[1] or match[2]):
        raise EntityInvalid(
            f"{text!r} is no industry code: a letter A to T, 2 to 4 digits, or both, as text such as 'C3011' or '0111'"
        )
    letter, digits, edition = match[1], match[2] or "", match[3] or EDITION_DEFAULT
    if edition not in EDITIONS:
        raise EntityInvalid(f"edition {edition!r} of {text!r} is not known; allowed: {', '.join(EDITIONS)}")
    if digits:
        section = section_of(int(digits[:2]))
        if not section or letter not in (None, section):
            implied = (
                f"division {digits[:2]} is in section {section}" if section else "there is no such division"
            )
            raise EntityInvalid(f"{text!r} is no industry code: {implied}")
        letter = section
    return f"{letter}{digits}@{edition}"


def section_of(division: int) -> str:
    """The letter of a division, empty where there is none."""
    return next((letter for letter, end in _SECTION_ENDS.items() if 1 <= division <= end), "")
