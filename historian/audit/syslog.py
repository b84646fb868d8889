"""Records as syslog messages: RFC 5424, framed by octet counting (RFC 6587) where the way is a stream."""

from typing import Final

from historian.audit.chain import Line
from historian.model.audit import Kind

FACILITY_AUDIT: Final = 13  # "log audit" of RFC 5424
WARNING: Final = 4
NOTICE: Final = 5
APP_NAME: Final = "historian"
_BOM: Final = b"\xef\xbb\xbf"
_BAD_RESULTS: Final = frozenset({"refused", "failed", "denied"})


def message_of(line: Line, stored: bytes, host: str, process_id: int) -> bytes:
    """One message. Its text is the record as it is stored, hash and all, so the log server holds the chain, too."""
    record = line.record
    is_bad = record.result in _BAD_RESULTS or record.kind in (Kind.DENIED, Kind.TIME_STEP)
    priority = FACILITY_AUDIT * 8 + (WARNING if is_bad else NOTICE)
    head = f"<{priority}>1 {record.time} {_name(host, 255)} {APP_NAME} {process_id} {record.kind} - "
    return head.encode() + _BOM + stored.rstrip(b"\n")


def framed(message: bytes) -> bytes:
    """With its length in front."""
    return str(len(message)).encode() + b" " + message


def _name(text: str, length_max: int) -> str:
    """Printable ASCII without blanks, or a dash."""
    return "".join(sign for sign in text if "!" <= sign <= "~")[:length_max] or "-"
