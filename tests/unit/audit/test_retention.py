"""What may go, and what never."""

from pathlib import Path

import pytest

from historian.audit.retention import old_months, size_bytes
from historian.model.timestamp import parse_time_us
from historian.store.durable import DurableFiles


@pytest.fixture
def months(tmp_path: Path) -> Path:
    for month in ("2026-01", "2026-02", "2026-08", "2026-09"):
        (tmp_path / f"{month}.jsonl").write_text("12345")
    (tmp_path / "head").write_text("x")
    return tmp_path


@pytest.mark.parametrize(
    ("now", "keep_days", "gone"),
    [
        pytest.param("2099-01-01", 0, [], id="nothing said"),
        pytest.param("2026-08-03", 184, [], id="a day too early"),
        pytest.param("2026-08-04", 184, ["2026-01.jsonl"], id="old enough"),
        pytest.param("2026-08-03", 10, [], id="never under half a year"),
        pytest.param("2026-12-01", 200, ["2026-01.jsonl", "2026-02.jsonl"], id="two"),
        pytest.param(
            "2099-01-01", 184, ["2026-01.jsonl", "2026-02.jsonl", "2026-08.jsonl"], id="never the newest"
        ),
    ],
)
def test_whole_months_go_when_all_of_them_is_old(
    months: Path, now: str, keep_days: int, gone: list[str]
) -> None:
    now_us = parse_time_us(f"{now}T12:00:00Z")
    assert old_months(DurableFiles(), months, now_us, keep_days) == gone


def test_the_size_is_that_of_the_months(months: Path) -> None:
    assert size_bytes(DurableFiles(), months) == 20
