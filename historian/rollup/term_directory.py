"""Who tells the terms of points: the book of the catalogue, or nobody."""

from typing import Final, Protocol

from historian.catalogue.term_book import digest_of
from historian.model.term import NO_TERMS, PointTerms


class TermDirectory(Protocol):
    """Terms by point id; see `catalogue.term_book.TermBook`."""

    @property
    def revision(self) -> int:
        """Grows with every change."""
        ...

    def ids(self) -> set[int]:
        """Every point that may have terms; all others have none."""
        ...

    def of(self, point_id: int) -> PointTerms:
        """The terms of a point as they are known now."""
        ...

    def as_of(self, point_id: int, time_us: int) -> PointTerms:
        """The terms of a point as they were known at `time_us`."""
        ...

    def digest(self, point_id: int) -> str:
        """Names the terms of a point; empty where there are none."""
        ...


class TermsThen:
    """A directory as it was at a moment."""

    def __init__(self, terms: TermDirectory, time_us: int) -> None:
        self._terms = terms
        self._time_us = time_us
        self.revision = 0

    def ids(self) -> set[int]:
        return self._terms.ids()

    def of(self, point_id: int) -> PointTerms:
        return self._terms.as_of(point_id, self._time_us)

    def as_of(self, point_id: int, time_us: int) -> PointTerms:
        return self._terms.as_of(point_id, min(time_us, self._time_us))

    def digest(self, point_id: int) -> str:
        return digest_of(self.of(point_id).for_figures())


class NoTerms:
    """A directory in which no point has terms."""

    revision: Final = 0

    def ids(self) -> set[int]:
        return set()

    def of(self, point_id: int) -> PointTerms:
        return NO_TERMS

    def as_of(self, point_id: int, time_us: int) -> PointTerms:
        return NO_TERMS

    def digest(self, point_id: int) -> str:
        return ""
