"""The book of entities: what is stated, corrected, withdrawn, asked as of then; who writes at once is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.catalogue.archive import Archive, open_archive
from historian.catalogue.entity_book import Change, Changed
from historian.clock import ManualClock
from historian.errors import EntityChanged, EntityConflict, EntityInvalid, EntityNotFound, ItemInvalid
from historian.model.entity import BEGINNING_US, EntityKey
from historian.resources import config_dir

KEY = EntityKey("substation", "S1")
DAY_US = 86_400_000_000
T0_US = 20_000 * DAY_US


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0_US)


@pytest.fixture
def archive(tmp_path: Path, clock: ManualClock) -> Iterator[Archive]:
    archive = open_archive(tmp_path / "c.sqlite", clock, config_dir() / "standard")
    yield archive
    archive.close()


def name(archive: Archive, at_us: int | None = None, as_of_us: int | None = None) -> str | None:
    held = archive.entities.known(KEY, at_us, as_of_us).held
    return held["name"].stated.value if "name" in held else None


def test_what_is_first_stated_holds_since_ever_and_then_from_now(
    archive: Archive, clock: ManualClock
) -> None:
    made = archive.entities.change(Change(KEY, {"name": "东站"}))
    assert (made.is_new, made.added_count, made.entity.revision) == (True, 1, 1)
    clock.advance(DAY_US / 1e6)
    archive.entities.change(Change(KEY, {"name": "西站"}))
    assert [name(archive, T0_US), name(archive), name(archive, BEGINNING_US)] == ["东站", "西站", "东站"]
    assert name(archive, T0_US + 2 * DAY_US, T0_US) == "东站"
    assert [one.value for one in archive.entities.history(KEY)] == ["东站", "西站"]


def test_a_correction_is_a_new_statement_and_the_old_belief_is_kept(
    archive: Archive, clock: ManualClock
) -> None:
    archive.entities.change(Change(KEY, {"name": "a"}, T0_US - DAY_US))
    clock.advance(DAY_US / 1e6)
    archive.entities.change(Change(KEY, {"name": "b"}, T0_US - DAY_US, reason="typo", author="li"))
    assert name(archive, T0_US) == "b"
    assert name(archive, T0_US, T0_US) == "a"
    assert name(archive, T0_US - 2 * DAY_US) is None
    assert archive.entities.history(KEY)[1][-2:] == ("li", "typo")


def test_a_withdrawn_step_is_as_if_it_had_never_been_stated(archive: Archive) -> None:
    archive.entities.change(Change(KEY, {"name": "a"}))
    archive.entities.change(Change(KEY, {"name": "b"}, T0_US - DAY_US))
    archive.entities.change(Change(KEY, {}, T0_US - DAY_US, withdraws=["T2.10"]))
    assert name(archive) == "a"
    with pytest.raises(EntityInvalid, match="nothing is withdrawn"):
        archive.entities.change(Change(KEY, {}, T0_US - DAY_US, withdraws=["name"]))
    archive.entities.change(Change(KEY, {}, None, withdraws=["name"]))
    assert name(archive) is None


def test_the_same_again_adds_nothing(archive: Archive) -> None:
    for valid_from_us in (None, T0_US, BEGINNING_US):
        change = Change(KEY, {"name": "a", "capacity": None}, valid_from_us)
        archive.entities.change(change)
        assert archive.entities.change(change).added_count == 0
    stated = [(one.attribute, one.valid_from_us) for one in archive.entities.history(KEY)]
    assert sorted(stated) == [
        (name, at_us) for name in ("capacity", "name") for at_us in (BEGINNING_US, T0_US)
    ]
    assert archive.entities.get(KEY).revision == 3


def test_none_ends_a_value(archive: Archive) -> None:
    archive.entities.change(Change(KEY, {"name": "a"}))
    archive.entities.change(Change(KEY, {"name": None}, T0_US - DAY_US))
    assert [name(archive, T0_US - 2 * DAY_US), name(archive)] == ["a", None]


def test_one_who_saw_an_older_revision_is_told(archive: Archive) -> None:
    archive.entities.change(Change(KEY, {"name": "a"}, expected=0))
    archive.entities.change(Change(KEY, {"name": "b"}, expected=1))
    for seen in (0, 1):
        with pytest.raises(EntityChanged, match="revision 2"):
            archive.entities.change(Change(KEY, {"name": "c"}, expected=seen))
    assert name(archive) == "b"


def test_a_renamed_entity_answers_under_the_old_id(archive: Archive) -> None:
    archive.entities.change(Change(KEY, {"name": "a"}, aliases=["S0", "S0"]))
    archive.entities.change(Change(KEY, new_id="S2"))
    for each in ("S0", "S1", "S2"):
        known = archive.entities.known(EntityKey("substation", each))
        assert (known.entity.key.id, list(known.aliases)) == ("S2", ["S0", "S1"])
    archive.entities.change(Change(EntityKey("substation", "T")))
    for change in (
        Change(KEY, new_id="T"),
        Change(KEY, aliases=["T"]),
        Change(EntityKey("substation", "T"), new_id="S1"),
        Change(EntityKey("substation", "U"), aliases=["U"]),
    ):
        with pytest.raises(EntityConflict):
            archive.entities.change(change)
    assert archive.entities.change(Change(KEY, new_id="S1")).entity.key.id == "S1"
    assert archive.entities.change(Change(KEY, aliases=["S0"])).added_count == 0
    with pytest.raises(EntityInvalid):
        archive.entities.change(Change(EntityKey("substation", "V"), new_id="W"))


def test_one_fault_costs_only_itself_and_leaves_nothing_half_done(archive: Archive) -> None:
    other = EntityKey("substation", "S2")
    outcomes = archive.entities.change_all(
        [
            Change(KEY, {"name": "a", "colour": "red"}),
            Change(other, {"name": "b"}),
            Change(EntityKey("house", "x")),
            Change(other, {"capacity": "5"}),
            Change(EntityKey("line", "a b")),
            Change(EntityKey("line", "none"), must_exist=True),
        ]
    )
    kinds = [type(one) for one in outcomes]
    assert kinds == [EntityInvalid, Changed, ItemInvalid, Changed, EntityInvalid, EntityNotFound]
    with pytest.raises(EntityNotFound):
        archive.entities.get(KEY)
    assert set(archive.entities.known(other).held) == {"name", "capacity"}
    assert archive.entities.counts() == {"substation": 1}


def test_what_was_not_there_yet_is_not_found_as_of_then(archive: Archive) -> None:
    archive.entities.change(Change(KEY, {"name": "a"}))
    with pytest.raises(EntityNotFound):
        archive.entities.known(KEY, None, T0_US - 1)
    assert archive.entities.known(KEY, None, T0_US).held


def test_pages_tell_what_holds(archive: Archive) -> None:
    for number in range(5):
        archive.entities.change(Change(EntityKey("line", f"L{number}"), {"name": f"n{number}"}))
    found = archive.entities.page("line", "L[1-3]", 0, 2)
    assert [one.entity.key.id for one in found] == ["L1", "L2"]
    assert found[0].held["name"].stated.value == "n1"
    with pytest.raises(ItemInvalid):
        archive.entities.page("house")


def test_a_clock_that_was_set_back_puts_nothing_before_what_is_recorded(
    archive: Archive, clock: ManualClock, tmp_path: Path
) -> None:
    archive.entities.change(Change(KEY, {"name": "a"}))
    archive.close()
    again = open_archive(tmp_path / "c.sqlite", ManualClock(T0_US - DAY_US), config_dir() / "standard")
    again.entities.change(Change(KEY, {"name": "b"}, BEGINNING_US))
    assert [one.recorded_us for one in again.entities.history(KEY)] == [T0_US, T0_US]
    again.close()


def test_an_end_that_is_stated_before_any_value_holds_when_a_value_comes(archive: Archive) -> None:
    archive.entities.change(Change(KEY, {"name": None}, T0_US + 10))
    archive.entities.change(Change(KEY, {"name": "a"}, T0_US))
    assert [name(archive, T0_US + at_us) for at_us in (-1, 0, 9, 10)] == [None, "a", "a", None]
