"""JSON bodies: malformed is 400 with the position, unfit is 422 with a pointer."""

import msgspec
import pytest

from api import json_body, problem
from api.problem import Problem


class Item(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    sizes: list[int] = []
    more: object = None


def caught(body: bytes) -> Problem:
    with pytest.raises(Problem) as found:
        json_body.decode(body, list[Item])
    return found.value


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "byte 0"),
        (b'[{"name": "a",\n  "sizes": [1,, 2]}]', "line 2, column 15"),
        (b'[{"name": "\xff"}]', "UTF-8"),
        (b'[{"name": "a", "more": ' + b"[" * 100_000, "nested too deeply"),
        (b'[{"name": "a"}] x', "trailing characters"),
    ],
    ids=["empty", "two commas", "not UTF-8", "deep", "more behind"],
)
def test_malformed_json_is_told_with_its_position(body: bytes, where: str) -> None:
    fault = caught(body)
    assert fault.kind is problem.MALFORMED_JSON
    assert fault.kind.status == 400
    assert where in fault.en


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
def test_nan_in_json_is_told_as_not_finite(word: bytes) -> None:
    fault = caught(b'[{"name":"a","sizes":[' + word + b"]}]")
    assert fault.kind is problem.MALFORMED_JSON
    assert fault.faults[0].code == "not_finite"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'[{"name": 1}]', "/0/name"),
        (b'[{"name":"a"},{"name":"b","sizes":[1,"x"]}]', "/1/sizes/1"),
        (b"{}", "/"),
        (b'[{"name":"a","size":1}]', "/0"),
    ],
    ids=["wrong type", "deep inside", "not a list", "unknown field"],
)
def test_a_body_that_does_not_fit_is_told_with_a_pointer(body: bytes, pointer: str) -> None:
    fault = caught(body)
    assert fault.kind is problem.INVALID_BODY
    assert fault.kind.status == 422
    assert fault.faults[0].pointer == pointer
