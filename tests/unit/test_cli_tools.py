import shutil
from pathlib import Path

import pytest

from historian import cli, cli_tools
from tests.support import hand_made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return hand_made.write_folder(tmp_path / "data")


def test_every_command_has_its_parser() -> None:
    parser = cli.make_parser()
    for command in cli_tools.COMMANDS:
        assert f"historian {command}" in _help_of(parser, command)


def _help_of(parser: object, command: str) -> str:
    [group] = parser._subparsers._group_actions  # type: ignore[attr-defined]
    text: str = group.choices[command].format_help()
    return text


def test_verify_and_inspect_answer(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", str(data), "--month", "2026-01"]) == 0
    assert cli.main(["inspect", str(data), "2026-01-0000000002.h5"]) == 0
    told = capsys.readouterr().out
    assert "OK   数据完好" in told
    assert "segment" in told


def test_a_backup_is_made_kept_restored_and_good(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert cli.main(["backup", str(data), str(tmp_path / "b"), "--keep", "1"]) == 0
    told = capsys.readouterr().out
    assert "up to record 3   备份完成" in told
    assert "removed" in told
    shutil.rmtree(data)
    assert cli.main(["restore", str(tmp_path / "b"), str(tmp_path / "new")]) == 0
    assert "恢复完成" in capsys.readouterr().out
    assert cli.main(["verify", str(tmp_path / "new")]) == 0


def test_damage_found_on_the_way_is_one(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "segments" / "2026-01-0000000002.h5").write_bytes(b"short")
    assert cli.main(["backup", str(data), str(tmp_path / "b")]) == 1
    assert "copied as it is" in capsys.readouterr().err
    assert cli.main(["restore", str(tmp_path / "b"), str(tmp_path / "new")]) == 0
    assert "was damaged before the backup" in capsys.readouterr().err
    assert cli.main(["verify", str(tmp_path / "new")]) == 1


def test_an_operators_mistake_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["backup", str(tmp_path / "absent"), str(tmp_path / "b")]) == 1
    assert cli.main(["restore", str(tmp_path / "absent"), str(tmp_path / "b")]) == 1
    assert cli.main(["inspect", str(tmp_path / "absent")]) == 1
    assert cli.main(["verify", str(tmp_path / "absent")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("historian: ") for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "d", "--month", "2026-13"],
        ["verify", "d", "--month", "26-1"],
        ["verify", "d", "--month", "2026-1x"],
        ["backup", "d", "t", "--keep", "0"],
        ["backup", "d"],
        ["restore", "d"],
    ],
)
def test_wrong_usage_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
