"""The description of the API against a live server: whatever it allows is answered as it says, never by a fault."""

import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.support.server_process import ROOT, ServerProcess

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES_MAX = 10  # for each operation, beside those made to cover the schema
WITHIN_S = 280


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_every_operation_answers_as_described(tmp_path: Path) -> None:
    server = ServerProcess.start(tmp_path / "data", None, "--demo")
    try:
        async with aiohttp.ClientSession() as session:
            await server.wait_ready(session)
        tried = subprocess.run(
            [
                SCHEMATHESIS, "--config-file", str(ROOT / "tests" / "schemathesis.toml"), "run",
                f"{server.base}/openapi.json", "--max-examples", str(EXAMPLES_MAX),
                "--phases", "examples,coverage,fuzzing",
            ],
            capture_output=True, text=True, timeout=WITHIN_S, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert tried.returncode == 0, tried.stdout[-8000:] + tried.stderr[-2000:]
        assert "request_failed" not in server.log, "a fault of ours hid behind an answer"
    finally:
        server.stop()
