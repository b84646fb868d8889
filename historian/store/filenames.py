"""Every name the store gives to a file or folder; nothing else spells them.

    DATA/
      lock                       one process at a time; holds its process id
      manifest                   which segments live, up to which sequence they reach
      wal/0000000000000001.wal   named by the first sequence number inside
      segments/2018-01-0000000007.h5    UTC month and generation
      quarantine/                damaged pieces, set aside for a person to look at
      catalogue.sqlite           points
      journal.sqlite             outages of sources, lives of the process
      rollup.sqlite              figures of days, and which are dirty
      quarantine.sqlite          samples stamped outside the time fence, until somebody decides
      answers.sqlite             answers to requests that came with a key, for a day
      access.sqlite              people, tokens, sessions; only for the historian's own account
      kept-figures.sqlite        figures kept behind the seam, where somebody keeps any
      audit/2026-11.jsonl        who did what, by UTC month; audit/head: the newest record's number and hash
      demo-imported              the demo's data are in

The last ones belong to other packages; their names are here so that all names are in one place.
"""

import re
from pathlib import Path
from typing import Final

LOCK: Final = "lock"
MANIFEST: Final = "manifest"
WAL_FOLDER: Final = "wal"
SEGMENT_FOLDER: Final = "segments"
QUARANTINE_FOLDER: Final = "quarantine"
CATALOGUE: Final = "catalogue.sqlite"
JOURNAL: Final = "journal.sqlite"
ROLLUP: Final = "rollup.sqlite"
SAMPLE_QUARANTINE: Final = "quarantine.sqlite"
ANSWERS: Final = "answers.sqlite"
ACCESS: Final = "access.sqlite"
KEPT_FIGURES: Final = "kept-figures.sqlite"
DEMO_STAMP: Final = "demo-imported"
AUDIT_FOLDER: Final = "audit"
AUDIT_HEAD: Final = "head"
AUDIT_FORWARDED: Final = "forwarded"
AUDIT_LIFE: Final = "life"
TEMPORARY_SUFFIX: Final = ".tmp"

_WAL_NAME: Final = re.compile(r"(\d{16,19})\.wal")
_SEGMENT_NAME: Final = re.compile(r"(\d{4}-\d{2})-(\d{10})\.h5")
_AUDIT_NAME: Final = re.compile(r"(\d{4}-\d{2})\.jsonl")


def audit_name(month: str) -> str:
    """``2026-11.jsonl``"""
    return f"{month}.jsonl"


def audit_month(name: str) -> str | None:
    """The UTC month in the name of a file of the audit trail; None for any other name."""
    match = _AUDIT_NAME.fullmatch(name)
    return match[1] if match else None


def wal_name(first_sequence: int) -> str:
    """``0000000000000042.wal``"""
    return f"{first_sequence:016d}.wal"


def wal_first_sequence(path: Path) -> int | None:
    """The first sequence number a WAL file's name promises; None for any other file."""
    match = _WAL_NAME.fullmatch(path.name)
    return int(match[1]) if match else None


def segment_name(month: str, generation: int) -> str:
    """``2018-01-0000000007.h5``"""
    return f"{month}-{generation:010d}.h5"


def segment_generation(name: str) -> int | None:
    """The generation in a segment's name; None for any other name."""
    match = _SEGMENT_NAME.fullmatch(name)
    return int(match[2]) if match else None


def damaged_name(path: Path, offset: int) -> str:
    """Name under which a damaged piece of `path` is set aside."""
    return f"{path.name}.{offset}.damaged"


def unreadable_name(path: Path) -> str:
    """Name under which a file that cannot be read is set aside."""
    return f"{path.name}.unreadable"


def is_unreadable_name(name: str) -> bool:
    """Whether a file was set aside under that name because it could not be read."""
    return name.endswith(".wal.unreadable")


def taken_back_name(path: Path) -> str:
    """Name of a file that was set aside once its records are in the log again."""
    return path.name.removesuffix("unreadable") + "taken-back"
