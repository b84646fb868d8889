"""Terms of a point, and what holds when several were stated."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from historian.errors import TermInvalid
from historian.model import term, timestamp
from historian.model.term import (
    DemandTerm,
    ExchangeTerm,
    PointTerms,
    RegisterTerm,
    Span,
    Statement,
    Step,
    TariffTerm,
    Term,
)

END_US = timestamp.TIME_MAX_US


def stated(number: int, from_us: int, made: Term, to_us: int | None = None) -> Statement:
    return Statement(
        number=number, point_id=1, valid_from_us=from_us, valid_to_us=to_us, recorded_us=number, author="", reason="r",
        term=made,
    )  # fmt: skip


def tariff(name: str) -> TariffTerm:
    return TariffTerm(calendar=name)


def test_a_later_statement_covers_an_earlier_one_from_its_time_on() -> None:
    terms = term.resolve([stated(1, 100, tariff("a")), stated(2, 200, tariff("b"))])
    assert terms.of_kind("tariff") == (Span(100, 200, tariff("a")), Span(200, END_US, tariff("b")))
    assert terms.at("tariff", 99) is None
    assert terms.at("tariff", 199) == tariff("a")
    assert terms.at("tariff", 200) == tariff("b")


def test_a_statement_with_an_end_lets_what_was_there_before_hold_again() -> None:
    terms = term.resolve([stated(1, 0, tariff("a")), stated(2, 100, tariff("b"), 200)])
    names = [
        (span.from_us, span.to_us, span.term.calendar)
        for span in terms.of_kind("tariff")
        if isinstance(span.term, TariffTerm)
    ]
    assert names == [(0, 100, "a"), (100, 200, "b"), (200, END_US, "a")]


def test_statements_count_in_the_order_of_their_numbers_not_of_their_list() -> None:
    one, other = stated(1, 0, tariff("a")), stated(2, 0, tariff("b"))
    assert term.resolve([one, other]) == term.resolve([other, one])


def test_kinds_do_not_touch_each_other_and_events_stand_by_themselves() -> None:
    change = ExchangeTerm(old_end=1010.0, new_start=0.0)
    terms = term.resolve(
        [stated(2, 50, change), stated(1, 70, change), stated(3, 0, RegisterTerm(modulus=1e6))]
    )
    assert [span.from_us for span in terms.events] == [50, 70]
    assert terms.at("register", 1) == RegisterTerm(modulus=1e6)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 10) | st.none()), max_size=6))
def test_at_every_instant_the_last_statement_that_covers_it_holds(
    spans: list[tuple[int, int | None]],
) -> None:
    statements = [
        stated(number, start, tariff(str(number)), None if length is None else start + length)
        for number, (start, length) in enumerate(spans)
    ]
    terms = term.resolve(statements)
    for time_us in range(-1, 35):
        covering = [
            one.term
            for one in statements
            if one.valid_from_us <= time_us and (one.valid_to_us is None or time_us < one.valid_to_us)
        ]
        assert terms.at("tariff", time_us) == (covering[-1] if covering else None)


def test_steps_of_an_attribute_cover_what_was_said_before_of_a_later_time() -> None:
    assert term.steps_of([(0, 80.0), (100, 120.0)]) == (Step(0, 80.0), Step(100, 120.0))
    assert term.steps_of([(0, 80.0), (100, 120.0), (50, 100.0)]) == (Step(0, 80.0), Step(50, 100.0))
    assert term.steps_of([(0, 80.0), (100, 80.0)]) == (Step(0, 80.0),)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"kind":"tarif","calendar":"x"}', "kind"),
        ('{"kind":"tariff"}', "calendar"),
        ('{"kind":"register","modulus":0}', "modulus"),
        ('{"kind":"register","digits":6}', "digits"),
        ('{"kind":"demand","period_s":900,"slide_s":240}', "slide_s"),
        ('{"kind":"billing","cutoff_day":31}', "cutoff_day"),
        ("{", "term"),
    ],
)
def test_what_is_wrong_in_a_term_is_named(text: str, problem: str) -> None:
    with pytest.raises(TermInvalid, match=problem):
        term.decode(text)


def test_a_term_comes_back_from_its_json() -> None:
    for made in (DemandTerm(), RegisterTerm(modulus=1e6, resolution=0.01), tariff("CN-32-2025")):
        assert term.decode(msgspec.json.encode(made)) == made


def test_a_withdrawn_statement_was_known_until_then() -> None:
    one = msgspec.structs.replace(stated(5, 0, tariff("a")), withdrawn_us=9)
    assert [one.is_known_at(time_us) for time_us in (4, 5, 8, 9)] == [False, True, True, False]


def test_no_terms_are_empty() -> None:
    assert PointTerms().is_empty
    assert not PointTerms(multiplier=(Step(0, 1.0), Step(5, 2.0))).is_empty


def test_one_more_term_paints_over_what_was_stated() -> None:
    terms = term.resolve([stated(1, 0, tariff("a"))])
    painted = term.with_span(terms, Span(5, 9, tariff("b")))
    assert [painted.at("tariff", time_us) for time_us in (4, 5, 9)] == [tariff("a"), tariff("b"), tariff("a")]
    assert terms.at("tariff", 5) == tariff("a")
    late, early = Span(9, 10, ExchangeTerm(1.0, 0.0)), Span(3, 10, ExchangeTerm(2.0, 0.0))
    assert term.with_span(term.with_span(terms, late), early).events == (early, late)
    steps = Step(0, 1.0), Step(5, 2.0)
    assert term.with_multiplier(terms, steps).multiplier == steps
