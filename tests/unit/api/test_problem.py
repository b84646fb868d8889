"""Problem kinds are stable words that clients act on."""

import re

import pytest

from api import problem
from api.problem import Problem


def test_every_kind_has_its_own_slug() -> None:
    slugs = [kind.slug for kind in problem.ALL]
    assert len(set(slugs)) == len(slugs)


def test_every_kind_of_the_module_is_listed() -> None:
    named = [value for value in vars(problem).values() if isinstance(value, problem.ProblemKind)]
    assert set(named) == set(problem.ALL)


@pytest.mark.parametrize("kind", problem.ALL, ids=lambda kind: kind.slug)
def test_a_kind_is_a_client_or_server_error_in_two_languages(kind: problem.ProblemKind) -> None:
    assert 400 <= kind.status <= 599
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.slug)
    assert kind.uri == f"/problems/{kind.slug}"
    assert kind.code == kind.slug.replace("-", "_")
    assert kind.title_en.isascii()
    assert re.search(r"[\u4e00-\u9fff]", kind.title_zh)


def test_a_wrong_parameter_is_named_in_both_texts() -> None:
    fault = Problem.of_parameter("start", "is required", "必须给出")
    assert fault.en == "parameter start: is required"
    assert fault.zh == "参数 start：必须给出"
    assert fault.faults[0].parameter == "start"
