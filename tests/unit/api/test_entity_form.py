"""Moments of a body, revisions in headers."""

from typing import Any

import pytest

from api import entity_form, problem
from api.context import CONTEXT
from api.entity_form import BEGINNING_US, EntityForm
from api.problem import Problem
from api.time_form import TimeForm
from historian.settings import Settings


class Asked:
    """As much of a request as is looked at."""

    def __init__(self, **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.app: dict[Any, Any] = {CONTEXT: self}
        self.settings = Settings(time_zone="Asia/Shanghai")


def test_a_bare_date_is_its_midnight_where_the_historian_is() -> None:
    def read(given: object) -> int:
        return entity_form.moment_of(Asked(), given, "/valid_from")  # type: ignore[arg-type]

    assert read("1970-01-02") == 16 * 3_600_000_000
    assert read("1970-01-01T00:00:01Z") == read(1000) == 1_000_000
    for wrong, kind in (("1970-02-30", problem.INVALID_TIME), ("1970-01-01T00:00:00", problem.INVALID_BODY)):
        with pytest.raises(Problem) as caught:
            read(wrong)
        assert caught.value.kind is kind


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"If_Match": '"3"'}, 3),
        ({"If_Match": 'W/"3"'}, 3),
        ({"If_Match": "*"}, None),
        ({"If_None_Match": "*"}, 0),
    ],
)
def test_a_revision_is_asked_for_by_headers(headers: dict[str, str], expected: int | None) -> None:
    assert entity_form.expected_of(Asked(**headers)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["3", '"x"', '"0"', '"3", "4"'])
def test_what_is_no_etag_of_ours_is_refused(wrong: str) -> None:
    with pytest.raises(Problem):
        entity_form.expected_of(Asked(If_Match=wrong))  # type: ignore[arg-type]
    assert entity_form.etag_of(3) == {"ETag": '"3"'}


def test_since_ever_is_none() -> None:
    form = EntityForm({}, TimeForm(True, None), True)
    assert (form.since(BEGINNING_US), form.since(5000)) == (None, 5)
