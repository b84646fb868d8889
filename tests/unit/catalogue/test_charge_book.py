"""Charges: exact amounts for periods of their own, superseded and never overwritten."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.catalogue.archive import Archive, open_archive
from historian.catalogue.charge_book import Billed, Outcome
from historian.catalogue.entity_book import Change
from historian.clock import ManualClock
from historian.errors import EntityInvalid, EntityNotFound
from historian.model.entity import EntityKey
from historian.resources import config_dir

DAY_US = 86_400_000_000
T0_US = 20_000 * DAY_US
POWER, HEAT = EntityKey("power_account", "U1"), EntityKey("thermal_account", "H1")
FIRST = Billed(POWER, "", T0_US, T0_US + 31 * DAY_US, "1234.50", "CNY", "no. 7")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0_US + 60 * DAY_US)


@pytest.fixture
def archive(tmp_path: Path, clock: ManualClock) -> Iterator[Archive]:
    archive = open_archive(tmp_path / "c.sqlite", clock, config_dir() / "standard")
    archive.entities.change_all([Change(POWER), Change(HEAT), Change(EntityKey("line", "L"))])
    yield archive
    archive.close()


def amounts(archive: Archive, as_of_us: int | None = None) -> list[str]:
    return [one.amount for one in archive.charges.of(POWER, None, as_of_us)]


def test_a_charge_is_kept_exactly_with_its_own_period(archive: Archive) -> None:
    made = archive.charges.state(FIRST)
    assert made.is_new
    assert made.charge[2:8] == ("T2.09", T0_US, T0_US + 31 * DAY_US, "1234.5", "CNY", "no. 7")
    again = archive.charges.state(FIRST._replace(amount=1234.5))
    assert (again.is_new, again.charge.number) == (False, made.charge.number)


def test_another_amount_supersedes_and_the_former_is_told_as_of_then(
    archive: Archive, clock: ManualClock
) -> None:
    before_us = clock.now_us()
    first = archive.charges.state(FIRST).charge
    clock.advance(60)
    second = archive.charges.state(FIRST._replace(amount="-10", reason="退补"))
    assert second.charge.supersedes == first.number
    assert amounts(archive) == ["-10"]
    assert amounts(archive, before_us) == ["1234.5"]
    assert amounts(archive, before_us - 1) == []
    every = archive.charges.of(POWER, has_all=True)
    assert [one.superseded_us for one in every] == [before_us + 60_000_000, None]
    assert [one.amount for one in archive.charges.page(0, 9)] == ["-10"]
    assert archive.charges.page(second.charge.number, 9) == []


def test_an_overlap_is_told_and_a_correction_of_the_period_names_what_it_supersedes(archive: Archive) -> None:
    first = archive.charges.state(FIRST).charge
    shifted = FIRST._replace(start_us=T0_US + DAY_US)
    told = archive.charges.state(shifted)
    assert [one.number for one in told.overlapping] == [first.number]
    assert len(amounts(archive)) == 2
    later = archive.charges.state(FIRST._replace(start_us=FIRST.end_us, end_us=FIRST.end_us + DAY_US))
    assert later.overlapping == []
    moved = shifted._replace(start_us=T0_US + 2 * DAY_US, supersedes=told.charge.number)
    assert [one.number for one in archive.charges.state(moved).overlapping] == [first.number]
    assert len(amounts(archive)) == 3
    with pytest.raises(EntityInvalid, match="none of this account"):
        archive.charges.state(moved)


def test_an_account_with_two_kinds_of_charges_says_which(archive: Archive) -> None:
    billed = Billed(HEAT, "", T0_US, T0_US + 150 * DAY_US, "3000")
    with pytest.raises(EntityInvalid, match=r"T4\.07 .*T4\.08"):
        archive.charges.state(billed)
    for item in ("T4.07", "heating_charge"):
        assert archive.charges.state(billed._replace(item=item)).overlapping == []
    assert [one.item for one in archive.charges.of(HEAT, "thermal.user.heating_charge")] == ["T4.08"]
    with pytest.raises(EntityInvalid, match="none"):
        archive.charges.state(Billed(EntityKey("line", "L"), "", 0, 1, 1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"end_us": T0_US},
        {"end_us": T0_US + 1200 * DAY_US},
        {"unit": "USD"},
        {"amount": "1.234"},
        {"amount": "about 5"},
        {"amount": None},
        {"document": "x" * 201},
        {"document": "a\nb"},
        {"supersedes": 9},
    ],
    ids=str,
)
def test_what_is_no_charge_is_refused(archive: Archive, wrong: dict[str, object]) -> None:
    with pytest.raises(EntityInvalid):
        archive.charges.state(FIRST._replace(**wrong))  # type: ignore[arg-type]
    assert amounts(archive) == []


def test_one_fault_costs_only_itself(archive: Archive) -> None:
    outcomes = archive.charges.state_all([FIRST._replace(key=EntityKey("power_account", "none")), FIRST])
    assert [type(one) for one in outcomes] == [EntityNotFound, Outcome]
