"""Whatever is done to the bytes of a trail, the check finds it; only a cut-off end that nobody was told of is none."""

import zoneinfo
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from historian.audit.trail import Trail
from historian.audit.verify import verify
from historian.clock import ManualClock
from historian.model.audit import AuditEntry, Change, Kind
from historian.model.timestamp import parse_time_us
from historian.store.durable import DurableFiles

MONTHS = ("2026-10", "2026-11")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    clock = ManualClock()
    trail = Trail(folder, DurableFiles(), clock, zoneinfo.ZoneInfo("Asia/Shanghai"))
    for month in MONTHS:
        clock.set_wall(parse_time_us(f"{month}-05T00:00:00Z"))
        trail.append([
            AuditEntry(kind=Kind.EDIT, who="李", object=f"p{n}", changes=(Change("value", str(n), "0"),), reason="x" * n)
            for n in range(6)
        ])  # fmt: skip
    trail.close()
    assert verify(folder).faults == []
    return folder


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_any_edit_of_any_byte_is_found(whole: Path, tmp_path: Path, data: st.DataObject) -> None:
    contents = {path.name: path.read_bytes() for path in whole.iterdir()}
    name = data.draw(st.sampled_from([f"{month}.jsonl" for month in MONTHS]))
    old = contents[name]
    first = data.draw(st.integers(0, len(old)))
    last = data.draw(st.integers(first, min(len(old), first + 2000)))
    put_in = data.draw(
        st.one_of(st.just(b""), st.binary(max_size=40), st.sampled_from(old.splitlines(keepends=True)))
    )
    new = old[:first] + put_in + old[last:]
    for each, content in contents.items():
        (tmp_path / each).write_bytes(new if each == name else content)
    is_torn_end = name == f"{MONTHS[-1]}.jsonl" and new.startswith(old) and b"\n" not in new[len(old) :]
    if new == old or is_torn_end:
        assert verify(tmp_path).faults == []
    elif not (name == f"{MONTHS[-1]}.jsonl" and new.startswith(old)):
        assert verify(tmp_path).faults != []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(order=st.permutations(range(13)), keep=st.integers(1, 13))
def test_any_other_order_or_choice_of_records_is_found(
    whole: Path, tmp_path: Path, order: list[int], keep: int
) -> None:
    lines = b"".join((whole / f"{month}.jsonl").read_bytes() for month in MONTHS).splitlines(keepends=True)
    (tmp_path / "2026-11.jsonl").write_bytes(b"".join(lines[place] for place in order[:keep]))
    (tmp_path / "head").write_bytes((whole / "head").read_bytes())
    is_whole = order[:keep] == list(range(13))
    assert (verify(tmp_path).faults == []) == is_whole
