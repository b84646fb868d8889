"""Decodes JSON bodies; what is malformed is told with its position, what does not fit with a JSON pointer."""

import re
from typing import Final, TypeVar

import msgspec

from api import problem
from api.direct_body import Body
from api.problem import Fault, Problem

T = TypeVar("T")

_BYTE: Final = re.compile(r"\(byte (\d+)\)$")
_PATH: Final = re.compile(r" - at `\$(.*)`$")
_PATH_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_NOT_FINITE: Final = re.compile(rb"-?(NaN|Infinity|nan|inf)")


def decode(body: Body, type_: type[T]) -> T:
    """The body as `type_`. Raises Problem: 400 where it is not JSON, 422 where it is not what is needed."""
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    except msgspec.DecodeError as error:
        raise _malformed(bytes(body), str(error)) from error
    except UnicodeDecodeError as error:
        raise _malformed(bytes(body), f"a string is not UTF-8: {error.reason}") from error
    except RecursionError as error:
        raise _malformed(bytes(body), "values are nested too deeply") from error


def pointer_of(message: str) -> tuple[str, str]:
    """The message without its path, and the path as a JSON pointer (``/series/0/point``)."""
    match = _PATH.search(message)
    if match is None:
        return message, ""
    steps = [name or index for name, index in _PATH_STEP.findall(match[1])]
    return message[: match.start()], "".join(f"/{step}" for step in steps)


def _invalid(message: str) -> Problem:
    text, pointer = pointer_of(message)
    return Problem(
        problem.INVALID_BODY,
        f"{pointer or 'the body'}: {text}",
        f"{pointer or '请求体'}：{text}",
        faults=(Fault(text, pointer=pointer or "/"),),
    )


def _malformed(body: bytes, message: str) -> Problem:
    match = _BYTE.search(message)
    at = int(match[1]) if match else len(body)
    line = body.count(b"\n", 0, at) + 1
    column = at - (body.rfind(b"\n", 0, at) + 1) + 1
    text = _BYTE.sub("", message).strip()
    code = ""
    if _NOT_FINITE.match(body, at):
        text, code = "JSON has no NaN and no infinity; leave such samples out", "not_finite"
    where = f"line {line}, column {column} (byte {at})"
    return Problem(
        problem.MALFORMED_JSON,
        f"{text}, at {where}",
        f"JSON 有误（{text}），位置：第 {line} 行第 {column} 列（第 {at} 字节）",
        faults=(Fault(text, line=line, code=code),),
    )
