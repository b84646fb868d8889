"""Parameters are read one by one; every fault names its parameter."""

import datetime

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import MultiDict

from api import params as module
from api import problem
from api.params import Params, check_names, params_of
from api.problem import Problem
from historian.model.timerange import TimeRange

HOUR_US = 3_600_000_000


def params(**query: str) -> Params:
    return Params(MultiDict(query))


@pytest.mark.parametrize(
    "text",
    ["1970-01-01T09:00:00+08:00", "1970-01-01T01:00:00Z", "3600000", "1970-01-01T09:00:00 08:00"],
    ids=["offset", "utc", "epoch ms", "plus sign lost by the query string"],
)
def test_a_time_is_read(text: str) -> None:
    assert params(start=text).time_us("start") == HOUR_US


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-11-21T00:00:00", "no offset"),
        ("yesterday", "neither RFC 3339"),
        ("2026-13-01T00:00:00Z", "date"),
    ],
    ids=["no offset", "a word", "month 13"],
)
def test_a_time_that_cannot_be_read_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(Problem, match=says) as caught:
        params(start=text).time_us("start")
    assert caught.value.kind is problem.INVALID_TIME
    assert caught.value.faults[0].parameter == "start"
    assert caught.value.kind.status == 400


def test_a_time_without_offset_is_refused_in_chinese_too() -> None:
    with pytest.raises(Problem) as caught:
        params(end="2026-11-21T00:00:00").time_us("end")
    assert "没有时区偏移" in caught.value.zh


def test_a_missing_time_is_refused() -> None:
    with pytest.raises(Problem, match="start: is required"):
        params().time_us("start")


def test_a_span_is_half_open_and_not_empty() -> None:
    assert params(start="0", end="1").span() == TimeRange(0, 1000)
    with pytest.raises(Problem, match="not after start"):
        params(start="1", end="1").span()


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(Problem, match="more than once"):
        Params(MultiDict([("limit", "1"), ("limit", "2")])).text("limit")


def test_the_form_of_times_and_a_time_share_a_name() -> None:
    both = Params(MultiDict([("time", "3600000"), ("time", "epoch_ms")]))
    assert both.time_us("time") == HOUR_US
    assert both.wants_epoch_ms()
    assert not params(time="3600000").wants_epoch_ms()


@pytest.mark.parametrize("text", ["0", "11", "-1", "1.5", "x", "1e3", "9" * 30])
def test_a_number_outside_its_range_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="from 1 to 10"):
        params(limit=text).whole("limit", 1, 10, 10)


def test_an_absent_number_is_the_default() -> None:
    assert params().whole("limit", 1, 10, 7) == 7


@pytest.mark.parametrize("text", ["15", "m", "0m", "15 m", "-15m", "1.5h"])
def test_an_interval_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="interval"):
        params(interval=text).interval_us("interval")


def test_an_interval_is_read() -> None:
    assert params(interval="15m").interval_us("interval") == HOUR_US // 4


@pytest.mark.parametrize("text", ["Asia/Nowhere", "+08:00", "../etc/passwd", "UTC+8"])
def test_a_zone_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="tz"):
        params(tz=text).zone()


@pytest.mark.parametrize("text", ["2026-02-30", "20261121", "2026-W01-1", "today", "2026-11-21T00:00:00Z"])
def test_a_date_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="date"):
        params(date=text).date("date")


def test_a_date_is_read() -> None:
    assert params(date="2026-11-21").date("date") == datetime.date(2026, 11, 21)


def test_a_list_is_separated_by_commas_or_given_again() -> None:
    assert Params(MultiDict([("points", "a,b"), ("points", "c")])).names("points") == ["a", "b", "c"]


def test_an_unknown_parameter_is_refused_with_a_hint() -> None:
    request = make_mocked_request("GET", "/x?strat=1")
    with pytest.raises(Problem, match="did you mean start"):
        check_names(request, frozenset({"start", "end"}))


def test_a_word_that_is_not_offered_is_refused_with_those_that_are() -> None:
    with pytest.raises(Problem, match="asc, desc"):
        params(order="up").choice("order", ("asc", "desc"), "asc")


def test_what_was_read_of_a_query_string_is_kept_but_no_fault_is() -> None:
    reads: list[str] = []

    def read(given: Params) -> int:
        reads.append(given.required_text("limit"))
        return given.whole("limit", 1, 9, 1)

    first, again, other = (make_mocked_request("GET", f"/?limit={text}") for text in ("3", "3", "77"))
    assert params_of(first).once(read) == params_of(again).once(read) == 3
    for _ in range(2):
        with pytest.raises(Problem):
            params_of(other).once(read)
    assert reads == ["3", "77", "77"]


def test_escaped_and_plain_text_of_a_query_read_the_same() -> None:
    plain, escaped = (
        make_mocked_request("GET", path) for path in ("/?tz=Asia/Shanghai", "/?tz=Asia%2FShanghai")
    )
    assert params_of(plain).text("tz") == params_of(escaped).text("tz") == "Asia/Shanghai"
    lost, kept = (make_mocked_request("GET", path) for path in ("/?tz=a+b", "/?tz=a%2Bb"))
    assert (params_of(lost).text("tz"), params_of(kept).text("tz")) == ("a b", "a+b")


def test_query_strings_kept_are_few_and_short(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, Params] = {}
    monkeypatch.setattr(module, "_KEPT", kept)
    for number in range(3 * module.QUERIES_KEPT_MAX):
        assert params_of(make_mocked_request("GET", f"/?n={number}")).text("n") == str(number)
        assert len(kept) <= module.QUERIES_KEPT_MAX
    kept.clear()
    assert params_of(make_mocked_request("GET", "/?points=" + "p," * 5000)).names("points") == ["p"] * 5000
    assert not kept
