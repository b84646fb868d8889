"""Drafts on their way to rows."""

import pytest

from historian.catalogue.definition import Numbered
from historian.catalogue.point_batch import PointBatch, conflict_text, taken_text
from historian.catalogue.point_memory import PointMemory
from historian.errors import PointConflict, PointInvalid, UnitError
from historian.model.point import Point, PointDraft, PointKind


def batch() -> PointBatch:
    return PointBatch(PointMemory(Numbered(), Numbered()), 7, "Asia/Shanghai")


def draft(name: str, **attributes: object) -> PointDraft:
    return PointDraft(name=name, unit="kW", kind=PointKind.MEAN_POWER, **attributes)  # type: ignore[arg-type]


def test_rows_have_ids_from_the_first_and_share_definitions() -> None:
    new = batch()
    drafts = [
        draft("a", station="S1"),
        draft("b", station="S1", name_zh="乙"),
        draft("c", item="P"),
        draft("a", station="S1"),
    ]
    assert [new.add(each) for each in drafts] == [7, 8, 9, 7]
    rows = new.rows()
    assert rows.id.tolist() == [7, 8, 9]
    assert rows.name.split() == ["a", "b", "c"]
    assert rows.definition.tolist() == [1, 1, 2]
    assert rows.station.tolist() == [1, 1, 0]
    assert list(rows.name_zh) == ["", "乙", ""]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (draft("two words"), PointInvalid),
        (draft("b", station="x" * 201), PointInvalid),
        (draft("b", name_en="tab\t"), PointInvalid),
        (PointDraft(name="b", unit="bogus", kind=PointKind.MEAN_POWER), UnitError),
    ],
    ids=["name", "station", "text", "unit"],
)
def test_a_draft_is_checked_also_where_another_has_its_definition(
    wrong: PointDraft, error: type[Exception]
) -> None:
    new = batch()
    new.add(draft("a"))
    with pytest.raises(error):
        new.add(wrong)


@pytest.mark.parametrize(
    "other", [draft("a", station="S2"), draft("a", multiplier=2.0)], ids=["text", "definition"]
)
def test_one_name_for_two_points_is_a_conflict(other: PointDraft) -> None:
    new = batch()
    new.add(draft("a", station="S1"))
    with pytest.raises(PointConflict, match="point a exists with"):
        new.add(other)


def test_texts_say_who_has_a_name() -> None:
    holder = Point(id=4, name="new", unit="kW", kind=PointKind.MEAN_POWER)
    wanted = Point(id=0, name="old", unit="kW", kind=PointKind.MEAN_POWER)
    assert taken_text("new", holder) == "name new is taken by point 4"
    assert conflict_text(wanted, holder) == "name old is a former name of new (point 4) and stays with it"
