"""The kept figures as tools see them: what has to be made anew after a backup is restored."""

import sqlite3
from pathlib import Path
from typing import Final

from historian.errors import CatalogueError

CLOCK_SLACK_US: Final = 3_600_000_000  # a clock may be set back meanwhile; making a figure anew costs little

_MARK: Final = """
    INSERT OR IGNORE INTO dirty_day (point_id, day)
    SELECT point_id, day FROM day_figure WHERE computed_at_us >= ?
"""


def mark_younger(path: Path, time_us: int) -> int:
    """Mark every figure made after `time_us`, or shortly before, to be made anew; gives how many.

    Such a figure may count samples that came after the log was copied. Raises CatalogueError.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return connection.execute(_MARK, (time_us - CLOCK_SLACK_US,)).rowcount
    except sqlite3.Error as error:
        raise CatalogueError(str(path), str(error)) from error
    finally:
        connection.close()
