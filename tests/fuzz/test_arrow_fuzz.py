"""Whatever an Arrow stream holds: samples and rejects, or a problem, and never a fault or a crash of ours."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import arrow_rows
from api.intake import Intake
from api.known_names import KnownNames
from api.problem import Problem
from api.stored_offset import StoredOffsets
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.model.point import PointDraft, PointKind
from tests.unit.api.test_arrow_rows import UTC_US, batch, stream

BYTES_MAX = 1 << 20
EDGES = (0, 1, 2, 4, 8, 0x7F, 0x80, 0xFF)
WHOLE_EDGES = (0, 1, 2**31 - 1, 2**31, 2**32 - 1)
SEEDS = (
    stream(batch(), batch()),
    stream(batch(point=pa.array(["a", "b"]).dictionary_encode()), compression="zstd"),
    stream(batch(point=pa.array(["a", None]).dictionary_encode(), quality=pa.array([1, None], pa.uint16()))),
    stream(batch(value=pa.array([1, None]), time=pa.array([None, 5], UTC_US)), compression="lz4"),
    stream(batch(point=pa.array(["a", "b"]))),
)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "points.db", ManualClock(), "UTC")
    registry.create(PointDraft(name="a", unit="kW", kind=PointKind.INSTANTANEOUS))
    yield registry
    registry.close()


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """The stream with some bytes or words changed, or cut."""
    text = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(text))
        match chance.randrange(5):
            case 0 | 1:
                text[place] = chance.choice((*EDGES, chance.randrange(256)))
            case 2 | 3:
                word = chance.choice((*WHOLE_EDGES, len(text), chance.randrange(2**32)))
                text[place : place + 4] = word.to_bytes(4, "little")
            case _:
                text = text[: max(1, place)]
    return bytes(text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.sampled_from(SEEDS), chance=st.randoms(use_true_random=False), is_received=st.booleans())
def test_any_damage_gives_samples_or_a_problem(
    registry: Registry, seed: bytes, chance: random.Random, is_received: bool
) -> None:
    text = damaged(seed, chance)
    body = np.frombuffer(bytearray(text), np.uint8).data.toreadonly() if is_received else text
    intake = Intake("index")
    try:
        arrow_rows.take_stream(intake, body, BYTES_MAX, KnownNames(registry), StoredOffsets(registry))
    except Problem:
        return
    assert intake.sample_count + intake.rejected_count <= len(text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.binary(max_size=200))
def test_any_bytes_are_told_to_be_no_stream(registry: Registry, text: bytes) -> None:
    with pytest.raises(Problem):
        arrow_rows.take_stream(
            Intake("index"), text, BYTES_MAX, KnownNames(registry), StoredOffsets(registry)
        )
