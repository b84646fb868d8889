"""RFC 5424 as a log server reads it."""

import re

import pytest

from historian.audit import chain, syslog
from historian.model.audit import AuditRecord, Kind


@pytest.mark.parametrize(
    ("kind", "result", "priority"),
    [(Kind.EDIT, "done", 13 * 8 + 5), (Kind.EDIT, "failed", 13 * 8 + 4), (Kind.DENIED, "denied", 13 * 8 + 4)],
)
def test_a_message_has_its_head_and_the_record_as_stored(kind: Kind, result: str, priority: int) -> None:
    record = AuditRecord(
        number=1, time="2026-11-22T08:00:00.123456Z", local="", kind=kind, who="李", who_kind="person",
        result=result, prev=chain.FIRST.hash,
    )  # fmt: skip
    stored, _ = chain.encode(record)
    line = chain.decode(stored)
    assert line is not None
    message = syslog.message_of(line, stored, "host with blanks", 42)
    match = re.fullmatch(rb"<(\d+)>1 (\S+) (\S+) historian 42 (\S+) - \xef\xbb\xbf(.*)", message, re.DOTALL)
    assert match is not None
    assert match.groups() == (
        str(priority).encode(), b"2026-11-22T08:00:00.123456Z", b"hostwithblanks", kind.encode(), stored[:-1],
    )  # fmt: skip
    assert syslog.framed(message) == str(len(message)).encode() + b" " + message
