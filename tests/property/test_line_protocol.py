"""The kernel for plain lines and the general reader are one reader."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import line_intake, line_protocol, text_kernels
from api import line_protocol_kernels as kernels
from api.intake import Intake
from api.line_intake import LinePoints
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.settings import IngestSettings

WORD = st.text("abz09_-.", min_size=1, max_size=3)
NUMBER = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(2**63), 2**63 - 1).map("{}i".format),
    st.integers(0, 2**64 - 1).map("{}u".format),
    st.decimals(-10_000, 10_000, places=3).map(str),
    st.sampled_from(
        ["t", "false", "1.", ".5", "1e22", "1e23", "-0", "-0i", "1e-30", "9007199254740993", "nan", "x"]
    ),
)
FIELDS = st.lists(st.tuples(WORD, NUMBER).map("=".join), min_size=1, max_size=3).map(",".join)
TAGS = st.dictionaries(WORD, WORD, max_size=3).map(lambda tags: "".join(f",{k}={v}" for k, v in tags.items()))
TIME = st.sampled_from(["", " "]) | st.integers(-(10**15), 2 * 10**15).map(" {}".format)
LINE = st.tuples(WORD, TAGS, st.just(" "), FIELDS, TIME, st.sampled_from(["\n", "\r\n", " \n"])).map("".join)
OTHER = st.sampled_from(["\n", "# comment\n", "broken\n", 'm s="a b"\n', "m\\ n x=1\n", "m,t x=1\n", "  \n"])
BODY = st.lists(LINE | OTHER, max_size=12).map("".join)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "points.db", ManualClock(), "UTC")
    yield registry
    registry.close()


def read_all(
    registry: Registry, body: str, points: LinePoints | None = None
) -> tuple[list[tuple[int, int, float, int]], list[tuple[int | None, str]]]:
    intake = Intake("line")
    points = points or LinePoints(registry, IngestSettings())
    asyncio.run(points.take_lines(intake, body.encode(), "us", 7))
    batch = intake._whole_batch()
    samples = list(zip(*(column.tolist() for column in batch), strict=True))
    return samples, sorted((reject.line, reject.code) for reject in intake.rejects)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(body=BODY)
def test_with_and_without_the_kernel_the_answer_is_the_same(registry: Registry, body: str) -> None:
    with_kernel = read_all(registry, body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_intake.kernels, "read_lines", lambda _, at, line, row, *rest: (at, line, row))
        without_kernel = read_all(registry, body)
    assert with_kernel == without_kernel


def kernel_numbers(text: bytes) -> list[tuple[float, int]]:
    """What each of the kernel's two readers makes of the number at 4: value and end, where it takes it."""
    padded = text + b"\n" + b" " * 32
    words = np.frombuffer(padded, np.uint8)
    first, second = text_kernels.load_word(words, 4), text_kernels.load_word(words, 5)
    short, size = kernels._read_short_number(first, second)
    value, at = kernels._read_number(np.frombuffer(text, np.uint8), 4)
    return [(short, 4 + size)] * (size > 0) + [(value, at)] * (at >= 0)


@given(number=NUMBER.filter(lambda text: text not in ("nan", "x")))
def test_a_number_has_the_bits_that_float_gives(number: str) -> None:
    text = f"m x={number}".encode()
    for value, at in kernel_numbers(text):
        (field,) = line_protocol.read_line(text, 0).fields
        assert np.float64(value).tobytes() == np.float64(field.value).tobytes()
        assert at == len(text)


KEYS = st.lists(st.tuples(st.sampled_from(["m", "m,t=a", "m2"]), WORD), min_size=1, max_size=6)
SCAN_LINE = st.tuples(
    st.integers(0, 5), st.booleans(), st.floats(-1e4, 1e4).map(lambda x: f"{x:.3f}"), st.integers(8, 9)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(keys=KEYS, scans=st.lists(st.lists(SCAN_LINE, max_size=8), min_size=2, max_size=4))
def test_what_the_last_scan_left_behind_changes_no_answer(
    registry: Registry, keys: list[tuple[str, str]], scans: list[list[tuple[int, bool, str, int]]]
) -> None:
    used = LinePoints(registry, IngestSettings())
    for scan in scans:
        body = ""
        for place, is_same_line, number, time in scan:
            series, key = keys[place % len(keys)]
            same_line = is_same_line and body.rpartition("\n")[2].startswith(f"{series} ")
            body = (
                f"{body},{key}={number}" if same_line else f"{body} {time}\n{series} {key}={number}".lstrip()
            )
        assert read_all(registry, body, used) == read_all(registry, body)
