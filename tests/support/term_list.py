"""Terms of points by hand: a directory of terms for services."""

from collections.abc import Mapping, Sequence

from historian.catalogue.term_book import digest_of
from historian.model.term import NO_TERMS, PointTerms, Span, kind_of, with_span


class TermList:
    """Implements TermDirectory; has no history."""

    def __init__(self, spans: Mapping[int, Sequence[Span]] | None = None) -> None:
        self.revision = 0
        self._terms: dict[int, PointTerms] = {}
        for point_id, some in (spans or {}).items():
            self.put(point_id, some)

    def put(self, point_id: int, spans: Sequence[Span]) -> None:
        """State these of a point, and nothing else."""
        terms = NO_TERMS
        for span in spans:
            assert kind_of(span.term)
            terms = with_span(terms, span)
        self._terms[point_id] = terms
        self.revision += 1

    def ids(self) -> set[int]:
        return set(self._terms)

    def of(self, point_id: int) -> PointTerms:
        return self._terms.get(point_id, NO_TERMS)

    def as_of(self, point_id: int, time_us: int) -> PointTerms:
        return self.of(point_id)

    def digest(self, point_id: int) -> str:
        return digest_of(self.of(point_id).for_figures())
