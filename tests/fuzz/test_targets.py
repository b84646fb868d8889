"""Whatever bytes come from outside: each reader returns or raises what it documents."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import targets
from tests.fuzz.targets import Target

with targets.all_targets() as _known:
    NAMES = sorted(_known)


@pytest.fixture(scope="module")
def known() -> Iterator[dict[str, Target]]:
    with targets.all_targets() as known:
        yield known


def near(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """Any bytes, and those of a seed with a piece of it replaced."""

    @st.composite
    def changed(draw: st.DrawFn) -> bytes:
        seed = draw(st.sampled_from(seeds))
        first = draw(st.integers(0, len(seed)))
        last = draw(st.integers(first, min(len(seed), first + 8)))
        return seed[:first] + draw(st.binary(max_size=12)) + seed[last:]

    return st.binary(max_size=200) | changed()


@pytest.mark.parametrize("name", NAMES)
def test_any_bytes_are_read_or_refused(known: dict[str, Target], name: str) -> None:
    target = known[name]

    @settings(max_examples=60, deadline=None)
    @given(text=near(target.seeds))
    def read(text: bytes) -> None:
        targets.run(target, text)

    for seed in target.seeds:
        targets.run(target, seed)
    read()
