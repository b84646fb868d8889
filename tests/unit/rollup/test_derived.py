"""The bundle of what is derived is made over the parts it is given."""

from typing import Any, cast

from historian.clock import ManualClock
from historian.rollup.carbon_maker import CarbonMaker
from historian.rollup.check_maker import CheckMaker
from historian.rollup.derived import derive
from historian.rollup.ratio_maker import RatioMaker
from historian.rollup.slot_checker import SlotChecker
from historian.rollup.term_directory import NoTerms


def test_every_maker_is_there() -> None:
    part = cast(Any, object())
    made = derive(part, part, part, part, NoTerms(), part, ManualClock(0))
    assert made.factors is part
    assert [type(one) for one in made[1:]] == [CarbonMaker, RatioMaker, CheckMaker, SlotChecker]
