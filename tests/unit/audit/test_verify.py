"""Whatever is done to a trail is found; tests/property/test_audit_chain.py does it to every byte."""

from pathlib import Path

import pytest

from historian.audit.verify import verify
from historian.clock import ManualClock
from historian.model.audit import Anchor
from tests.unit.audit.conftest import entry, open_trail

MONTH = "2026-11.jsonl"


@pytest.fixture
def filled(folder: Path, clock: ManualClock) -> Path:
    trail = open_trail(folder, clock)
    trail.append([entry(str(number)) for number in range(5)])
    trail.close()
    return folder


def rewrite(folder: Path, order: list[int]) -> None:
    lines = (folder / MONTH).read_bytes().splitlines(keepends=True)
    (folder / MONTH).write_bytes(b"".join(lines[place] for place in order))


@pytest.mark.parametrize(
    ("order", "number", "said"),
    [
        pytest.param([0, 1, 3, 4, 5], 4, "records 3 to 3 are missing", id="deleted"),
        pytest.param([1, 2, 3, 4, 5], 2, "no record tells of their removal", id="the first deleted"),
        pytest.param([0, 2, 1, 3, 4, 5], 3, "records 2 to 2 are missing", id="moved"),
        pytest.param([0, 1, 1, 2, 3, 4, 5], 2, "stands behind", id="put in twice"),
        pytest.param([0, 1, 2, 3], 4, "records 5 to 6 are gone: the head names them", id="cut"),
    ],
)
def test_the_first_broken_record_is_named(filled: Path, order: list[int], number: int, said: str) -> None:
    rewrite(filled, order)
    first = verify(filled).faults[0]
    assert (first.number, first.file) == (number, MONTH)
    assert said in first.problem


def test_a_whole_chain_written_anew_is_found_by_an_anchor_only(filled: Path, clock: ManualClock) -> None:
    kept = verify(filled).anchor
    for path in filled.iterdir():
        path.unlink()
    trail = open_trail(filled, clock)
    trail.append([entry("another")] * 9)
    trail.close()
    number, _, digest = kept.partition(":")
    anchor = Anchor(int(number), digest)
    assert verify(filled).faults == []
    assert [fault.problem for fault in verify(filled, (anchor,)).faults] == [
        "record 6 is not the one that the anchor names"
    ]
    assert "are gone" in verify(filled, (Anchor(99, digest),)).faults[0].problem


def test_no_trail_is_no_fault(folder: Path) -> None:
    assert verify(folder).records == 0
