"""The reference pages name every setting, metric, log line, problem, route and command, and nothing else."""

import argparse
import ast
import enum
import re
import tomllib
import types
import typing
from collections.abc import Iterator

import msgspec
import pytest

from api import problem
from api.routes import table
from drivers import substation
from drivers.gateway import mapping
from historian import cli, errors, settings
from historian.model import unit
from tests.source_tree import ROOT, dotted, our_files, product_sources

# Structs whose fields an operator writes, and the document that lists them with their defaults.
DOCUMENTED_STRUCTS = {
    "docs/operator/settings.md": settings.Settings,
    "docs/operator/import.md": mapping.CsvLayout,
    "docs/integrator/substation.md": substation.SubstationSettings,
}


ROW = r"^\| `([^`]+)` \| ([^|]+?) \| ([^|]+?) \|"  # name, default, allowed; then what it means


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


# ── Settings ─────────────────────────────────────────────────────────────────────────────────────────────────


class Field(typing.NamedTuple):
    """One row of a settings table: dotted name, default and allowed values as text."""

    name: str
    default: str
    allowed: str


def struct_fields(struct: type[msgspec.Struct], prefix: str = "") -> Iterator[Field]:
    """Every field, those of nested structs included; a list of tagged structs gives ``drivers[modbus_tcp].port``."""
    hints = typing.get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        nested = list(nested_structs(hints[field.name]))
        is_list = typing.get_origin(strip(hints[field.name])) is tuple
        for inner in nested:
            tag = inner.__struct_config__.tag or ""
            yield from struct_fields(inner, f"{prefix}{field.name}{f'[{tag}]' if is_list else ''}.")
        if not nested:
            name = prefix + field.encode_name
            yield Field(name, default_text(field.default), allowed_text(hints[field.name]))


def strip(hint: object) -> object:
    """A type without its Annotated and without None."""
    if typing.get_origin(hint) is typing.Annotated:
        return strip(typing.get_args(hint)[0])
    parts = [part for part in typing.get_args(hint) if part is not types.NoneType]
    is_optional = len(parts) < len(typing.get_args(hint))
    return strip(parts[0]) if is_optional and len(parts) == 1 else hint


def nested_structs(hint: object) -> Iterator[type[msgspec.Struct]]:
    """The structs a type mentions, through unions, tuples and Annotated."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for part in typing.get_args(hint):
        yield from nested_structs(part)


def default_text(default: object) -> str:
    """As the default stands in a table."""
    if default is msgspec.NODEFAULT:
        return "required"
    value = msgspec.to_builtins(default)
    return "–" if value is None else f"`{msgspec.json.encode(value).decode()}`"


def allowed_text(hint: object) -> str:
    """What a field takes: a range, a choice, or the kind of value."""
    parts = [part for part in typing.get_args(hint) if part is not types.NoneType]
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return " or ".join(allowed_text(part) for part in parts)
    for meta in getattr(hint, "__metadata__", ()):
        if meta.ge is not None and meta.le is not None:
            return f"{meta.ge} to {meta.le}"
    bare = strip(hint)
    if typing.get_origin(bare) is typing.Literal:
        return ", ".join(f"`{choice}`" for choice in typing.get_args(bare))
    if isinstance(bare, type) and issubclass(bare, enum.Enum):
        return ", ".join(f"`{choice.value}`" for choice in bare)
    names = {bool: "`true`, `false`", str: "text", int: "whole number", float: "number"}
    return names.get(bare, "list")  # type: ignore[call-overload]


@pytest.mark.parametrize("document", DOCUMENTED_STRUCTS)
def test_every_setting_is_documented_with_default_and_range(document: str) -> None:
    written = {Field(*row) for row in re.findall(ROW, read(document), re.MULTILINE)}
    real = set(struct_fields(DOCUMENTED_STRUCTS[document]))
    assert not real - written, f"{document} lacks or misstates {sorted(real - written)}"
    assert not written - real, f"{document} has what is not so: {sorted(written - real)}"


def test_the_shipped_settings_file_writes_every_field_with_its_default() -> None:
    text = read("config/historian.toml")
    assert settings.load_typed(ROOT / "config/historian.toml", settings.Settings) == settings.Settings()
    written = tomllib.loads(text)
    for name in (field.name for field in struct_fields(settings.Settings)):
        section, _, key = name.rpartition(".")
        place = written.get(section, {}) if section else written
        assert key in place or re.search(rf"^# *{key} = ", text, re.MULTILINE), f"{name} is not in the file"


@pytest.mark.parametrize("path", [p for p in our_files() if re.fullmatch(r"config/substations/.*\.toml", p)])
def test_every_example_substation_loads(path: str) -> None:
    assert substation.load(ROOT / path).settings.station


@pytest.mark.parametrize("path", [p for p in our_files() if re.fullmatch(r"config/demo/.*\.toml", p)])
def test_every_example_mapping_loads(path: str) -> None:
    assert mapping.load(ROOT / path).drafts()


def test_every_unit_is_listed_with_its_dimension() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \|", read("docs/operator/units.md"), re.MULTILINE)
    assert [(each.symbol, each.dimension) for each in unit.UNITS.values()] == rows


# ── Metrics, messages, errors ────────────────────────────────────────────────────────────────────────────────


def first_arguments(*methods: str) -> Iterator[tuple[str, str, str]]:
    """File, called object and first literal argument of every call of such a method in the product."""
    for source in product_sources():
        for node in ast.walk(source.tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            first = node.args[0]
            if node.func.attr in methods and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield source.path, dotted(node.func.value), first.value


def test_every_metric_is_documented_and_no_other() -> None:
    methods = ("counter", "gauge", "observed_counter")
    used = {name for _, _, name in first_arguments(*methods) if name.startswith("historian_")}
    documented = set(re.findall(r"^\| `(historian_\w+)`", read("docs/operator/metrics.md"), re.MULTILINE))
    assert used == documented


def log_prefixes() -> dict[tuple[str, str], str]:
    """(file, variable) → what every EventLog puts before an event; a plain logger's events say it themselves."""
    prefixes: dict[tuple[str, str], str] = {}
    for source in product_sources():
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(node.value, ast.Call):
                continue
            maker = dotted(node.value.func).rsplit(".", 1)[-1]
            if maker in {"EventLog", "getLogger"} and node.value.args:
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                prefix = node.value.args[0]
                if isinstance(prefix, ast.Constant):
                    prefixes[source.path, dotted(target)] = (
                        f"{prefix.value!s}." if maker == "EventLog" else ""
                    )
    return prefixes


def test_every_warning_and_error_line_says_what_to_do() -> None:
    prefixes = log_prefixes()
    written = {
        f"{prefixes[path, name]}{event}"
        for path, name, event in first_arguments("warning", "error")
        if (path, name) in prefixes
    }
    documented = set(
        re.findall(r"^\| `([a-z0-9_]+\.[a-z0-9_]+)`", read("docs/operator/messages.md"), re.MULTILINE)
    )
    assert written, "no log line found: the reading is broken"
    assert written == documented


def test_the_error_tree_is_drawn_as_it_is() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    real = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and value.__module__ == errors.__name__
    ]
    assert ["HistorianError", *drawn] == real


def test_every_problem_type_is_documented_with_its_status() -> None:
    rows = re.findall(r"^\| `(/problems/[\w-]+)` \| (\d+) \|", read("docs/integrator/api.md"), re.MULTILINE)
    assert {(kind.uri, str(kind.status)) for kind in problem.ALL} == set(rows)


# ── Routes and commands ──────────────────────────────────────────────────────────────────────────────────────


def test_every_route_is_documented() -> None:
    text = read("docs/integrator/api.md")
    undocumented = [
        f"{operation.method} {path}"
        for operation in table.all_operations()
        for path in operation.paths()[-1:]
        if f"`{operation.method} {path}`" not in text
    ]
    assert not undocumented


def subcommands(
    parser: argparse.ArgumentParser, prefix: str
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command line of a parser, `historian import csv` and so on."""
    # argparse has no public way to ask for what was added
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield prefix, parser
    for group in groups:
        for name, child in group.choices.items():
            yield from subcommands(child, f"{prefix} {name}")


def options_of(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str | None]]:
    """Longest spelling and help of every option and argument."""
    for action in parser._actions:
        name = max(action.option_strings, key=len, default=action.dest)
        if name != "--help":
            yield name, action.help


def simulator_options(name: str) -> set[str]:
    """Options that a simulator adds to its own parser."""
    source = next(each for each in product_sources() if each.path == f"drivers/simulator/{name}.py")
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    added = [call.args[0] for call in calls if dotted(call.func) == "parser.add_argument"]
    return {str(argument.value) for argument in added if isinstance(argument, ast.Constant)}


def section_of(command: str) -> str:
    """What docs/operator/commands.md says on a command."""
    heading = rf"^## `{re.escape(command)}`$.*?(?=^## |\Z)"
    section = re.search(heading, read("docs/operator/commands.md"), re.MULTILINE | re.DOTALL)
    assert section, f"{command} has no heading in docs/operator/commands.md"
    return section[0]


def test_every_command_and_option_is_documented_and_has_help() -> None:
    commands = dict(subcommands(cli.make_parser(), "historian"))
    for command, parser in commands.items():
        section = section_of(command)
        for name, help_text in options_of(parser):
            assert help_text, f"{command} {name} has no help"
            assert f"`{name}" in section, f"{command}: {name} is not described"
    headings = re.findall(r"^## `(.+)`$", read("docs/operator/commands.md"), re.MULTILINE)
    assert set(headings) == set(commands), "a heading for each command and no other"


@pytest.mark.parametrize("name", cli.SIMULATORS)
def test_every_option_of_a_simulator_is_documented(name: str) -> None:
    options = simulator_options(name)
    assert "--port" in options, "the reading is broken"
    section = section_of(f"historian simulate {name}")
    assert {option for option in options if f"`{option} " not in section} == set()
