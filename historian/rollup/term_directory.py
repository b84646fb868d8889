"""Who tells the terms of points: the book of the catalogue, or nobody."""

from typing import Final, Protocol

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
