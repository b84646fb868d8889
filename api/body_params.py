"""Parameters that stand in a JSON body, read by the same rules as those of an address."""

import msgspec
from aiohttp import web
from msgspec import UNSET
from multidict import MultiDict

from api import problem
from api.params import Params
from api.problem import Fault, Problem

FORMS = frozenset({"tz", "time", "unit", "quality"})  # of the answer: they stay in the address


def params_of(request: web.Request, body: msgspec.Struct) -> Params:
    """What the body asks, and of the address how it is answered. Raises Problem 422 for a list with an unreadable entry."""
    merged: MultiDict[str] = MultiDict()
    for field in msgspec.structs.fields(body):
        value = getattr(body, field.name)
        if value is UNSET:
            continue
        for i, entry in enumerate(value if isinstance(value, list) else [value]):
            text = str(entry)
            if isinstance(value, list) and "," in text:
                raise _holds_comma(f"/{field.encode_name}/{i}", text)
            merged.add(field.encode_name, text)
    for name, text in request.query.items():
        if name in FORMS:
            merged.add(name, text)
    return Params(merged)


def _holds_comma(pointer: str, text: str) -> Problem:
    return Problem(
        problem.INVALID_BODY,
        f"{pointer}: {text[:100]!r} holds a comma; an entry is one name",
        f"{pointer}：{text[:100]!r} 含有逗号；每项须为一个名称",
        faults=(Fault("holds a comma", pointer=pointer),),
    )
