from pathlib import Path

import numpy as np
import pytest

from historian.errors import HistorianError
from historian.model.point import Point, PointDraft, PointKind, TimeLabel
from historian.tools import sample_file
from historian.tools.sample_file import SampleRows

POINTS = [
    PointDraft(
        name="a.p",
        unit="kW",
        kind=PointKind.MEAN_POWER,
        name_zh="有功",
        range_high=5.5,
        interval_us=7_000_000,
    ),
    PointDraft(name="b,2", unit="kWh", kind=PointKind.REGISTER, label=TimeLabel.INSTANT),
]
AWKWARD = np.array([0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3, 12345.678])
TIMES = np.array([-1, 0, 1, 1_767_225_600_000_000, 1_767_225_600_123_456, 4_102_444_800_000_000])
ROWS = SampleRows(
    np.array([0, 0, 0, 1, 1, 1]), TIMES, AWKWARD, np.array([0, 1, 2, 65535, 32768, 4], np.uint16)
)
VERSIONS = ROWS._replace(
    version=np.array([1, 2, 3, 4, 5, 2**40]),
    arrival_time_us=TIMES + 5,
    origin=np.array([0, 1, 0, 2, 1, 0]),
    origins=["driver", "hand\nmisread, “twice”", ""],
)


def same(one: SampleRows, other: SampleRows) -> None:
    """Bit for bit."""
    for name in ("point", "time_us", "quality", "version", "arrival_time_us"):
        first, second = getattr(one, name), getattr(other, name)
        assert (first is None) == (second is None)
        assert first is None or first.tolist() == second.tolist()
    assert np.asarray(one.value).view(np.int64).tolist() == np.asarray(other.value).view(np.int64).tolist()
    if one.origin is not None and other.origin is not None:
        texts = [[rows.origins[place] for place in rows.origin] for rows in (one, other)]  # type: ignore[union-attr]
        assert texts[0] == texts[1]


@pytest.mark.parametrize("form", sample_file.FORMS)
@pytest.mark.parametrize("rows", [ROWS, VERSIONS], ids=["newest", "versions"])
def test_every_form_gives_back_every_bit(tmp_path: Path, form: sample_file.Form, rows: SampleRows) -> None:
    path = tmp_path / "f"
    has_versions = rows.version is not None
    writer = sample_file.create(path, form, POINTS, has_versions)
    writer.write(rows)
    writer.write(rows)
    writer.close()
    with sample_file.opened(path) as reader:
        assert reader.points == POINTS
        assert reader.has_versions == has_versions
        parts = list(reader.rows())
    assert sum(part.row_count for part in parts) == 12
    joined = SampleRows(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ROWS._fields[:4])
    )
    same(joined, SampleRows(*(np.concatenate([column, column]) for column in rows[:4])))  # type: ignore[arg-type]
    if len(parts) == 2:
        same(parts[1], rows)


@pytest.mark.parametrize("form", sample_file.FORMS)
def test_a_file_without_samples_has_its_points(tmp_path: Path, form: sample_file.Form) -> None:
    sample_file.create(tmp_path / "f", form, POINTS, has_versions=True).close()
    with sample_file.opened(tmp_path / "f") as reader:
        assert (reader.points, list(reader.rows())) == (POINTS, [])


def test_a_point_becomes_what_makes_it_again() -> None:
    point = Point(
        id=7, name="a", unit="V", kind=PointKind.INSTANTANEOUS, station="s", multiplier=2.0, capacity=9.0
    )
    draft = sample_file.draft_of(point)
    assert (draft.name, draft.station, draft.multiplier, draft.capacity, draft.interval_us) == (
        "a", "s", 2.0, 9.0, 900_000_000,
    )  # fmt: skip


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(HistorianError, match="absent cannot be read"),
        sample_file.opened(tmp_path / "absent"),
    ):
        pytest.fail("opened")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"{", "cannot be read"),
        (b'{"version":2,"points":[]}', "format 2"),
        (b'{"version":1}', "cannot be read"),
    ],
)
def test_a_list_of_points_that_is_none_is_refused(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(HistorianError, match=told):
        sample_file.decode_points(data, tmp_path)
