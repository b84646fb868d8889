"""The table of keys agrees with a dict, whatever is put in."""

from hypothesis import given
from hypothesis import strategies as st

from api.line_key_table import LineKeyTable

KEYS = st.tuples(st.binary(min_size=1, max_size=6), st.binary(min_size=1, max_size=4))


@given(st.lists(st.tuples(KEYS, st.integers(1, 2**32 - 1)), max_size=60))
def test_the_table_agrees_with_a_dict(entries: list[tuple[tuple[bytes, bytes], int]]) -> None:
    table, model = LineKeyTable(), dict[tuple[bytes, bytes], int]()
    for key, point_id in entries:
        table.insert(*key, point_id)
        model.setdefault(key, point_id)
    assert {key: table.find(*key) for key in model} == model
    assert table.key_count == len(model)


def test_it_grows_and_keeps_every_key() -> None:
    table = LineKeyTable()
    keys = [(f"meter,id={number}".encode(), b"value") for number in range(5_000)]
    for point_id, key in enumerate(keys, 1):
        table.insert(*key, point_id)
    assert [table.find(*key) for key in keys] == list(range(1, 5_001))


def test_it_starts_anew_at_its_limit() -> None:
    table = LineKeyTable(keys_max=4)
    for point_id in range(1, 7):
        table.insert(b"m", str(point_id).encode(), point_id)
    assert table.key_count <= 4
    assert table.find(b"m", b"6") == 6


def test_where_series_and_field_part_is_part_of_the_key() -> None:
    table = LineKeyTable()
    table.insert(b"ab", b"c", 1)
    table.insert(b"a", b"bc", 2)
    assert (table.find(b"ab", b"c"), table.find(b"a", b"bc")) == (1, 2)
