"""The composition root: what cannot start says why in one line. Starting and stopping: tests/e2e."""

import errno
from pathlib import Path

import pytest

from historian import app, settings
from historian.errors import HistorianError
from historian.model.sample import make_batch
from historian.settings import ServerSettings, Settings
from tests.support.store_kit import START_US
from tests.unit.test_core import DRAFT


async def test_offline_parts_read_what_was_written(tmp_path: Path) -> None:
    async with app.open_offline(Settings(), tmp_path) as parts:
        point = parts.registry.ensure(DRAFT)
        await parts.sink.append(make_batch(point.id, [START_US], [1.5]), source="t")
    async with app.open_offline(Settings(), tmp_path) as parts:
        [run] = await parts.store.last([parts.registry.get("m").id])
        assert run.value.tolist() == [1.5]


def test_a_folder_that_cannot_be_used_is_an_operators_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HistorianError, match="choose another with --data"):
        app.run(settings.load(None), tmp_path / "file" / "data", is_demo=False)


def test_a_taken_port_is_an_operators_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def taken(*_: object) -> None:
        raise OSError(errno.EADDRINUSE, "taken")

    monkeypatch.setattr(app.server, "start", taken)
    with pytest.raises(HistorianError, match="in use by another program"):
        app.run(settings.load(None), tmp_path, is_demo=False)


def test_the_greeting_names_the_page_and_in_the_demo_a_day_worth_a_look(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app._greet(ServerSettings(), is_demo=False)
    assert "http://127.0.0.1:8420/" in capsys.readouterr().out
    app._greet(ServerSettings(tls_certificate="a", tls_key="b"), is_demo=True)
    assert "https://127.0.0.1:8420/#point=steel.import.energy&date=2018-11-22" in capsys.readouterr().out
