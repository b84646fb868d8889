"""Times of a reply: RFC 3339, or integers, and local where asked."""

import msgspec
import numpy as np
from multidict import MultiDict

from api.params import Params
from api.time_form import TimeForm

QUARTER_US = 900_000_000


def form(**query: str) -> TimeForm:
    return TimeForm.of(Params(MultiDict(query)))


def test_times_are_utc_text() -> None:
    assert form().time(QUARTER_US) == "1970-01-01T00:15:00Z"
    assert bytes(form().encode(np.array([QUARTER_US]))) == b'["1970-01-01T00:15:00Z"]'


def test_times_are_integers_where_asked() -> None:
    assert form(time="epoch_ms").time(QUARTER_US) == 900_000
    assert bytes(form(time="epoch_ms").encode(np.array([QUARTER_US]))) == b"[900000]"


def test_no_time_stays_none() -> None:
    assert form().time(None) is None
    assert form(tz="Asia/Shanghai").local(None) == ""


def test_local_times_come_where_a_zone_is_asked_for() -> None:
    assert form().local(0) == ""
    assert form().encode_local(np.array([0])) is msgspec.UNSET
    shanghai = form(tz="Asia/Shanghai")
    assert shanghai.zone_name == "Asia/Shanghai"
    assert shanghai.local(0) == "1970-01-01T08:00:00+08:00"
    assert shanghai.encode_local(np.array([0])) == msgspec.Raw(b'["1970-01-01T08:00:00+08:00"]')
    assert [column.name for column in shanghai.columns("time", np.array([0]))] == ["time", "time_local"]
