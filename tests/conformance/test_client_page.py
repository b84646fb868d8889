"""The examples of the page about the Python client, run as they stand."""

import asyncio
import re
from pathlib import Path

from tests.source_tree import ROOT
from tests.support import served_core


async def test_every_example_of_the_page_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs/integrator/client.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    async with served_core.serve(tmp_path) as served:
        program = "\n".join(examples).replace("http://127.0.0.1:8420", served.address)
        names: dict[str, object] = {"__name__": "page"}
        await asyncio.to_thread(exec, compile(f"{program}\nclient.close()", "client.md", "exec"), names)
    assert len(examples) == 7
