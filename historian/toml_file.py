"""Reads a TOML file into a frozen struct; whatever is wrong is said with file and line.

An error tells what stands there and what is allowed: ``f.toml:12: store.ring_hours is 500; allowed:
a whole number from 1 to 168``. A struct may refuse a value itself in ``__post_init__`` with a
ValueError; where its text starts with ``field:`` the line is that field's.
"""

import datetime
import difflib
import enum
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec import inspect

from historian import toml_location
from historian.errors import SettingsError
from historian.toml_location import TomlPath

T = TypeVar("T")

FILE_BYTES_MAX: Final = 16 << 20
_SHOWN_CHARACTERS_MAX: Final = 60


def load_typed(path: Path, type_: type[T]) -> T:
    """The file's content as `type_`, a frozen struct. Raises SettingsError, nothing else.

    Unknown keys are refused in every table, whether or not the struct says so.
    """
    return parse_typed(_read_text(path), str(path), type_)


def parse_typed(text: str, path: str, type_: type[T]) -> T:
    """As `load_typed`, from text; `path` is what errors call the file."""
    try:
        return _convert(text, path, _parse_toml(text, path), type_)
    except RecursionError:
        raise SettingsError(path, 1, "values are nested too deeply; allowed: a few levels") from None


def _read_text(path: Path) -> str:
    try:
        size_bytes = path.stat().st_size
        if size_bytes > FILE_BYTES_MAX:
            raise SettingsError(str(path), 1, f"the file has {size_bytes} bytes; allowed: {FILE_BYTES_MAX}")
        raw = path.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}; allowed: a readable TOML file"
        raise SettingsError(str(path), 1, problem) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SettingsError(str(path), line, "not UTF-8 text; allowed: UTF-8") from None


def _parse_toml(text: str, path: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or an integer of thousands of digits
        what, _, at = str(error).partition(" (at ")
        number = re.match(r"line (\d+)", at)
        line = int(number[1]) if number else text.count("\n") + 1
        raise SettingsError(path, line, f"not valid TOML: {what}") from None


def _convert(text: str, path: str, data: dict[str, object], type_: type[T]) -> T:
    root = inspect.type_info(type_)
    for place, problem in _problems(data, root, ()):
        raise SettingsError(path, toml_location.line_of(text, place), problem)
    try:
        return msgspec.convert(data, type_)
    except msgspec.ValidationError as error:
        place, problem = _explain(str(error), data, root)
        raise SettingsError(path, toml_location.line_of(text, place), problem) from None


def _problems(value: object, node: inspect.Type, place: TomlPath) -> Iterator[tuple[TomlPath, str]]:
    """What the converter would not notice or not place well: unknown keys, NaN, entries of a dict."""
    struct = _member(node, inspect.StructType, value)
    mapping = _member(node, inspect.DictType)
    array = _member(node, inspect.VarTupleType) or _member(node, inspect.ListType)
    if isinstance(value, float) and not math.isfinite(value):
        yield place, f"{_dotted(place)} is {_shown(value)}; allowed: a finite number"
    elif isinstance(value, dict) and struct is not None:
        fields = _field_types(struct)
        for key, inner in value.items():
            if key in fields:
                yield from _problems(inner, fields[key], (*place, key))
            else:
                yield (*place, key), _unknown_key_problem(key, place, list(fields))
    elif isinstance(value, dict) and mapping is not None:
        for key, inner in value.items():
            yield from _problems(inner, mapping.value_type, (*place, key))
            yield from _entry_problems(inner, mapping.value_type, (*place, key))
    elif isinstance(value, list) and array is not None:
        for index, inner in enumerate(value):
            yield from _problems(inner, array.item_type, (*place, index))


def _entry_problems(value: object, node: inspect.Type, place: TomlPath) -> Iterator[tuple[TomlPath, str]]:
    """The converter writes ``[...]`` for any key of a dict; so its values are tried one by one."""
    struct = _member(node, inspect.StructType)
    if struct is None:
        return
    try:
        msgspec.convert(value, struct.cls)
    except msgspec.ValidationError as error:
        inner, problem = _explain(str(error), value, struct, place)
        yield inner, problem


NodeT = TypeVar("NodeT", bound=inspect.Type)


def _member(node: inspect.Type, type_: type[NodeT], value: object = None) -> NodeT | None:
    """The node itself, or the member of a union, that is of that type.

    Where a union has several structs that are told apart by a tag, `value` has the tag.
    """
    while isinstance(node, inspect.Metadata):
        node = node.type
    if isinstance(node, type_):
        return node
    if not isinstance(node, inspect.UnionType):
        return None
    found = [each for member in node.types if (each := _member(member, type_)) is not None]
    if len(found) > 1 and isinstance(value, dict):
        found = [each for each in found if _has_tag(each, value)]
    return found[0] if found else None


def _has_tag(node: inspect.Type, value: dict[str, object]) -> bool:
    return isinstance(node, inspect.StructType) and value.get(node.tag_field or "") == node.tag


def _explain(message: str, data: object, root: inspect.Type, base: TomlPath = ()) -> tuple[TomlPath, str]:
    """Place and text for a converter's message such as ``Expected `int` >= 1 - at `$.store.ring_hours```."""
    what, _, at = message.rpartition(" - at `$")
    if not what:
        what, at = message, ""
    inner: list[str | int] = []
    for name, index in re.findall(r"\.([^.\[\]`]+)|\[(\d+)\]", at):
        inner.append(name or int(index))
    node, value = _descend(data, root, inner)
    place = (*base, *inner)
    if match := re.match(r"Object missing required field `(.*)`", what):
        missing = _descend(data, root, [*inner, match[1]])[0]
        return place, f"{_dotted((*place, match[1]))} is missing; allowed: {_allowed(missing)}"
    if re.match(r"(Expected|Invalid|Unable|Integer|Number) ", what):
        return place, f"{_dotted(place)} is {_shown(value)}; allowed: {_allowed(node)}"
    field = re.match(r"([a-z_]+): ", what)
    struct = _member(node, inspect.StructType, value) if node else None
    if field and struct and field[1] in _field_types(struct):
        place = (*place, field[1])
        what = what[field.end() :]
    return place, f"{_dotted(place)}: {what}" if place else what


def _descend(
    data: object, root: inspect.Type, path: Sequence[str | int]
) -> tuple[inspect.Type | None, object]:
    """Type and value at `path`; None where it leads nowhere."""
    node: inspect.Type | None = root
    value = data
    for part in path:
        node = _child_type(node, part, value)
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            value = None
    return node, value


def _child_type(node: inspect.Type | None, part: str | int, value: object) -> inspect.Type | None:
    if node is None:
        return None
    if isinstance(part, int):
        array = _member(node, inspect.VarTupleType) or _member(node, inspect.ListType)
        return array.item_type if array is not None else None
    struct = _member(node, inspect.StructType, value)
    return _field_types(struct).get(part) if struct is not None else _tag_type(node, part)


def _field_types(struct: inspect.StructType) -> dict[str, inspect.Type]:
    """Keys that a table of that struct may have, its tag included."""
    tag = {struct.tag_field: inspect.LiteralType((struct.tag,))} if struct.tag_field else {}
    return {**tag, **{field.encode_name: field.type for field in struct.fields}}


def _tag_type(node: inspect.Type, part: str) -> inspect.Type | None:
    """What the tag of a union of structs may be."""
    if not isinstance(node, inspect.UnionType):
        return None
    structs = [each for each in node.types if isinstance(each, inspect.StructType)]
    tags = tuple(each.tag for each in structs if each.tag_field == part and each.tag is not None)
    return inspect.LiteralType(tags) if tags else None


def _unknown_key_problem(key: str, place: TomlPath, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, 1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"{_dotted((*place, key))} is not known{hint}; allowed: {', '.join(known)}"


def _dotted(place: TomlPath) -> str:
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    elif isinstance(value, (int, float, datetime.date, datetime.time)):
        text = str(value) if not isinstance(value, int) or abs(value) < 10**30 else "a huge number"
    else:
        return "a table" if isinstance(value, dict) else "a list" if isinstance(value, list) else "absent"
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else text[: _SHOWN_CHARACTERS_MAX - 1] + "…"


_PLAIN_NAMES: Final = {
    inspect.BoolType: "true or false",
    inspect.DateType: "a date",
    inspect.DateTimeType: "a date with time",
    inspect.TimeType: "a time of day",
    inspect.StructType: "a table",
    inspect.DictType: "a table",
}


def _allowed(node: inspect.Type | None) -> str:
    """What a value of that type may be, in words."""
    match node:
        case inspect.Metadata():
            return _allowed(node.type)
        case inspect.IntType():
            return "a whole number" + _bounds(node.ge, node.gt, node.le, node.lt)
        case inspect.FloatType():
            return "a number" + _bounds(node.ge, node.gt, node.le, node.lt)
        case inspect.StrType():
            return "text" + (f" of the form {node.pattern}" if node.pattern else "")
        case inspect.LiteralType():
            return _one_of(node.values)
        case inspect.EnumType():
            return _one_of([member.value for member in _members(node.cls)])
        case inspect.VarTupleType() | inspect.ListType():
            least = f" with at least {node.min_length}" if node.min_length else ""
            return f"a list{least} of: {_allowed(node.item_type)}"
        case inspect.UnionType():
            kinds = (_allowed(each) for each in node.types if not isinstance(each, inspect.NoneType))
            return " or ".join(dict.fromkeys(kinds))
    return _PLAIN_NAMES.get(type(node), "another value") if node else "another value"


def _members(cls: type[enum.Enum]) -> list[enum.Enum]:
    return list(cls)


def _one_of(values: Sequence[object]) -> str:
    shown = [_shown(value) for value in values]
    return shown[0] if len(shown) == 1 else "one of " + ", ".join(shown)


def _bounds(ge: float | None, gt: float | None, le: float | None, lt: float | None) -> str:
    if ge is not None and le is not None:
        return f" from {ge} to {le}"
    parts = [
        f"{word} {bound}"
        for word, bound in (("at least", ge), ("above", gt), ("at most", le), ("below", lt))
        if bound is not None
    ]
    return (" " + " and ".join(parts)) if parts else ""
