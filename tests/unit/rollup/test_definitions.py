"""A definition keeps its number."""

from historian.model.point import MINUTE_US
from historian.rollup.day_figure import Definition
from historian.rollup.definitions import Definitions

ONE = Definition("UTC", "kW", "mean_power", 15 * MINUTE_US, 1.0)
OTHER = ONE._replace(multiplier=80.0)


def test_a_definition_has_one_number_and_comes_back_by_it() -> None:
    definitions = Definitions()
    codes = [definitions.code_of(one) for one in (ONE, OTHER, ONE)]
    assert codes == [1, 2, 1]
    assert definitions.of_code(2) == OTHER


def test_known_numbers_are_not_given_again() -> None:
    definitions = Definitions([(7, ONE)])
    assert (definitions.code_of(ONE), definitions.code_of(OTHER)) == (7, 8)
    assert definitions.unsaved() == [(8, OTHER)]
    definitions.saved([8])
    assert definitions.unsaved() == []
