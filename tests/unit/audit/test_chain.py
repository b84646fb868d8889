"""A line of the trail: what is one byte another way is no record."""

import pytest

from historian.audit import chain
from historian.audit.chain import FIRST, Fault, Line
from historian.model.audit import AuditRecord, Change, Kind


def record(number: int = 1, prev: str = FIRST.hash, **more: object) -> AuditRecord:
    return AuditRecord(
        number=number, time="2026-11-22T08:00:00Z", local="2026-11-22T16:00:00+08:00[Asia/Shanghai]",
        kind=Kind.EDIT, who="li", who_kind="person", result="done", prev=prev, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_record_comes_back_and_its_hash_is_that_of_the_bytes_before_it() -> None:
    import hashlib

    told = record(changes=(Change("unit", "kW", "MW"),), reason="抄表")
    line, anchor = chain.encode(told)
    found = chain.decode(line)
    assert found is not None
    assert (found.record, found.anchor) == (told, anchor)
    assert anchor.hash == hashlib.sha256(line[: line.rindex(b',"hash"')]).hexdigest()


def test_no_byte_can_be_another() -> None:
    line, _ = chain.encode(record(reason="x"))
    for place in range(len(line)):
        changed = bytearray(line)
        changed[place] ^= 1
        assert chain.decode(bytes(changed)) is None, place


def test_walking_tells_records_and_what_is_none_by_place() -> None:
    first, anchor = chain.encode(record())
    second, _ = chain.encode(record(2, anchor.hash))
    pieces = list(chain.walk(first + b"nonsense\n" + second + second[:20], 100))
    assert [type(piece) for piece in pieces] == [Line, Fault, Line, Fault]
    assert [piece.offset for piece in pieces] == [
        100,
        100 + len(first),
        109 + len(first),
        109 + len(first + second),
    ]
    assert isinstance(pieces[3], Fault)
    assert "cut off" in pieces[3].problem


@pytest.mark.parametrize(
    ("number", "is_right_hash", "said"),
    [
        pytest.param(8, True, "", id="next"),
        pytest.param(8, False, "does not follow", id="another one"),
        pytest.param(10, False, "records 8 to 9 are missing", id="deleted"),
        pytest.param(10, True, "records 8 to 9 were lost", id="written after a loss"),
        pytest.param(7, False, "stands behind", id="twice"),
        pytest.param(7, True, "stands behind", id="number twice"),
    ],
)
def test_what_cannot_follow_says_why(number: int, is_right_hash: bool, said: str) -> None:
    before = chain.Anchor(7, "a" * 64)
    line = Line(0, 1, record(number, before.hash if is_right_hash else "b" * 64), "c" * 64)
    problem = chain.link_problem(before, line)
    assert said in problem if said else problem == ""
