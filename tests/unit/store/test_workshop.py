"""Names of segments are given out once, and what no manifest lists is known."""

from historian.store.workshop import Generations


def test_names_rise_and_are_never_given_out_again() -> None:
    generations = Generations()
    assert generations.take("2026-01", 7) == ("2026-01-0000000007.h5", 7)
    assert generations.take("2026-02", 3) == ("2026-02-0000000008.h5", 8)
    assert generations.next == 9


def test_what_is_made_is_unlisted_until_it_lives() -> None:
    generations = Generations()
    first, second = (generations.take("2026-01", 1)[0] for _ in range(2))
    assert generations.unlisted() == {first, second}
    generations.settle([first], [])
    assert generations.unlisted() == {second}
    assert not generations.is_making(first)


def test_what_was_given_up_is_unlisted_until_a_manifest_calls_it_retired() -> None:
    generations = Generations()
    made, given_up = (generations.take("2026-01", 1)[0] for _ in range(2))
    generations.abandon([given_up])
    assert generations.unlisted() == {made, given_up}
    generations.settle(
        [], [made, given_up]
    )  # a seal beside a merge calls both retired, for the case of a crash
    assert generations.unlisted() == {made}
    assert generations.is_making(made)


def test_giving_up_what_lives_changes_nothing() -> None:
    generations = Generations()
    name, _ = generations.take("2026-01", 1)
    generations.settle([name], [])
    generations.abandon([name])
    assert generations.unlisted() == set()
