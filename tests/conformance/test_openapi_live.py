"""The description of the API against a live server: whatever it allows is answered as it says, never by a fault, and only to
who says who they are.
"""

import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from historian.model.access import Right
from tests.support.server_process import ROOT, ServerProcess

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES_MAX = 4  # for each operation, beside those made to cover the schema
WITHIN_S = 280


def make_token(data: Path) -> str:
    """A token of all rights a token may have."""
    data.mkdir()
    rights = [
        option for right in Right if right is not Right.ADMINISTER for option in ("--right", right.value)
    ]
    command = [
        sys.executable,
        "-m",
        "historian.cli",
        "access",
        "token",
        "tester",
        *rights,
        "--data",
        str(data),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return run.stdout.split()[-1]


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_every_operation_answers_as_described(tmp_path: Path) -> None:
    token = make_token(tmp_path / "data")
    server = ServerProcess.start(tmp_path / "data", None, "--demo", "--auth", "on")
    try:
        async with aiohttp.ClientSession() as session:
            await server.wait_ready(session)
        tried = subprocess.run(
            [
                SCHEMATHESIS, "--config-file", str(ROOT / "tests" / "schemathesis.toml"), "run",
                f"{server.base}/openapi.json", "-H", f"Authorization: Bearer {token}", "--max-examples", str(EXAMPLES_MAX),
                "--phases", "examples,coverage,fuzzing",
            ],
            capture_output=True, text=True, timeout=WITHIN_S, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert tried.returncode == 0, tried.stdout[:6000] + tried.stdout[-3000:] + tried.stderr[-2000:]
        assert "request_failed" not in server.log, "a fault of ours hid behind an answer"
    finally:
        server.stop()
