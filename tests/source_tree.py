"""Our own files as the tidy and docs tests see them: which are ours, and their syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PRODUCT_FOLDERS = ("historian", "drivers", "api")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Source(NamedTuple):
    """One Python file: path relative to the checkout, text, syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def line_count(self) -> int:
        return self.text.count("\n")


@cache
def our_files() -> tuple[str, ...]:
    """Every file of the project, tracked or about to be; build products and caches are not."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(sorted(path for path in listed.splitlines() if (ROOT / path).is_file()))


@cache
def python_sources() -> tuple[Source, ...]:
    """Every Python file of the project."""
    return tuple(_parse(path) for path in our_files() if path.endswith(".py"))


@cache
def product_sources() -> tuple[Source, ...]:
    """The Python files that go into the wheel."""
    return tuple(source for source in python_sources() if source.path.split("/")[0] in PRODUCT_FOLDERS)


def text_files() -> Iterator[tuple[str, str]]:
    """Path and text of every file of ours that is UTF-8 text."""
    for path in our_files():
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file, nested ones too."""
    for node in ast.walk(source.tree):
        if isinstance(node, DEFINITIONS):
            yield node


def strings(source: Source) -> Iterator[ast.Constant]:
    """Every string literal of a file that is not a docstring or a bare statement."""
    bare = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node


def dotted(node: ast.AST) -> str:
    """``datetime.datetime.now`` for such an expression; empty for any other."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def _parse(path: str) -> Source:
    text = (ROOT / path).read_text(encoding="utf-8")
    return Source(path, text, ast.parse(text, path))
