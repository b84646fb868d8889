"""Reads query parameters; every fault names its parameter and says what is allowed."""

import datetime
import difflib
import re
import zoneinfo
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar, overload

from aiohttp import web
from multidict import MultiMapping

from api import problem
from api.problem import Problem
from historian.errors import TimeError
from historian.model import timestamp
from historian.model.point import parse_interval_us
from historian.model.timerange import TimeRange

# A plus sign in a query string that nobody encoded arrives as a space: 2026-11-21T00:00:00 08:00.
_LOST_PLUS: Final = re.compile(r"(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) (\d{2}:\d{2})")
_NUMBER_DIGITS_MAX: Final = 18  # of a whole number of 64 bits
_TIME_FORMS: Final = frozenset({"epoch_ms", "rfc3339"})

QUERIES_KEPT_MAX: Final = 256
_QUERY_CHARACTERS_MAX: Final = 2_000  # a list of many points is rather read again than kept
_KEPT: Final[dict[str, "Params"]] = {}  # by query string, which says all there is to know

Read = TypeVar("Read")


class Params:
    """The query of one request; each call reads one parameter."""

    def __init__(self, query: MultiMapping[str]) -> None:
        self._query = query
        self._made: dict[Callable[[Params], Any], Any] = {}

    @cached_property
    def given(self) -> frozenset[str]:
        """The names of all parameters."""
        return frozenset(self._query)

    def once(self, read: Callable[["Params"], Read]) -> Read:
        """What `read` makes of the parameters; asked again with the same query string, what it made then.

        `read` is a function that outlives requests. A Problem it raises is not kept.
        """
        if read not in self._made:
            self._made[read] = read(self)
        made: Read = self._made[read]
        return made

    def text(self, name: str) -> str | None:
        """The value, or None where the parameter is absent or empty. Raises Problem where given twice."""
        if name not in self._query:
            return None
        values = [value for value in self._query.getall(name, ()) if value]
        if name == "time":
            values = [value for value in values if value not in _TIME_FORMS]
        if len(values) > 1:
            raise Problem.of_parameter(name, "is given more than once", "重复给出")
        return values[0] if values else None

    def required_text(self, name: str) -> str:
        """As `text`, and absence is a fault."""
        value = self.text(name)
        if value is None:
            raise Problem.of_parameter(name, "is required", "必须给出")
        return value

    def choice(self, name: str, allowed: Sequence[str], default: str) -> str:
        """One of the allowed words."""
        value = self.text(name) or default
        _check_word(name, value, allowed)
        return value

    def check_words(self, name: str, allowed: Sequence[str]) -> None:
        """Refuse a value that is not one of the allowed words; an empty one counts as absent."""
        for value in self._query.getall(name, ()):
            if value:
                _check_word(name, value, allowed)

    @overload
    def whole(self, name: str, low: int, high: int, default: int) -> int: ...
    @overload
    def whole(self, name: str, low: int, high: int) -> int | None: ...
    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int | None:
        """A whole number in ``[low, high]``."""
        value = self.text(name)
        if value is None:
            return default
        if not re.fullmatch(r"\d{1,18}", value) or not low <= int(value) <= high:
            raise Problem.of_parameter(
                name,
                f"{value!r} is not a whole number from {low} to {high}",
                f"{value!r} 不是 {low} 到 {high} 的整数",
            )
        return int(value)

    def is_set(self, name: str) -> bool:
        """A switch: 1 or true, 0 or false, absent means no."""
        return self.choice(name, ("0", "1", "false", "true"), "0") in ("1", "true")

    def time_us(self, name: str) -> int:
        """A required time: RFC 3339 with an offset, or integer epoch milliseconds."""
        return parse_time(name, self.required_text(name))

    def span(self) -> TimeRange:
        """``start`` and ``end``, both required; ``[start, end)`` must not be empty."""
        span = TimeRange(self.time_us("start"), self.time_us("end"))
        if span.is_empty:
            raise Problem.of_parameter("end", "is not after start; ranges are [start, end)", "须晚于 start")
        return span

    @overload
    def interval_us(self, name: str, default_us: int) -> int: ...
    @overload
    def interval_us(self, name: str) -> int | None: ...
    def interval_us(self, name: str, default_us: int | None = None) -> int | None:
        """A duration such as 15m, in µs."""
        value = self.text(name)
        if value is None:
            return default_us
        try:
            return parse_interval_us(value)
        except ValueError as error:
            raise Problem.of_parameter(
                name, str(error), f"{value!r} 不是整数加 s、m、h、d（例如 15m）"
            ) from error

    def zone(self, name: str = "tz") -> zoneinfo.ZoneInfo | None:
        """An IANA zone, or None where not asked for."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return timestamp.load_zone(value)
        except TimeError as error:
            raise Problem.of_parameter(
                name, str(error), f"{value!r} 不是 IANA 时区（例如 Asia/Shanghai）", problem.INVALID_TIME
            ) from error

    def date(self, name: str) -> datetime.date:
        """A required calendar date, 2026-11-21."""
        return parse_date(name, self.required_text(name))

    def names(self, name: str) -> list[str]:
        """A list: comma-separated, or the parameter repeated."""
        values = self._query.getall(name, ())
        return [part for value in values for part in value.split(",") if part]

    def wants_epoch_ms(self) -> bool:
        """Whether ``time=epoch_ms`` asks for integers in the answer."""
        return "time" in self._query and "epoch_ms" in self._query.getall("time")


def _check_word(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        words = ", ".join(allowed)
        raise Problem.of_parameter(
            name, f"{value!r} is not one of: {words}", f"{value!r} 不在可选值中：{words}"
        )


def path_number(request: web.Request, what_en: str, what_zh: str) -> int:
    """The ``{number}`` of a path. Raises Problem that says of what it is none."""
    text = request.match_info["number"]
    if not text.isdecimal() or len(text) > _NUMBER_DIGITS_MAX:
        raise Problem.of_parameter("number", f"{text!r} is no number of {what_en}", f"{text!r} 不是{what_zh}")
    return int(text)


def parse_time(name: str, value: str) -> int:
    """An instant, in µs. Raises Problem naming the parameter."""
    if " " in value:
        value = _LOST_PLUS.sub(r"\1+\2", value)
    try:
        return timestamp.parse_time_us(value)
    except TimeError as error:
        raise Problem.of_parameter(name, str(error), _time_fault_zh(value), problem.INVALID_TIME) from error


def parse_date(name: str, value: str) -> datetime.date:
    """A calendar date. Raises Problem naming the parameter."""
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            raise ValueError(value)
        return datetime.date.fromisoformat(value)
    except ValueError as error:
        raise Problem.of_parameter(
            name, f"{value!r} is not a date such as 2026-11-21", f"{value!r} 不是日期（例如 2026-11-21）"
        ) from error


def params_of(request: web.Request) -> Params:
    """The parameters of a request. Charts ask again and again: what was read of a query string is kept for the next."""
    text = request.rel_url.raw_query_string
    if len(text) > _QUERY_CHARACTERS_MAX:
        return Params(request.query)
    params = _KEPT.get(text)
    if params is None:
        if len(_KEPT) >= QUERIES_KEPT_MAX:
            _KEPT.clear()
        params = _KEPT[text] = Params(request.query)
    return params


def check_names(request: web.Request, allowed: frozenset[str]) -> None:
    """Refuse parameters that mean nothing here: a typing error must not pass for a default."""
    if params_of(request).given <= allowed:
        return
    for name in request.query:
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            close = difflib.get_close_matches(name, allowed, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise Problem.of_parameter(
                name, f"is not known here{hint} allowed: {known}", f"此处不支持；可用：{known}"
            )


def _time_fault_zh(value: str) -> str:
    if re.search(r"(Z|z|[+-]\d{2}:\d{2})$", value) or not re.match(
        r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}", value
    ):
        return f"{value!r} 不是带时区偏移的 RFC 3339 时间，也不是毫秒整数"
    return f"{value!r} 没有时区偏移；请加 Z 或如 +08:00 的偏移"
