"""Writes into the audit trail what commands do to a data folder, beside a running historian or without one."""

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from historian.errors import AuditUnavailable

if TYPE_CHECKING:  # `--help` loads nothing heavy
    from historian.model.audit import AuditEntry

LOCAL: Final = "local"
_CHANGING: Final = frozenset({"access", "edit", "import"})  # what the trail must have before it takes effect


class _Told(NamedTuple):
    """What a command is in the trail, of which data folder, and on what."""

    kind: str
    data: Path
    object: str


def run(options: argparse.Namespace, work: Callable[[], int]) -> int:
    """Do the work, told before and after. Raises AuditUnavailable where a change could not be told."""
    told = _told(options)
    if told is None:
        return work()
    import msgspec

    from historian.model.audit import AuditEntry, Kind

    action = " ".join(
        str(part)
        for name in ("command", "access_kind", "audit_kind", "import_kind", "archive_kind", "quarantine_kind")
        if (part := getattr(options, name, None)) is not None
    )  # fmt: skip
    entry = AuditEntry(
        kind=Kind(told.kind), who=_who(), who_kind=LOCAL, address=LOCAL, action=action, object=told.object,
        reason=getattr(options, "reason", None) or "",
    )  # fmt: skip
    begun = 0
    if told.kind != "restore":  # it asks for an empty folder
        begun = _write(told, msgspec.structs.replace(entry, result="begun"))
    result = "failed"
    try:
        code = work()
        result = "done" if code == 0 else "failed"
    finally:
        if told.kind != "restore" or result == "done":
            _write(told, msgspec.structs.replace(entry, result=result, begun=begun), is_end=True)
    return code


def _told(options: argparse.Namespace) -> _Told | None:
    if getattr(options, "server", None) is not None:
        return None  # that historian writes it down
    match options.command:
        case "backup":
            return _Told("backup", options.folder, str(options.target))
        case "restore":
            return _Told("restore", options.folder, str(options.backup))
        case "archive":
            return _Told(options.archive_kind, options.data, f"{options.table} {options.file}")
        case "import":
            return _Told("import", options.data, str(options.file))
        case "export":
            return _Told("export", options.data, f"{options.output} {' '.join(options.points)}")
        case _ if getattr(options, "quarantine_kind", "list") != "list":
            return _Told("edit", options.data, " ".join(options.ids))
        case "access" if options.access_kind != "list":
            return _Told("access", options.data, getattr(options, "name", None) or options.id)
        case "audit" if options.audit_kind != "verify":
            return _Told("audit_read", options.data, f"since {options.since} until {options.until}")
    return None


def _write(told: _Told, entry: "AuditEntry", *, is_end: bool = False) -> int:
    from historian import settings
    from historian.audit.trail import Trail
    from historian.clock import SystemClock
    from historian.model import timestamp
    from historian.store import filenames
    from historian.store.durable import DurableFiles

    if not told.data.is_dir() and told.kind != "import":
        return 0  # the command says so
    zone = timestamp.load_zone(settings.Settings().time_zone)
    trail = Trail(told.data / filenames.AUDIT_FOLDER, DurableFiles(), SystemClock(), zone)
    try:
        return trail.append([entry])[0]
    except OSError as error:
        problem = f"the audit trail in {trail.folder} cannot be written: {error.strerror or error}"
        if told.kind in _CHANGING and not is_end:
            raise AuditUnavailable(f"{problem}; nothing was done") from error
        print(f"historian: {problem}", file=sys.stderr)
        return 0
    finally:
        trail.close()


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
