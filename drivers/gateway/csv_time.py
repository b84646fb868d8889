"""Columns of local time stamps to µs UTC: at array speed where stamps have a fixed width, one by one elsewhere.

Two steps. `TimeFormat.read` turns text into civil µs (a stamp as if it were UTC) and, where written,
its offset. `LocalTime.to_utc` turns civil µs into UTC by the rules of a zone.
"""

import datetime
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.point import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from historian.model.timestamp import EPOCH, TIME_MAX_US, TIME_MIN_US

TimeColumn = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NO_OFFSET: Final = np.iinfo(np.int64).min
STAMP_LENGTH_MAX: Final = 64
DIRECTIVES: Final = "%Y %m %d %H %M %S %f %z %%"

# Directive → (regex of the one-by-one way, digits of the fixed-width way; 0 = has none).
_FIELDS: Final = {
    "Y": (r"(?P<Y>\d{4})", 4),
    "m": (r"(?P<m>\d{1,2})", 2),
    "d": (r"(?P<d>\d{1,2})", 2),
    "H": (r"(?P<H>\d{1,2})", 2),
    "M": (r"(?P<M>\d{1,2})", 2),
    "S": (r"(?P<S>\d{1,2})", 2),
    "f": (r"(?P<f>\d{1,9})", 0),
    "z": (r"(?P<z>Z|z|[+-]\d{2}:?\d{2})", 0),
}
_ISO_FIXED: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")
_ISO_PATTERN: Final = (
    r"(?P<Y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"
    r"(?:[Tt ](?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?)?"
    r" ?(?P<z>Z|z|[+-]\d{2}:?\d{2})?"
)


class Stamps(NamedTuple):
    """Stamps as read: civil µs, offset µs (`NO_OFFSET` where none is written), and which are legible."""

    civil_us: TimeColumn
    offset_us: TimeColumn
    is_legible: Mask


class TimeFormat:
    """``iso`` or a pattern of `DIRECTIVES`; raises ValueError for any other.

    One-digit months, days, hours and so on are read too. 24:00 is the end of its day. With
    `is_midnight_date_end`, 00:00 is the end of the date it is written with, as some meters export.
    """

    def __init__(self, pattern: str, is_midnight_date_end: bool = False) -> None:
        self._is_midnight_date_end = is_midnight_date_end
        if pattern == "iso":
            self._fixed = [_FixedLayout(each) for each in _ISO_FIXED]
            self._regex = re.compile(_ISO_PATTERN, re.ASCII)
            return
        self._regex = re.compile(_regex_of(pattern), re.ASCII)
        is_fixed = not re.search(r"%[fz]", pattern.replace("%%", ""))
        self._fixed = [_FixedLayout(pattern)] if is_fixed else []

    def read(self, texts: Sequence[str]) -> Stamps:
        """One entry for each text; blanks around a stamp are ignored."""
        count = len(texts)
        civil_us = np.zeros(count, np.int64)
        offset_us = np.full(count, NO_OFFSET, np.int64)
        is_legible = np.zeros(count, np.bool_)
        stripped = [text.strip() for text in texts]
        rest = list(range(count))
        for layout in self._fixed:
            rest = layout.read(stripped, rest, civil_us, is_legible)
        for index in rest:
            read = self._read_one(stripped[index])
            if read is not None:
                civil_us[index], offset_us[index] = read
                is_legible[index] = True
        if self._is_midnight_date_end:
            # A stamp of 24:00 is at 00:00 of the next date by now, so only texts can tell them apart.
            midnights = np.flatnonzero(is_legible & (civil_us % DAY_US == 0))
            is_zero_hour = [self._hour_of(stripped[index]) != 24 for index in midnights]
            civil_us[midnights[is_zero_hour]] += DAY_US
        return Stamps(civil_us, offset_us, is_legible)

    def _hour_of(self, text: str) -> int:
        match = self._regex.fullmatch(text)
        return int(match.groupdict().get("H") or 0) if match else 0

    def _read_one(self, text: str) -> tuple[int, int] | None:
        match = self._regex.fullmatch(text) if len(text) <= STAMP_LENGTH_MAX else None
        if match is None:
            return None
        part = {name: value or "0" for name, value in match.groupdict().items()}
        hour, minute, second = (int(part.get(name, "0")) for name in "HMS")
        fraction_us = int(part.get("f", "0").ljust(6, "0")[:6])
        day_us = hour * HOUR_US + minute * MINUTE_US + second * SECOND_US + fraction_us
        if hour > 24 or minute > 59 or second > 59 or day_us > DAY_US:
            return None
        try:
            date = datetime.date(int(part["Y"]), int(part["m"]), int(part["d"]))
        except ValueError:
            return None
        offset_us = _offset_us(match.groupdict().get("z"))
        days = date.toordinal() - EPOCH.toordinal()
        return None if offset_us is None else (days * DAY_US + day_us, offset_us)


class LocalTime:
    """Civil time of one zone to UTC, with the memory that the repeated hour of autumn needs.

    In that hour a stamp seen for the first time is taken as the first pass, seen again as the
    second: right for any file in time order. A stamp in the hour that spring leaves out is no time.
    With `is_period_end` the moment just before the stamp decides, so that the last period before
    either change keeps its end.
    """

    def __init__(self, zone: datetime.tzinfo, is_period_end: bool) -> None:
        self._zone = zone
        self._shift_us = 1 if is_period_end else 0
        self._seen: set[int] = set()

    def to_utc(self, civil_us: TimeColumn) -> tuple[TimeColumn, Mask]:
        """µs UTC, and which stamps exist in the zone and in the years 1 to 9999."""
        is_time = (civil_us >= TIME_MIN_US + 2 * DAY_US) & (civil_us <= TIME_MAX_US - 2 * DAY_US)
        moment_us = np.where(is_time, civil_us, 0) - self._shift_us
        days, day_index = np.unique(moment_us // DAY_US, return_inverse=True)
        offsets = [self._offset_of_day(int(day)) for day in days]
        offset_us = np.array([offset or 0 for offset in offsets], np.int64)[day_index]
        time_us = np.where(is_time, civil_us - offset_us, 0)
        is_odd_day = np.array([offset is None for offset in offsets], np.bool_)[day_index]
        for index in np.flatnonzero(is_odd_day & is_time):
            found = self._resolve(int(moment_us[index]))
            is_time[index] = found is not None
            time_us[index] = (found or 0) + self._shift_us
        return time_us, is_time

    def _offset_of_day(self, day: int) -> int | None:
        """The zone's offset where it is the same all day, else None."""
        first_us, last_us = day * DAY_US, (day + 1) * DAY_US - 1
        offsets = {moment - self._utc_us(moment, fold) for moment in (first_us, last_us) for fold in (0, 1)}
        return offsets.pop() if len(offsets) == 1 else None

    def _resolve(self, civil_us: int) -> int | None:
        first_us, second_us = self._utc_us(civil_us, 0), self._utc_us(civil_us, 1)
        if first_us > second_us:
            return None  # PEP 495: the two differ this way round only in the hour left out
        if first_us < second_us and civil_us in self._seen:
            return second_us
        if first_us < second_us:
            self._seen.add(civil_us)
        return first_us

    def _utc_us(self, civil_us: int, fold: int) -> int:
        civil = (EPOCH + datetime.timedelta(microseconds=civil_us)).replace(tzinfo=self._zone, fold=fold)
        offset = civil.utcoffset()
        assert offset is not None, "a zone has an offset for every civil time"
        return civil_us - offset // datetime.timedelta(microseconds=1)


class _FixedLayout:
    """A pattern whose directives all have their full width: read as a matrix of characters."""

    def __init__(self, pattern: str) -> None:
        self._positions: dict[str, int] = {}
        self._literals: list[tuple[int, str]] = []
        self._width = 0
        for directive, literal in _tokens(pattern):
            if directive:
                self._positions[directive] = self._width
                self._width += _FIELDS[directive][1]
            else:
                self._literals.append((self._width, literal))
                self._width += 1

    def read(self, texts: list[str], rest: list[int], civil_us: TimeColumn, is_legible: Mask) -> list[int]:
        """Fill in what is legible of `rest`; return what is left of it."""
        fitting = [index for index in rest if len(texts[index]) == self._width]
        if not fitting:
            return rest
        letters = "".join([texts[index] for index in fitting]).encode("utf-32-le", "surrogatepass")
        matrix = np.frombuffer(letters, np.uint32).reshape(len(fitting), self._width)
        read_us, is_read = self._read_matrix(matrix)
        rows = np.array(fitting, np.int64)[is_read]
        civil_us[rows] = read_us[is_read]
        is_legible[rows] = True
        return [index for index in rest if not is_legible[index]]

    def _read_matrix(self, matrix: npt.NDArray[np.uint32]) -> tuple[TimeColumn, Mask]:
        is_read = np.ones(len(matrix), np.bool_)
        for position, literal in self._literals:
            is_read &= matrix[:, position] == ord(literal)
        part = {"H": np.zeros(len(matrix), np.int64)}
        part |= {"M": part["H"], "S": part["H"]}
        for directive, position in self._positions.items():
            digits = matrix[:, position : position + _FIELDS[directive][1]].astype(np.int64) - ord("0")
            is_read &= ((digits >= 0) & (digits <= 9)).all(axis=1)
            number = np.zeros(len(matrix), np.int64)
            for column in digits.T:
                number = number * 10 + column
            part[directive] = number
        time_us = part["H"] * HOUR_US + part["M"] * MINUTE_US + part["S"] * SECOND_US
        is_read &= (part["Y"] >= 1) & (part["m"] >= 1) & (part["m"] <= 12) & (part["d"] >= 1)
        is_read &= (part["M"] <= 59) & (part["S"] <= 59) & (time_us <= DAY_US)
        months = np.where(is_read, (part["Y"] - 1970) * 12 + part["m"] - 1, 0)
        first_day = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        next_first_day = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        day = first_day + part["d"] - 1
        is_read &= day < next_first_day
        return np.where(is_read, day * DAY_US + time_us, 0), is_read


def _tokens(pattern: str) -> list[tuple[str, str]]:
    """(directive letter, "") or ("", literal character), in order. Raises ValueError."""
    tokens: list[tuple[str, str]] = []
    index = 0
    while index < len(pattern):
        letter = pattern[index + 1 : index + 2]
        if pattern[index] != "%":
            tokens.append(("", pattern[index]))
            index += 1
        elif letter == "%" or letter in _FIELDS:
            tokens.append(("", "%") if letter == "%" else (letter, ""))
            index += 2
        else:
            raise ValueError(
                f"%{letter} in {pattern!r} is not known; allowed: iso, or a pattern of {DIRECTIVES}"
            )
    return tokens


def _regex_of(pattern: str) -> str:
    tokens = _tokens(pattern)
    directives = [directive for directive, _ in tokens if directive]
    if len(set(directives)) < len(directives) or not {"Y", "m", "d"} <= set(directives):
        raise ValueError(
            f"{pattern!r} must have each of %Y %m %d once; allowed: iso, or a pattern of {DIRECTIVES}"
        )
    if not _needed(set(directives)) <= set(directives):
        raise ValueError(
            f"{pattern!r} skips a larger part of the time: %f needs %S, %S needs %M, %M needs %H"
        )
    return "".join(
        _FIELDS[directive][0] if directive else re.escape(literal) for directive, literal in tokens
    )


def _needed(directives: set[str]) -> set[str]:
    for part, larger in (("f", "HMS"), ("S", "HM"), ("M", "H")):
        if part in directives:
            return set(larger)
    return set()


def _offset_us(text: str | None) -> int | None:
    """µs east of UTC; `NO_OFFSET` for none written, None for an impossible one."""
    if text is None:
        return NO_OFFSET
    if text in ("Z", "z"):
        return 0
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        return None
    size_us = hours * HOUR_US + minutes * MINUTE_US
    return -size_us if text[0] == "-" else size_us
