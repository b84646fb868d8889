"""A directory in which no point has terms."""

from historian.model.term import NO_TERMS
from historian.rollup.term_directory import NoTerms


def test_nobody_has_terms() -> None:
    nobody = NoTerms()
    assert (nobody.ids(), nobody.of(1), nobody.as_of(1, 5), nobody.digest(1)) == (
        set(),
        NO_TERMS,
        NO_TERMS,
        "",
    )
