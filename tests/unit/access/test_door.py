import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.access.book import Book
from historian.access.door import Door
from historian.access.password import Cost
from historian.access.record import Person
from historian.clock import ManualClock
from historian.errors import AccessInvalid, LoginLocked, LoginRefused, LoginsFull
from historian.metrics import Metrics
from historian.model.access import Role
from historian.settings import AccessSettings

GOOD = "Correct-Horse-7-battery"
LIMITS = AccessSettings(logins_at_once_max=1, logins_waiting_max=1, login_failures_max=3)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def door(tmp_path: Path, metrics: Metrics) -> Iterator[Door]:
    clock = ManualClock(1_795_190_400_000_000)
    book = Book(tmp_path / "a", clock, LIMITS)
    yield Door(book, clock, metrics, Cost(2, 1, 1))
    book.close()


async def anna(door: Door) -> None:
    door.book.add_person(Person(id="anna", roles=(Role.EDITOR,)))
    await door.set_password("anna", GOOD, must_change=False)


def checks(metrics: Metrics) -> float:
    return metrics.counter("historian_access_password_checks_total", "").value


async def test_who_does_not_exist_costs_and_hears_the_same(door: Door, metrics: Metrics) -> None:
    await anna(door)
    door.book.add_person(Person(id="nopass"))
    told = []
    for name in ("anna", "nobody", "nopass"):
        before = checks(metrics)
        with pytest.raises(LoginRefused) as refused:
            await door.log_in(name, "wrong", "10.0.0.1")
        told.append((str(refused.value), checks(metrics) - before))
    assert len(set(told)) == 1
    assert told[0][1] == 1


async def test_failures_lock_whether_the_account_exists_or_not(door: Door) -> None:
    await anna(door)
    for name in ("anna", "nobody"):
        for _ in range(3):
            with pytest.raises(LoginRefused):
                await door.log_in(name, "wrong", f"10.0.0.{len(name)}")
        with pytest.raises(LoginLocked) as locked:
            await door.log_in(name, GOOD, "10.9.9.9")
        assert locked.value.retry_after_s == 60


async def test_a_storm_of_logins_is_refused_and_not_queued(door: Door, metrics: Metrics) -> None:
    await anna(door)
    tried = [door.log_in("anna", GOOD, "10.0.0.1") for _ in range(10)]
    results = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(isinstance(one, LoginsFull) for one in results) == 8
    assert sum(not isinstance(one, Exception) for one in results) == 2


async def test_a_former_password_does_not_come_back(door: Door) -> None:
    await anna(door)
    await door.change_password("anna", GOOD, "Another-Horse-8-staple", "")
    with pytest.raises(AccessInvalid, match="used before"):
        await door.change_password("anna", "Another-Horse-8-staple", GOOD, "")


async def test_no_password_is_in_a_log(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    await anna(door)
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(LoginRefused):
            await door.log_in("anna", "Secret-Wrong-1", "10.0.0.1")
        await door.log_in("anna", GOOD, "10.0.0.1")
    assert not any(
        word in str(record.__dict__) for record in caplog.records for word in (GOOD, "Secret-Wrong-1")
    )


async def test_the_first_administrator_needs_the_token(door: Door) -> None:
    token = door.book.make_setup_token()
    with pytest.raises(LoginRefused):
        await door.set_up("setup_wrong", "root.a", "", GOOD, "")
    person = await door.set_up(token, "root.a", "", GOOD, "")
    assert person.roles == (Role.ADMIN,)
    assert door.book.has_admin()
