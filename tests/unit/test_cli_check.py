from pathlib import Path

import pytest

from historian import cli_check


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_shipped_configuration_is_right(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli_check.run(None, [root / "config" / "demo" / "steel.toml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"OK  {root}/config/historian.toml: settings"
    assert lines[-1] == f"OK  {root}/config/demo/steel.toml: mapping of 4 points"
    assert all(line.startswith("OK  ") for line in lines)


def test_every_wrong_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write(tmp_path / "h.toml", 'substations = ["s/*.toml"]\n')
    write(tmp_path / "s" / "a.toml", 'station = "a"\n')
    write(tmp_path / "s" / "b.toml", "\nstation = 1\n")
    mapping = write(tmp_path / "m.toml", "[time]\nlable = 1\n")
    assert cli_check.run(config, [mapping]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        f"OK  {config}: settings",
        f"OK  {tmp_path}/s/a.toml: substation a, 0 drivers, 0 points",
    ]
    errors = told.err.splitlines()
    assert errors[0].startswith(f"{tmp_path}/s/b.toml:2: station is 1; allowed: ")
    assert errors[1].startswith(f"{mapping}:2: time.lable is not known (did you mean label?)")
    assert len(errors) == 2


def test_wrong_settings_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write(tmp_path / "h.toml", "[server]\nlisten = '0.0.0.0:80'\n")
    assert cli_check.run(config, []) == 1
    assert capsys.readouterr().err.startswith(
        f"{config}:2: server.listen: 0.0.0.0:80 can be reached from outside"
    )
