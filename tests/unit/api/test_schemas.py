"""Bodies of requests and replies keep to one form."""

import msgspec
import pytest

from api import schemas

STRUCTS = [
    struct
    for struct in vars(schemas).values()
    if isinstance(struct, type)
    and issubclass(struct, msgspec.Struct)
    and struct.__module__ == schemas.__name__
]


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_body_is_frozen_and_documented(struct: type[msgspec.Struct]) -> None:
    assert struct.__struct_config__.frozen
    assert struct.__doc__


@pytest.mark.parametrize("struct", [schemas.PointBody, schemas.IngestBody, schemas.IngestSeries])
def test_a_request_refuses_what_it_does_not_know(struct: type[msgspec.Struct]) -> None:
    assert struct.__struct_config__.forbid_unknown_fields


def test_a_reject_shows_only_what_it_knows() -> None:
    reject = schemas.Reject(code="bad_time", detail="x", series=0, index=0)
    assert msgspec.to_builtins(reject) == {"code": "bad_time", "detail": "x", "series": 0, "index": 0}
