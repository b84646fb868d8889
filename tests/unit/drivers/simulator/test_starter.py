import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

import pytest

from drivers.simulator import starter

WITHIN_S = 20.0


@pytest.fixture
def written_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The end into which the test writes what this process reads as its standard input."""
    read_end, write_end = os.pipe()
    with TextIOWrapper(os.fdopen(read_end, "rb")) as standard_input, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", standard_input)
        yield write_end


async def test_it_stops_when_standard_input_ends_and_not_before(written_end: int) -> None:
    stopped = asyncio.Event()
    starter.watch(stopped.set)
    os.write(written_end, b"anything\n")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stopped.wait(), 0.05)
    os.close(written_end)
    await asyncio.wait_for(stopped.wait(), WITHIN_S)


@pytest.mark.parametrize("name", ["modbus", "iec104"])
def test_a_simulator_ends_when_its_starter_is_gone(root: Path, name: str) -> None:
    command = [sys.executable, "-m", "historian.cli", "simulate", name, "--port", "0", "--until-stdin-ends"]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as simulator:
        assert simulator.stdin is not None
        assert simulator.stdout is not None
        assert b"listens on" in simulator.stdout.readline()
        assert simulator.poll() is None
        simulator.stdin.close()
        assert simulator.wait(WITHIN_S) == 0
