"""Relations with validity: which meter was where, exchanges, conflicts by name, paths without circles."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.catalogue.archive import Archive, open_archive
from historian.catalogue.entity_book import Change
from historian.catalogue.relation_book import Outcome, Wanted
from historian.clock import ManualClock
from historian.errors import EntityConflict, EntityInvalid, EntityNotFound
from historian.model.entity import BEGINNING_US, EntityKey
from historian.resources import config_dir

DAY_US = 86_400_000_000
T0_US = 20_000 * DAY_US
PLACE, OTHER = EntityKey("metering_point", "P1"), EntityKey("metering_point", "P2")
A, B = EntityKey("meter", "A"), EntityKey("meter", "B")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0_US)


@pytest.fixture
def archive(tmp_path: Path, clock: ManualClock) -> Iterator[Archive]:
    archive = open_archive(tmp_path / "c.sqlite", clock, config_dir() / "standard")
    accounts = [EntityKey("power_account", "U1")]
    archive.entities.change_all([Change(key) for key in (PLACE, OTHER, A, B, *accounts)])
    yield archive
    archive.close()


def meters_at(archive: Archive, at_us: int, as_of_us: int | None = None) -> list[str]:
    found = archive.relations.of(PLACE, "meter_at", at_us, as_of_us)
    numbers = archive.entities.by_numbers([one.from_number for one in found])
    return [numbers[one.from_number].key.id for one in found]


def test_a_meter_is_exchanged_at_an_instant_and_what_was_known_stays(
    archive: Archive, clock: ManualClock
) -> None:
    archive.relations.state(Wanted("meter_at", A, PLACE))
    clock.advance(DAY_US / 1e6)
    exchange = Wanted(
        "meter_at", B, PLACE, "", T0_US - DAY_US, is_exchange=True, author="li", reason="broken"
    )
    outcome = archive.relations.state(exchange)
    assert (outcome.is_changed, [one.reason for one in outcome.former]) == (True, [""])
    assert meters_at(archive, T0_US - DAY_US - 1) == ["A"]
    assert meters_at(archive, T0_US - DAY_US) == ["B"]
    assert meters_at(archive, T0_US, T0_US) == ["A"]  # as it was believed then
    assert not archive.relations.state(exchange).is_changed
    (ended,) = archive.relations.of(A)
    assert (ended.author, ended.reason) == ("li", "broken")
    assert (ended.valid_from_us, ended.valid_to_us) == (BEGINNING_US, T0_US - DAY_US)


def test_two_meters_at_one_place_are_refused_by_name(archive: Archive) -> None:
    archive.relations.state(Wanted("meter_at", A, PLACE, "", T0_US, T0_US + DAY_US))
    with pytest.raises(
        EntityConflict, match="meter A is at metering_point P1 since 2024-10-04T00:00:00Z until"
    ):
        archive.relations.state(Wanted("meter_at", B, PLACE, "", T0_US + DAY_US - 1))
    with pytest.raises(EntityConflict, match="metering_point P1"):  # nor is one meter at two places
        archive.relations.state(Wanted("meter_at", A, OTHER, "", T0_US))
    archive.relations.state(Wanted("meter_at", B, PLACE, "", T0_US + DAY_US))
    with pytest.raises(EntityConflict, match="since"):  # an exchange ends only what has no end
        archive.relations.state(Wanted("meter_at", B, PLACE, "", T0_US, is_exchange=True))


def test_an_end_is_stated_afterwards_and_a_mistake_withdrawn(archive: Archive, clock: ManualClock) -> None:
    archive.relations.state(Wanted("meter_at", A, PLACE, "", T0_US))
    clock.advance(1)
    archive.relations.state(Wanted("meter_at", A, PLACE, "", T0_US, T0_US + DAY_US))
    assert meters_at(archive, T0_US + DAY_US) == []
    assert meters_at(archive, T0_US + DAY_US, T0_US) == ["A"]
    gone = archive.relations.state(Wanted("meter_at", A, PLACE, "", T0_US, is_withdrawn=True))
    assert gone.relation.withdrawn_us == T0_US + 1_000_000
    assert archive.relations.of(PLACE) == []
    with pytest.raises(EntityInvalid, match="nothing is withdrawn"):
        archive.relations.state(Wanted("meter_at", A, PLACE, "", T0_US, is_withdrawn=True))


def test_points_are_related_by_their_number(archive: Archive) -> None:
    point = EntityKey("point", "1")  # the number of an entity too: the two are never mixed up
    archive.relations.state(Wanted("measured_by", OTHER, point))
    assert [one.from_number for one in archive.relations.of_point(1)] == [2]
    assert archive.relations.of(PLACE) == []
    assert [one.to_number for one in archive.relations.of(OTHER)] == [1]
    with pytest.raises(EntityConflict, match="point 1 since ever"):
        archive.relations.state(Wanted("measured_by", OTHER, point, "", T0_US))


def test_a_supply_path_is_followed_by_carrier_and_never_in_a_circle(archive: Archive) -> None:
    third = EntityKey("metering_point", "P3")
    archive.entities.change(Change(third))
    account = EntityKey("power_account", "U1")
    for source, to in ((PLACE, account), (OTHER, PLACE), (third, OTHER)):
        archive.relations.state(Wanted("supply_path", source, to, "electricity"))
    archive.relations.state(Wanted("supply_path", PLACE, third, "water"))
    with pytest.raises(EntityConflict, match="back to where it began"):
        archive.relations.state(Wanted("supply_path", PLACE, third, "electricity"))
    with pytest.raises(EntityConflict, match="back to where it began"):
        archive.relations.state(Wanted("supply_path", PLACE, PLACE, "gas"))
    assert len(archive.relations.of(PLACE, "supply_path")) == 3


def test_one_fault_costs_only_itself_and_pages_tell_what_is_in_force(archive: Archive) -> None:
    nobody = EntityKey("meter", "none")
    outcomes = archive.relations.state_all(
        [
            Wanted("meter_at", nobody, PLACE),
            Wanted("meter_at", A, PLACE),
            Wanted("meter_at", B, PLACE),
            Wanted("meter_at", B, OTHER, "", 5, 5),
        ]
    )
    kinds = [type(one) for one in outcomes]
    assert kinds == [EntityNotFound, Outcome, EntityConflict, EntityInvalid]
    archive.relations.state(Wanted("meter_at", A, PLACE, "", None, T0_US))
    first = archive.relations.page(0, 10)
    assert [one.valid_to_us for one in first] == [T0_US]
    assert archive.relations.page(first[0].number, 10) == []
    with pytest.raises(EntityInvalid):
        archive.relations.of(PLACE, "beside")
