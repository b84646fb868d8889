"""Changes of figures between the log and their JSON form, and the places in the log that clients keep."""

import datetime
from typing import Final

from api import cursor
from api.context import ApiContext
from api.reach import Points
from api.schemas_terms import ChangeRow
from api.time_form import TimeForm
from historian.rollup.change_log import Page

BEGINNING: Final = "0"  # asks for all that is kept
_SCOPE: Final = "changes"


def rows_of(page: Page, context: ApiContext, points: Points, times: TimeForm) -> list[ChangeRow]:
    """One row a change of these points, in order."""
    changes = page.changes
    columns = zip(
        changes.point_id.tolist(), points.names(changes.point_id), changes.day.tolist(),
        changes.revision.tolist(), changes.is_complete.tolist(), page.time_us.tolist(), strict=True,
    )  # fmt: skip
    return [
        ChangeRow(
            point=name,
            date=datetime.date.fromordinal(day).isoformat(),
            revision=revision,
            is_complete=bool(is_complete),
            changed_at=times.time(time_us),
            is_locked=context.billing.is_locked(point_id, day),
        )
        for point_id, name, day, revision, is_complete, time_us in columns
        if name  # none where the point is not the caller's
    ]


def write_place(place: int) -> str:
    """The text of a place, as clients give it back."""
    return cursor.write(place, _SCOPE)


def read_place(text: str | None) -> int | None:
    """The place of a text, 0 for the beginning, None where there is none. Raises Problem 400 for what is none of ours."""
    return 0 if text == BEGINNING else cursor.read(text, _SCOPE)
