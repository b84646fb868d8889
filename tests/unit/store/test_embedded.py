"""The embedded store as an engine: verbs bound once, retention, figures that outlive the process."""

from pathlib import Path

import numpy as np

from historian.model.sample import make_batch
from historian.store.embedded import EmbeddedEngine
from tests.support import store_kit
from tests.support.store_kit import ORIGIN, QUARTER_US, START_US, open_store

DAY_US = 96 * QUARTER_US


def open_engine(folder: Path) -> EmbeddedEngine:
    return EmbeddedEngine(open_store(folder), store_kit.no_checkpoint_work)


async def put(engine: EmbeddedEngine, day: int, value: float) -> None:
    await engine.commit(engine.append(make_batch([1], [START_US + day * DAY_US], [value]), ORIGIN))


async def values_of(engine: EmbeddedEngine) -> list[float]:
    block = await engine.read_block([1], START_US, START_US + 100 * DAY_US)
    return list(block.value.tolist())


async def test_verbs_of_samples_are_the_store_s_own(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    for verb in ("append", "commit", "read_block", "last_block"):
        assert getattr(engine, verb) == getattr(engine.store, verb), verb
    await engine.close()


async def test_what_was_committed_outlives_closing(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    await put(engine, 0, 1.0)
    await engine.close()
    engine = open_engine(tmp_path)
    assert await values_of(engine) == [1.0]
    await engine.close()


async def test_drop_before_removes_what_is_older_sealed_or_not(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    for day in (0, 40):
        await put(engine, day, float(day))
    await store_kit.seal(engine.store)
    for day in (1, 41):
        await put(engine, day, float(day))
    await engine.drop_before(START_US + 40 * DAY_US)
    assert await values_of(engine) == [40.0, 41.0]
    await engine.close()
    engine = open_engine(tmp_path)
    assert await values_of(engine) == [40.0, 41.0]
    await engine.close()


async def test_dropping_waits_for_what_must_be_durable_before_a_checkpoint(tmp_path: Path) -> None:
    waited: list[int] = []

    async def note() -> None:
        waited.append(engine.store.manifest.sealed_sequence)

    engine = EmbeddedEngine(open_store(tmp_path), note)
    await put(engine, 0, 1.0)
    await engine.drop_before(START_US + DAY_US)
    assert waited == [0], "before the log's records are let go of"
    await engine.close()


async def test_figures_survive_reopening(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    ids, days = np.array([1, 2], np.uint32), np.array([7, 7], np.int64)
    await engine.rollup_put("day", ids, days, {"energy": np.array([1.5, 2.5])}, 3)
    await engine.close()
    engine = open_engine(tmp_path)
    found = await engine.rollup_get("day", np.array([2, 1], np.uint32), 7, 8)
    assert (found.point_id.tolist(), found.columns["energy"].tolist()) == ([1, 2], [1.5, 2.5])
    await engine.close()
