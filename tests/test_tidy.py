"""Our own code, read by a test: sizes, names, forbidden calls, missing tests. Breaches are listed, never silent."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.source_tree import (
    ROOT,
    Source,
    dotted,
    functions,
    our_files,
    product_sources,
    python_sources,
    strings,
    text_files,
)

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70

MAY_CATCH_EVERYTHING = {
    "drivers/supervisor.py",  # a driver's crash is its own
    "api/errors.py",  # the last stop before the client
    "historian/app.py",  # the last stop before the operator
    "historian/store/log_thread.py",  # hands every error to who asked, and goes on
}
MAY_SPELL_FILE_NAMES = {
    "historian/store/filenames.py",
    "historian/store/segment_layout.py",
    "historian/cli.py",  # a command has the name of a folder
}
CLOCK = "historian/clock.py"
CLOCK_READS = {
    "time.time",
    "time.time_ns",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "date.today",
    "datetime.date.today",
}
EMPTY_WORDS = {"utils", "util", "helper", "helpers", "common", "misc", "manager", "data", "info"}
UNITLESS_NAMES = {"timeout", "delay", "duration", "ts", "elapsed"}  # say the unit: timeout_s

# A module without a function has nothing to test alone; nor have these, though they have methods.
NOTHING_TO_TEST = {
    "historian/model/ports.py": "Protocols and frozen values only",
    "historian/errors.py": "the tree; tests/test_reference.py reads it",
}

# The ratchet: breaches that exist, each with its number. It only shrinks.
KNOWN_BREACHES: frozenset[str] = frozenset()


def assert_none(breaches: Iterator[str]) -> None:
    """Fail with one line for each breach that is not in the ratchet."""
    found = [breach for breach in breaches if breach.rsplit(":", 1)[0] not in KNOWN_BREACHES]
    assert not found, "\n".join(["", *found])


def test_no_file_is_longer_than_600_lines() -> None:
    assert_none(
        f"{path}: {text.count(chr(10))} lines, {FILE_LINES_MAX} allowed"
        for path, text in text_files()
        if path.endswith((".py", ".js", ".css")) and text.count("\n") > FILE_LINES_MAX
    )


def test_no_function_is_longer_than_70_lines() -> None:
    def long_ones() -> Iterator[str]:
        for source in python_sources():
            for function in functions(source):
                line_count = (function.end_lineno or 0) - function.lineno + 1
                if line_count > FUNCTION_LINES_MAX:
                    yield f"{source.path}:{function.lineno}: {function.name} has {line_count} lines"

    assert_none(long_ones())


def test_no_raise_says_only_exception() -> None:
    def nameless() -> Iterator[str]:
        for source in python_sources():
            for node in ast.walk(source.tree):
                if isinstance(node, ast.Raise) and node.exc is not None:
                    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                    if dotted(raised) in {"Exception", "BaseException"}:
                        yield f"{source.path}:{node.lineno}: raise an error of errors.py"

    assert_none(nameless())


def test_everything_is_caught_only_at_the_last_stops() -> None:
    def too_wide() -> Iterator[str]:
        for source in product_sources():
            if source.path in MAY_CATCH_EVERYTHING:
                continue
            for node in ast.walk(source.tree):
                if isinstance(node, ast.ExceptHandler) and swallows_everything(node):
                    yield f"{source.path}:{node.lineno}: catch by name what you can handle here"

    assert_none(too_wide())


def test_every_todo_has_an_issue_number() -> None:
    unnumbered = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")
    assert_none(
        f"{path}:{number}: {line.strip()}"
        for path, text in text_files()
        if path.endswith((".py", ".js", ".toml", ".sh", "Makefile")) and path != "tests/test_tidy.py"
        for number, line in enumerate(text.splitlines(), 1)
        if unnumbered.search(line)
    )


def test_only_the_clock_reads_the_clock() -> None:
    assert_none(
        f"{source.path}:{node.lineno}: {dotted(node)}; ask the Clock you were given"
        for source in product_sources()
        if source.path != CLOCK
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and dotted(node) in CLOCK_READS
    )


def test_names_on_disk_are_spelt_in_one_place() -> None:
    on_disk = re.compile(r"\.(wal|h5|sqlite|damaged)\b|^(manifest|quarantine|segments)$")
    assert_none(
        f"{source.path}:{node.lineno}: {node.value!r} belongs into historian/store/filenames.py"
        for source in product_sources()
        if source.path.startswith("historian/") and source.path not in MAY_SPELL_FILE_NAMES
        for node in strings(source)
        if isinstance(node.value, str) and on_disk.search(node.value)
    )


def test_every_module_has_its_test() -> None:
    def untested() -> Iterator[str]:
        tests = set(our_files())
        for source in product_sources():
            if source.path in NOTHING_TO_TEST or not any(functions(source)):
                continue
            if mirrored_test(source.path) not in tests:
                yield f"{source.path}: no {mirrored_test(source.path)}"

    assert_none(untested())


def test_every_test_belongs_to_a_module() -> None:
    modules = {mirrored_test(source.path) for source in product_sources()}
    assert_none(
        f"{path}: no such module"
        for path in our_files()
        if re.fullmatch(r"tests/unit/.*test_\w+\.py", path) and path not in modules
    )


def test_every_codec_has_property_and_fuzz_tests() -> None:
    def untested() -> Iterator[str]:
        for source in product_sources():
            if "/codec/" not in source.path or source.path.endswith("__init__.py"):
                continue
            module = source.path.removesuffix(".py").replace("/", ".")
            for tree in ("property", "fuzz"):
                tests = [test for test in python_sources() if test.path.startswith(f"tests/{tree}/")]
                if not any(module in imported_modules(test) for test in tests):
                    yield f"{source.path}: nothing in tests/{tree} imports it"

    assert_none(untested())


def test_no_module_is_named_by_an_empty_word() -> None:
    assert_none(
        f"{source.path}: say what it is"
        for source in python_sources()
        if source.path.rsplit("/", 1)[-1].removesuffix(".py") in EMPTY_WORDS
    )


def test_durations_name_their_unit() -> None:
    def unitless() -> Iterator[str]:
        for source in product_sources():
            for node in ast.walk(source.tree):
                name = ""
                if isinstance(node, ast.arg):
                    name = node.arg
                elif isinstance(node, ast.AnnAssign):
                    name = dotted(node.target)
                if name in UNITLESS_NAMES:
                    yield f"{source.path}:{node.lineno}: {name} lacks its unit"

    assert_none(unitless())


def test_imports_are_absolute() -> None:
    assert_none(
        f"{source.path}:{node.lineno}: relative import"
        for source in python_sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.level > 0
    )


def test_kernels_live_in_kernel_modules_cached_and_without_the_gil() -> None:
    def misplaced() -> Iterator[str]:
        for source in product_sources():
            for function in functions(source):
                for decorator in function.decorator_list:
                    call = decorator.func if isinstance(decorator, ast.Call) else decorator
                    if dotted(call).rsplit(".", 1)[-1] not in {"njit", "jit", "vectorize", "guvectorize"}:
                        continue
                    where = f"{source.path}:{function.lineno}: {function.name}"
                    if not source.path.endswith("kernels.py"):
                        yield f"{where} is a kernel outside *kernels.py"
                    if not {"cache", "nogil"} <= true_keywords(decorator):
                        yield f"{where} needs cache=True and nogil=True"

    assert_none(misplaced())


def test_numba_is_imported_only_where_its_cache_is_made_safe() -> None:
    assert_none(
        f"{source.path}: imports numba; historian.jit_kernels has njit, historian.jit_loads what is no Python"
        for source in product_sources()
        if not source.path.endswith(("historian/jit_kernels.py", "historian/jit_loads.py"))
        and {"numba", "llvmlite"} & imported_modules(source)
    )


def test_unit_tests_do_not_sleep() -> None:
    def sleeping() -> Iterator[str]:
        for source in python_sources():
            if not source.path.startswith("tests/unit/"):
                continue
            for node in ast.walk(source.tree):
                is_sleep = isinstance(node, ast.Call) and dotted(node.func) in {"time.sleep", "asyncio.sleep"}
                if is_sleep and not is_zero(node.args[0]):
                    yield f"{source.path}:{node.lineno}: take a ManualClock"

    assert_none(sleeping())


def test_no_file_names_a_package_index() -> None:
    hosts = re.compile(
        "|".join(("pypi" + r"\.org", "python" + r"hosted\.org", "registry" + r"\.npmjs", "deb" + r"\.debian"))
    )
    assert_none(
        f"{path}:{number}: {line.strip()[:80]}"
        for path, text in text_files()
        for number, line in enumerate(text.splitlines(), 1)
        if hosts.search(line) or re.search(r"https?://\S+(/simple/|\.whl|\.tgz|\.deb)\b", line)
    )


def test_no_file_names_a_path_of_one_machine() -> None:
    checkout = re.escape(str(ROOT))
    machine = re.compile(rf"(?<![\w./-])(/(work|home|root|Users)/\w|{checkout}\b)")
    assert_none(
        f"{path}:{number}: {line.strip()[:80]}"
        for path, text in text_files()
        if path != "LICENSE"
        for number, line in enumerate(text.splitlines(), 1)
        if machine.search(line)
    )


def test_locks_hold_names_and_versions_only() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock", "requirements-fuzz.lock"):
        for line in (ROOT / lock).read_text().splitlines():
            assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.]+", line), f"{lock}: {line}"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("historian/clock.py", "tests/unit/test_clock.py", id="top of the library"),
        pytest.param("historian/store/wal.py", "tests/unit/store/test_wal.py", id="package of the library"),
        pytest.param("drivers/driver.py", "tests/unit/drivers/test_driver.py", id="sibling"),
    ],
)
def test_the_mirrored_test_of_a_module(path: str, expected: str) -> None:
    assert mirrored_test(path) == expected


def mirrored_test(path: str) -> str:
    """Where the unit test of a module stands."""
    folder, _, name = path.removeprefix("historian/").rpartition("/")
    return "/".join(part for part in ("tests/unit", folder, f"test_{name}") if part)


def swallows_everything(handler: ast.ExceptHandler) -> bool:
    """Whether it catches every error and does not end by raising it again."""
    is_wide = handler.type is None or dotted(handler.type) in {"Exception", "BaseException"}
    last = handler.body[-1]
    return is_wide and not (isinstance(last, ast.Raise) and last.exc is None)


def imported_modules(source: Source) -> set[str]:
    """Dotted names a file imports, both `a.b` and the `a.b.c` of `from a.b import c`."""
    names: set[str] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def is_zero(node: ast.expr) -> bool:
    """Whether an expression is the literal 0."""
    return isinstance(node, ast.Constant) and node.value == 0


def true_keywords(decorator: ast.expr) -> set[str]:
    """Keywords of a decorator call that are literally True."""
    if not isinstance(decorator, ast.Call):
        return set()
    return {
        keyword.arg or ""
        for keyword in decorator.keywords
        if isinstance(keyword.value, ast.Constant) and keyword.value.value is True
    }


def test_a_breach_is_seen() -> None:
    """The reading itself works: a file with every breach of the tree walk is caught."""
    tree = ast.parse("import time\ndef f(timeout):\n    '''doc'''\n    return time.time(), 'a.wal'\n")
    source = Source("historian/x.py", "", tree)
    assert [node.value for node in strings(source)] == ["a.wal"]
    assert [function.name for function in functions(source)] == ["f"]
    assert "time.time" in {dotted(node) for node in ast.walk(tree)}
