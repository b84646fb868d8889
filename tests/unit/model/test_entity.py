"""Steps of attributes: the latest statement for a moment counts, a withdrawn one leaves no step."""

from historian.model.entity import Span, Stated, spans_of, values_at


def stated(
    number: int, from_us: int, value: str | None, *, recorded_us: int = 0, gone: bool = False
) -> Stated:
    return Stated(number, "name", from_us, value, gone, recorded_us or number)


def held(spans: dict[str, list[Span]], at_us: int) -> str | None:
    span = values_at(spans, at_us).get("name")
    return span.stated.value if span else None


def test_a_value_holds_until_the_next_step() -> None:
    spans = spans_of([stated(1, 10, "a"), stated(2, 30, "b"), stated(3, 20, "c")])
    assert [(span.from_us, span.to_us) for span in spans["name"]] == [(10, 20), (20, 30), (30, None)]
    assert [held(spans, at_us) for at_us in (9, 10, 19, 20, 30, 99)] == [None, "a", "a", "c", "b", "b"]


def test_a_later_statement_for_the_same_moment_counts() -> None:
    both = [stated(1, 10, "a", recorded_us=100), stated(2, 10, "b", recorded_us=200)]
    assert held(spans_of(both), 10) == "b"
    assert held(spans_of(both, 199), 10) == "a"
    assert held(spans_of(both, 99), 10) is None


def test_a_withdrawn_step_lets_the_one_before_hold_on() -> None:
    three = [stated(1, 10, "a"), stated(2, 20, "b"), stated(3, 20, None, gone=True)]
    assert held(spans_of(three), 25) == "a"
    assert held(spans_of(three, 2), 25) == "b"
    again = [*three, stated(4, 20, "c")]
    assert held(spans_of(again), 25) == "c"


def test_none_ends_a_value() -> None:
    assert held(spans_of([stated(1, 10, "a"), stated(2, 20, None)]), 20) is None
