"""The OpenAPI 3.1 description, built from the route table that also serves the requests."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from api import problem
from api.auth import COOKIE
from api.operation import FORMAT, IF_NONE_MATCH, JSON, Operation, Parameter, Schema
from api.problem import ProblemDetails, ProblemKind

DOCUMENT: Final = web.AppKey("openapi", bytes)

_REF: Final = "#/components/schemas/{name}"
_PROBLEM_MEDIA: Final = "application/problem+json"
_ROWS: Final[Schema] = {
    "type": "array",
    "items": {"type": "object"},
    "description": "With `format=rows`: flat rows, with the columns of the CSV.",
}
_DESCRIPTION: Final = (
    "Times in: RFC 3339 with an offset, or integer epoch milliseconds. Times out: RFC 3339 in UTC, integers with "
    "`time=epoch_ms`, local ones besides with `tz`. Ranges are [start, end). Errors are RFC 9457 problems, in "
    "Chinese or English by Accept-Language. Limited answers carry `next` (X-Next-Cursor outside JSON)."
)
_SECURITY: Final[dict[str, Schema]] = {
    "token": {"type": "http", "scheme": "bearer", "description": "Of a service; made by POST /tokens."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "Of a person; made by POST /login. What changes something needs the header X-CSRF-Token besides.",
    },
}
# What any request may meet, whatever it asks.
_COMMON_PROBLEMS: Final = (problem.INVALID_PARAMETER, problem.INTERNAL_ERROR)


def build(operations: Sequence[Operation], version: str) -> bytes:
    """The document as JSON text."""
    types = [ProblemDetails, *_types_of(operations)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    schema_of = {_key(type_): schema for type_, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        for path in operation.paths():
            described = _describe(operation, path, schema_of)
            paths.setdefault(_plain_path(path), {})[operation.method.lower()] = described
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Historian", "version": version, "description": _DESCRIPTION},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SECURITY},
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def _describe(operation: Operation, path: str, schema_of: dict[str, Schema]) -> dict[str, Any]:
    is_second = path != operation.paths()[0]
    described: dict[str, Any] = {
        "operationId": operation.name + ("UnderBase" if is_second else ""),
        "summary": operation.summary,
        "parameters": [_parameter(entry) for entry in operation.parameters],
        "responses": {
            **_successes(operation, schema_of),
            **_problems(
                (*_COMMON_PROBLEMS, *_denials(operation), *operation.problems, *_of_lane(operation)),
                schema_of,
            ),
        },
    }
    if operation.right is not None or operation.is_own:
        described["security"] = [{"token": []}, {"session": []}]
    if operation.request_types:
        described["requestBody"] = {
            "required": not operation.may_be_empty,
            "content": {
                media: {"schema": schema_of[_key(type_)]}
                if type_ is not None
                else {"schema": {"type": "string"}}
                for media, type_ in operation.request_types
            },
        }
    return described


def _of_lane(operation: Operation) -> tuple[ProblemKind, ...]:
    return (problem.BUSY,) if operation.is_wide else ()


def _denials(operation: Operation) -> tuple[ProblemKind, ...]:
    """What whoever is not known, or lacks the right, is told."""
    if operation.right is None and not operation.is_own:
        return ()
    return problem.NOT_LOGGED_IN, problem.FORBIDDEN, problem.CSRF_MISSING, problem.PASSWORD_EXPIRED


def _parameter(entry: Parameter) -> dict[str, Any]:
    return {
        "name": entry.name,
        "in": entry.where,
        "required": entry.is_required or entry.where == "path",
        "description": entry.description,
        "schema": _with_empty(entry),
    }


def _with_empty(entry: Parameter) -> Schema:
    """The schema; an empty word counts as absent, so forms may send all their fields."""
    if "enum" not in entry.schema or entry.is_required:
        return entry.schema
    return {**entry.schema, "enum": [*entry.schema["enum"], ""]}


def _successes(operation: Operation, schema_of: dict[str, Schema]) -> dict[str, Any]:
    answer = _success(operation, schema_of)
    answers = {str(operation.status): answer}
    if operation.may_create:
        answers["201"] = {**answer, "description": "It was not there and is made."}
    if IF_NONE_MATCH in operation.parameters:
        answers["304"] = {"description": "The client holds this very answer.", "headers": answer["headers"]}
    return answers


def _success(operation: Operation, schema_of: dict[str, Schema]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": operation.summary,
        "headers": {"X-Request-Id": {"schema": {"type": "string"}}},
    }
    content: dict[str, Any] = {}
    has_rows = FORMAT in operation.parameters
    for media in operation.reply_types:
        has_schema = media == JSON and operation.reply is not None
        schema = schema_of[_key(operation.reply)] if has_schema else {}
        content[media] = {"schema": {"oneOf": [schema, _ROWS]} if has_schema and has_rows else schema}
    if content:
        answer["content"] = content
    return answer


def _problems(kinds: Iterable[ProblemKind], schema_of: dict[str, Schema]) -> dict[str, Any]:
    by_status: dict[int, list[ProblemKind]] = {}
    for kind in dict.fromkeys(kinds):
        by_status.setdefault(kind.status, []).append(kind)
    content = {_PROBLEM_MEDIA: {"schema": schema_of[_key(ProblemDetails)]}}
    return {
        str(status): {
            "description": "; ".join(f"{kind.title_en} ({kind.uri})" for kind in same),
            "content": content,
        }
        for status, same in sorted(by_status.items())
    }


def _types_of(operations: Iterable[Operation]) -> list[Any]:
    found: dict[str, Any] = {}
    for operation in operations:
        types = [type_ for _, type_ in operation.request_types] + [operation.reply]
        found.update({_key(type_): type_ for type_ in types if type_ is not None})
    return list(found.values())


def _key(type_: object) -> str:
    return repr(type_)  # list[PointBody] is made anew at each use, so identity does not serve


def _plain_path(path: str) -> str:
    """The path with aiohttp's ``{name:.+}`` as OpenAPI's ``{name}``."""
    return re.sub(r"\{(\w+):[^}]*\}", r"{\1}", path)
