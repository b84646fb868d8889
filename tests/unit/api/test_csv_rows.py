"""CSV rows keep their line numbers, whatever stands between them."""

from pathlib import Path

import pytest

from api.csv_rows import take_rows
from api.intake import Intake
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.model.point import PointDraft, PointKind
from tests.unit.api.memory_store import MemoryStore


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path / "points.db", ManualClock(), "UTC")
    registry.create(PointDraft(name="a", unit="kW", kind=PointKind.INSTANTANEOUS))
    return registry


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("point,time,value\na,0,1\nx,0,1\n", [3]),
        ("point,time,value\n\n\nx,0,1\n", [4]),
        ('point,time,value\n"a",0,1\n"x\ny",0,1\nx,0,1\n', [3, 5]),
        ("point,time,value\r\na,0,1\r\nx,0,1", [3]),
        ("value,point,time\n1,x,0\n", [2]),
        (" Point , TIME , value \nx,0,1\n", [2]),
    ],
    ids=["plain", "blank lines", "a cell of two lines", "returns", "other order", "header in other case"],
)
async def test_a_bad_row_is_told_by_the_line_it_begins_on(
    registry: Registry, text: str, lines: list[int]
) -> None:
    intake = Intake("line")
    take_rows(intake, text.encode(), registry)
    reply = await intake.send(MemoryStore())
    assert [reject.line for reject in reply.rejects] == lines
    registry.close()


async def test_rows_of_one_point_keep_their_order(registry: Registry) -> None:
    store, intake = MemoryStore(), Intake("line")
    take_rows(intake, b"point,time,value\na,0,1\na,0,2\na,0,3\n", registry)
    reply = await intake.send(store)
    assert (reply.accepted, reply.replaced) == (1, 2)
    assert store.samples[1][0][0] == 3.0
    registry.close()
