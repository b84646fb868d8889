"""The way in for Arrow streams; pyarrow is loaded when the first one comes, or beside the start by `load`."""

from typing import TYPE_CHECKING

import numpy as np

from api.direct_body import Body
from api.intake import Intake
from api.stored_offset import StoredOffsets
from historian.catalogue.registry import Registry

if TYPE_CHECKING:
    from api.known_names import KnownNames


class ArrowLane:
    """Remembers between requests what names mean."""

    def __init__(self, registry: Registry, offsets: StoredOffsets, bytes_max: int) -> None:
        self._registry = registry
        self._offsets = offsets
        self._bytes_max = bytes_max
        self._known: KnownNames | None = None

    def take(self, intake: Intake, body: Body) -> None:
        """Put every good row into the intake. Raises Problem where the body is no such stream."""
        from api import arrow_rows, known_names

        if self._known is None:
            self._known = known_names.KnownNames(self._registry)
        arrow_rows.take_stream(intake, body, self._bytes_max, self._known, self._offsets)


def load() -> None:
    """Load what writes and reads Arrow, which takes a fifth of a second, and as much again where pandas is installed."""
    import pyarrow

    from api import arrow_frame, arrow_rows, arrow_table, rollup_arrow  # noqa: F401

    pyarrow.array(np.zeros(1))  # at its first array pyarrow looks for pandas and loads all of it
