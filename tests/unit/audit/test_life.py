"""Starts, stops and what changed between them; steps of the clock."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from historian.audit.life import ClockWatch, LifeWriter, all_settings
from historian.audit.recorder import Recorder
from historian.clock import ManualClock
from historian.metrics import Metrics
from historian.model.audit import AuditQuestion, AuditRecord, Change
from historian.model.timestamp import TIME_MAX_US
from historian.settings import AuditSettings, Settings
from historian.store.durable import DurableFiles
from tests.unit.audit.conftest import NOW_US, ZONE


@pytest.fixture
async def recorder(folder: Path, clock: ManualClock) -> AsyncIterator[Recorder]:
    recorder = Recorder(folder, DurableFiles(), clock, Metrics(), AuditSettings(), ZONE)
    await recorder.open()
    yield recorder
    await recorder.close()


async def told(recorder: Recorder) -> list[AuditRecord]:
    return (await recorder.read(AuditQuestion(0, TIME_MAX_US))).records[1:]


def life_of(recorder: Recorder, version: str = "1") -> LifeWriter:
    return LifeWriter(recorder, recorder.folder, DurableFiles(), version)


async def test_settings_that_changed_between_starts_are_told_and_an_orderly_stop_is_one(
    recorder: Recorder,
) -> None:
    life = life_of(recorder)
    await life.started(Settings())
    await life.stopped("")
    await life.stopped("could not start")  # what unwinds afterwards
    await life_of(recorder, "2").started(
        msgspec.structs.replace(Settings(), audit=AuditSettings(keep_days=200))
    )
    records = await told(recorder)
    assert [record.action for record in records] == ["start", "stop", "start"]
    assert records[0].changes == ()
    assert records[2].changes == (Change("version", "1", "2"), Change("audit.keep_days", "0", "200"))
    assert records[0].detail.split()[-1] != records[2].detail.split()[-1]  # the settings' digest


async def test_a_start_after_a_kill_says_so(recorder: Recorder) -> None:
    await life_of(recorder).started(Settings())
    await life_of(recorder).started(Settings())
    assert [record.action for record in await told(recorder)] == ["start", "unclean_stop", "start"]


def test_every_setting_has_its_dotted_name() -> None:
    names = {change.what for change in all_settings(Settings())}
    assert {"time_zone", "server.listen", "audit.syslog"} <= names


@pytest.mark.parametrize("step_s", [7.5, -3600.0])
async def test_a_step_of_the_clock_is_told_and_its_going_is_not(
    recorder: Recorder, clock: ManualClock, step_s: float
) -> None:
    watch = ClockWatch(recorder, clock, Metrics(), 1000)
    clock.advance(3600)
    await watch.look()
    clock.advance(1)
    clock.set_wall(clock.now_us() + round(step_s * 1e6))
    await watch.look()
    await watch.look()
    await recorder.close()
    [step] = await told(recorder)
    assert step.detail == f"by {step_s:+.3f} s"
    assert step.changes[0].old == "2026-11-22T09:00:01Z"
    assert clock.now_us() > NOW_US - 3_600_000_000
