"""Entities asked at and as of any moment answer as a plain list does; codes find every wrong sign; tables go out and in again."""

import csv
import io
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.catalogue.archive import open_archive
from historian.catalogue.archive_csv import ArchiveCsv
from historian.catalogue.entity_book import Change
from historian.catalogue.item_files import load_items
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.errors import EntityInvalid
from historian.model import uscc
from historian.model.entity import BEGINNING_US, EntityKey, Stated, spans_of, values_at
from historian.resources import config_dir

STANDARD = config_dir() / "standard"
ITEMS = load_items(STANDARD / "catalogue.toml")
KEY = EntityKey("substation", "S1")

moments = st.integers(0, 6)
texts = st.none() | st.sampled_from(["a", "b", "c"])


class Said(NamedTuple):
    """One statement, as its author made it; the clock goes on by `waited` before it."""

    name: str
    from_us: int
    value: str | None
    is_withdrawn: bool
    waited: int


statements = st.lists(
    st.builds(Said, st.sampled_from(["x", "y"]), moments, texts, st.booleans(), st.integers(0, 2)),
    max_size=12,
)


def plain_answer(said: list[tuple[int, Said]], name: str, at_us: int, as_of_us: int) -> str | None:
    """By going through all moments backwards: what was last said for it counts."""
    for moment in range(at_us, -1, -1):
        about = [
            one
            for recorded, one in said
            if recorded <= as_of_us and (one.name, one.from_us) == (name, moment)
        ]
        if about and not about[-1].is_withdrawn:
            return about[-1].value
    return None


@given(statements)
def test_the_past_is_answered_both_ways_as_by_a_plain_list(drawn: list[Said]) -> None:
    now, said = 0, []
    for one in drawn:
        now += one.waited
        said.append((now, one))
    rows = [
        Stated(
            number, one.name, one.from_us, None if one.is_withdrawn else one.value, one.is_withdrawn, recorded
        )
        for number, (recorded, one) in enumerate(said)
    ]
    for as_of_us in range(now + 1):
        spans = spans_of(rows, as_of_us)
        for at_us in range(8):
            held = values_at(spans, at_us)
            for name in ("x", "y"):
                found = held[name].stated.value if name in held else None
                assert found == plain_answer(said, name, at_us, as_of_us)


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["name", "extra.x"]), moments, texts, st.integers(0, 2)), max_size=8)
)
def test_a_book_on_disk_answers_as_a_plain_list(drawn: list[tuple[str, int, str | None, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(100)
        archive = open_archive(Path(folder) / "c.sqlite", clock, STANDARD)
        archive.entities.change(Change(KEY))
        said = []
        for name, from_us, value, waited in drawn:
            clock.set_wall(clock.now_us() + waited)
            archive.entities.change(Change(KEY, {name: value}, from_us))
            said.append((clock.now_us(), Said(name, from_us, value, False, 0)))
        for as_of_us in range(100, clock.now_us() + 1):
            for at_us in range(7):
                held = archive.entities.known(KEY, at_us, as_of_us).held
                for name in ("name", "extra.x"):
                    found = held[name].stated.value if name in held else None
                    assert found == plain_answer(said, name, at_us, as_of_us)
        archive.close()


@st.composite
def codes(draw: st.DrawFn) -> str:
    """Any code that holds."""
    organisation = draw(st.text(uscc.ALPHABET, min_size=8, max_size=8))
    sign = uscc.organisation_check_sign(organisation)
    region = draw(st.text("0123456789", min_size=6, max_size=6))
    first = draw(st.sampled_from("159Y")) + draw(st.sampled_from("1239")) + region + organisation + sign
    return first + uscc.check_sign(first)


@given(codes(), st.data())
def test_a_code_is_found_right_and_every_single_wrong_sign_is_found(code: str, data: st.DataObject) -> None:
    assert uscc.normalised(code) == code
    full_width = "".join(chr(ord(sign) + 0xFEE0) for sign in code.lower())
    assert uscc.normalised(full_width) == code
    place = data.draw(st.integers(0, 17))
    other = data.draw(st.sampled_from([sign for sign in uscc.ALPHABET if sign != code[place]]))
    with pytest.raises(EntityInvalid):
        uscc.normalised(code[:place] + other + code[place + 1 :])


printable = st.text(
    st.characters(exclude_categories=("C", "Z"), include_characters=' ,"'), min_size=1, max_size=12
).filter(lambda text: bool(text.strip()) and text.isprintable())
ids = st.text("abcXYZ019-._:站", min_size=1, max_size=8).filter(lambda text: text not in (".", ".."))
changes = st.lists(
    st.tuples(ids, st.sampled_from(["name", "extra.备注"]), printable, st.just(BEGINNING_US) | moments),
    max_size=10,
)


@settings(max_examples=8, deadline=None)
@given(changes)
def test_a_table_that_goes_out_and_in_again_is_the_same(drawn: list[tuple[str, str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        texts = []
        for name in ("a", "b"):
            path, clock = Path(folder) / name, ManualClock(10**15)
            registry, archive = Registry(path, clock, "UTC"), open_archive(path, clock, STANDARD)
            tables = ArchiveCsv(archive, registry, "UTC")
            if texts:
                assert tables.take("entities", io.StringIO(texts[0], newline="")).rejects == []
            else:
                for entity_id, attribute, value, from_us in drawn:
                    from_us = from_us if from_us == BEGINNING_US else from_us * 1_000_000
                    archive.entities.change(Change(EntityKey("line", entity_id), {attribute: value}, from_us))
            text = io.StringIO(newline="")
            csv.writer(text).writerows(tables.rows("entities"))
            texts.append(text.getvalue())
            archive.close()
            registry.close()
        assert texts[0] == texts[1]
