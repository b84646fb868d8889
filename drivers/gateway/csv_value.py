"""Columns of number texts to float64; what is missing and what is no number are told apart."""

import re
from collections.abc import Collection, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_FLOAT_ALPHABET: Final = re.compile(r"[0-9+\-.eE ]*")  # no _, no inf or nan, no digits of other scripts


class Values(NamedTuple):
    """A column as read: `value` is NaN where the source says it has none, or where the text is no number."""

    value: npt.NDArray[np.float64]
    is_missing: npt.NDArray[np.bool_]
    is_number: npt.NDArray[np.bool_]


def read_values(
    texts: Sequence[str],
    decimal_mark: Literal[".", ","] = ".",
    missing: Collection[str] = ("",),
    sentinels: Collection[float] = (),
) -> Values:
    """One entry for each text. A number is ASCII digits with the decimal mark and maybe an exponent, finite."""
    stripped = [text.strip() for text in texts]
    is_missing = np.array([text in missing for text in stripped], np.bool_)
    present = ["0" if text in missing else text for text in stripped] if is_missing.any() else stripped
    numbers = _read_all(present, decimal_mark)
    if numbers is None:
        numbers = np.array([_read_one(text, decimal_mark) for text in present], np.float64)
    is_number = np.isfinite(numbers) & ~is_missing
    is_sentinel = np.isin(numbers, list(sentinels)) & is_number
    is_missing |= is_sentinel
    is_number &= ~is_sentinel
    return Values(np.where(is_number, numbers, np.nan), is_missing, is_number)


def _read_all(texts: list[str], decimal_mark: str) -> npt.NDArray[np.float64] | None:
    """All at once where every text is plainly a number, else None."""
    joined = " ".join(texts)
    if decimal_mark == ",":
        if "." in joined:
            return None
        joined = joined.replace(",", ".")
    if not _FLOAT_ALPHABET.fullmatch(joined):
        return None
    try:
        numbers = np.array(list(map(float, joined.split(" "))), np.float64)
    except ValueError:
        return None
    return numbers if len(numbers) == len(texts) else None


def _read_one(text: str, decimal_mark: str) -> float:
    """NaN for what is no number."""
    if decimal_mark == ",":
        text = text.replace(".", "x").replace(",", ".")
    return float(text) if _NUMBER.fullmatch(text) else float("nan")
