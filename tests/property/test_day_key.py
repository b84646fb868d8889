"""A KeySet is a set, whatever is done to it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from historian.rollup.day_key import KeySet

columns = st.sets(st.integers(0, 60), max_size=20).map(lambda keys: np.array(sorted(keys), np.int64))
steps = st.lists(st.tuples(st.sampled_from(["add", "discard", "keep_only"]), columns), max_size=30)


@given(steps, columns)
def test_a_key_set_equals_a_plain_set(todo: list[tuple[str, np.ndarray]], asked: np.ndarray) -> None:
    found, plain = KeySet(), set[int]()
    for verb, keys in todo:
        if verb == "add":
            assert set(found.add(keys).tolist()) == set(keys.tolist()) - plain
            plain |= set(keys.tolist())
        elif verb == "discard":
            found.discard(keys)
            plain -= set(keys.tolist())
        else:
            found.keep_only(keys)
            plain &= set(keys.tolist())
        assert len(found) == len(plain)
    assert found.holds(asked).tolist() == [key in plain for key in asked.tolist()]
    assert found.to_column().tolist() == sorted(plain)
