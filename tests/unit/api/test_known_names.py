"""A dictionary that was sent before is looked up once, and points made since are found."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from api import known_names
from api.known_names import KnownNames
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.model.point import PointDraft, PointKind


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "points.db", ManualClock(0), "UTC")
    registry.create_many([PointDraft(name=name, unit="kW", kind=PointKind.INSTANTANEOUS) for name in "ab"])
    yield registry
    registry.close()


def test_names_and_null_have_their_ids(registry: Registry) -> None:
    found = KnownNames(registry).look_up(pa.array(["b", "nobody", None, "1", "77"]))
    assert found.ids_and_none.tolist() == [2, 0, 0, 1, 0, 0]


def test_the_same_bytes_are_not_looked_up_again(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    known = KnownNames(registry)
    first = known.look_up(pa.array(["a", "b"]))
    monkeypatch.setattr(registry, "find_ids", None)
    assert known.look_up(pa.array(["a", "b"])) is first


@pytest.mark.parametrize("other", [["a", "c"], ["ab", ""], ["a"], ["b", "a"]])
def test_other_bytes_are_another_dictionary(registry: Registry, other: list[str]) -> None:
    known = KnownNames(registry)
    known.look_up(pa.array(["a", "b"]))
    assert known.look_up(pa.array(other)).names == other


def test_a_point_made_since_is_found(registry: Registry) -> None:
    known = KnownNames(registry)
    assert known.look_up(pa.array(["c"])).ids_and_none.tolist() == [0, 0]
    made = registry.create(PointDraft(name="c", unit="kW", kind=PointKind.INSTANTANEOUS))
    assert known.look_up(pa.array(["c"])).ids_and_none.tolist() == [made.id, 0]


def test_only_so_many_are_kept(registry: Registry) -> None:
    known = KnownNames(registry)
    for number in range(known_names.DICTIONARIES_MAX + 5):
        known.look_up(pa.array([f"n{number}"]))
    assert len(known._kept) == known_names.DICTIONARIES_MAX
    assert known._kept[0].names.names == [f"n{known_names.DICTIONARIES_MAX + 4}"]


def test_only_so_many_bytes_are_kept(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_names, "BYTES_MAX", 100)
    known = KnownNames(registry)
    for letter in "xyz":
        known.look_up(pa.array([letter * 40]))
    assert len(known._kept) == 2


def test_text_that_is_no_utf8_is_refused(registry: Registry) -> None:
    broken = pa.array([b"\xff\xfe"]).view(pa.string())
    with pytest.raises(pa.ArrowInvalid):
        KnownNames(registry).look_up(broken)
