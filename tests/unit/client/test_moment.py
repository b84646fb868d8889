import datetime
import zoneinfo
from typing import Any

import pandas as pd
import pytest

from historian.client import moment
from historian.client.errors import InvalidArgument

SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (datetime.datetime(2026, 1, 5, tzinfo=SHANGHAI), "2026-01-04T16:00:00Z"),
        (pd.Timestamp("2026-01-05 00:00:00.000001", tz="Asia/Shanghai"), "2026-01-04T16:00:00.000001Z"),
        ("2026-01-05T00:00:00+08:00", "2026-01-04T16:00:00Z"),
        (1_767_542_400_000, "1767542400000"),
    ],
)
def test_a_moment_is_an_instant_in_text(given: moment.Moment, text: str) -> None:
    assert moment.moment_text("start", given) == text
    assert moment.optional_text("start", given) == text


@pytest.mark.parametrize(
    "given",
    [
        datetime.datetime(2026, 1, 5),
        pd.Timestamp("2026-01-05"),
        "2026-01-05T00:00:00",
        datetime.date(2026, 1, 5),
        True,
        1.5,
    ],
)
def test_what_is_no_instant_is_refused(given: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^start: "):
        moment.moment_text("start", given)


def test_no_moment_stays_none() -> None:
    assert moment.optional_text("as_of", None) is None


def test_days() -> None:
    assert moment.day_text("date", datetime.date(2026, 1, 5)) == "2026-01-05"
    assert moment.bound_text("first", "2026-01") == "2026-01"
    assert moment.bound_text("first", 0) == "0"
    assert (
        moment.bound_text("first", datetime.datetime(2026, 1, 5, tzinfo=SHANGHAI)) == "2026-01-04T16:00:00Z"
    )
    with pytest.raises(InvalidArgument, match="is no date"):
        moment.day_text("date", datetime.datetime(2026, 1, 5, tzinfo=SHANGHAI))
