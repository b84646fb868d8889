"""Reading a column at array speed gives what reading it text by text gives."""

import datetime
import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.gateway.csv_time import LocalTime, Stamps, TimeFormat
from drivers.gateway.csv_value import read_values
from historian.model.point import MINUTE_US
from historian.model.timestamp import load_zone, parse_time_us

moments = st.datetimes(datetime.datetime(1, 1, 3), datetime.datetime(9999, 12, 28))
damaged = st.text("0123456789/: -T.x٣", max_size=20)
zones = st.sampled_from(["Asia/Shanghai", "Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "UTC"])
number_texts = st.one_of(
    st.floats(allow_nan=False).map(str),
    st.integers(-(10**20), 10**20).map(str),
    st.text("0123456789.,+-eE _naif?x \t٣", max_size=8),
)


def civil_us(moment: datetime.datetime) -> int:
    return parse_time_us(moment.isoformat() + "Z")


@given(st.lists(moments.map(lambda moment: moment.replace(second=0, microsecond=0)), max_size=20))
def test_written_stamps_are_read_back(times: list[datetime.datetime]) -> None:
    texts = [
        f"{time.day:02d}/{time.month:02d}/{time.year:04d} {time.hour:02d}:{time.minute:02d}" for time in times
    ]
    stamps = TimeFormat("%d/%m/%Y %H:%M").read(texts)
    assert stamps.is_legible.all()
    assert stamps.civil_us.tolist() == [civil_us(time) for time in times]


@given(st.lists(moments.map(str) | damaged | moments.map(lambda moment: moment.isoformat("T", "minutes"))))
@example(["2018-01-01 00:00", "2018-1-1 0:0", "2018-01-01 24:00", "2018-02-30 00:00"])
def test_iso_column_equals_its_stamps_one_by_one(texts: list[str]) -> None:
    together = TimeFormat("iso").read(texts)
    slow = TimeFormat("iso")
    slow._fixed = []
    assert [column.tolist() for column in together] == [column.tolist() for column in slow.read(texts)]


@given(st.lists(damaged | moments.map(lambda moment: moment.strftime("%d/%m/%Y %H:%M")), max_size=20))
def test_midnight_rule_moves_midnights_only(texts: list[str]) -> None:
    plain: Stamps = TimeFormat("%d/%m/%Y %H:%M").read(texts)
    moved = TimeFormat("%d/%m/%Y %H:%M", is_midnight_date_end=True).read(texts)
    day_us = 24 * 60 * MINUTE_US
    difference = moved.civil_us - plain.civil_us
    is_zero_oclock = np.array(
        [text.strip().endswith((" 00:00", " 0:0", " 00:0", " 0:00")) for text in texts], np.bool_
    )
    assert (difference[plain.is_legible & is_zero_oclock] == day_us).all()
    assert (difference[~(plain.is_legible & is_zero_oclock)] == 0).all()


@given(
    st.datetimes(datetime.datetime(1960, 1, 1), datetime.datetime(2037, 1, 1)), st.integers(1, 4000), zones
)
def test_instants_in_order_come_back_from_local_time(
    start: datetime.datetime, count: int, zone_name: str
) -> None:
    """What a clock on the wall shows every 15 minutes names each instant again, both changes included."""
    zone = load_zone(zone_name)
    first_us = civil_us(start.replace(minute=start.minute - start.minute % 15, second=0, microsecond=0))
    instants = [first_us + index * 15 * MINUTE_US for index in range(count)]
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    shown = [
        civil_us((epoch + datetime.timedelta(microseconds=instant)).astimezone(zone).replace(tzinfo=None))
        for instant in instants
    ]
    time_us, is_time = LocalTime(zone, is_period_end=False).to_utc(np.array(shown, np.int64))
    # A run that begins inside the repeated hour cannot know that it is the second pass.
    settled = 0 if time_us[0] == instants[0] else 8
    assert is_time.all()
    assert time_us.tolist()[settled:] == instants[settled:]


@given(st.lists(number_texts, max_size=20), st.sampled_from([".", ","]))
def test_column_of_numbers_equals_its_texts_one_by_one(texts: list[str], decimal_mark: str) -> None:
    mark = "," if decimal_mark == "," else "."
    together = read_values(texts, mark, ("", "?"), (-99.0,))
    for index, text in enumerate(texts):
        alone = read_values([text, "no number"], mark, ("", "?"), (-99.0,))
        assert together.is_number[index] == alone.is_number[0]
        assert together.is_missing[index] == alone.is_missing[0]
        assert np.array_equal(together.value[index], alone.value[0], equal_nan=True)
        if together.is_number[index]:
            assert together.value[index] == float(text.strip().replace(mark, "."))
            assert math.isfinite(together.value[index])
        assert not (together.is_number[index] and together.is_missing[index])
