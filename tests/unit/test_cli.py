import argparse
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import historian
from historian import cli
from historian.errors import StoreLocked
from historian.settings import Settings

CLI = [sys.executable, "-m", "historian.cli"]


def parsers(parser: Any, name: str = "historian") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, child in action.choices.items():
                yield from parsers(child, f"{name} {word}")


ALL_PARSERS = dict(parsers(cli.make_parser()))
COMMANDS = {name: parser for name, parser in ALL_PARSERS.items() if not parser._subparsers}
OWN_COMMANDS = {name: parser for name, parser in COMMANDS.items() if "simulate" not in name}


def test_every_command_of_the_contract_is_there() -> None:
    assert set(COMMANDS) == {
        "historian run",
        "historian check",
        "historian import csv",
        "historian import samples",
        "historian archive import",
        "historian archive export",
        "historian export",
        "historian verify",
        "historian access list",
        "historian access add",
        "historian access reset",
        "historian access unlock",
        "historian access sign-out",
        "historian access token",
        "historian access revoke",
        "historian audit verify",
        "historian audit list",
        "historian audit export",
        "historian backup",
        "historian restore",
        "historian inspect",
        "historian query load-curve",
        "historian query rollups",
        "historian query recorded",
        "historian points list",
        "historian quarantine list",
        "historian quarantine release",
        "historian quarantine erase",
        "historian simulate modbus",
        "historian simulate iec104",
    }


@pytest.mark.parametrize("name", OWN_COMMANDS)
def test_every_command_has_an_example_and_a_chinese_line(name: str) -> None:
    text = OWN_COMMANDS[name].format_help()
    assert f"\n  {name}" in text
    assert any("\u4e00" <= letter <= "\u9fff" for letter in text)


@pytest.mark.parametrize("name", OWN_COMMANDS)
def test_examples_are_commands_that_parse(name: str) -> None:
    import shlex

    for line in OWN_COMMANDS[name].format_help().splitlines():
        if line.startswith(f"  {name}"):
            assert cli.make_parser().parse_args(shlex.split(line)[1:])


@pytest.mark.parametrize("name", ALL_PARSERS)
def test_every_option_has_help(name: str) -> None:
    assert all(
        action.help
        for action in ALL_PARSERS[name]._actions
        if not isinstance(action, argparse._SubParsersAction)
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from historian import cli; cli.make_parser().format_help();"
        "print([name for name in ('numpy', 'numba', 'aiohttp', 'h5py', 'msgspec', 'pymodbus', 'c104') if name in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"historian {historian.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["import"],
        ["import", "csv"],
        ["check", "--unknown"],
        ["run", "--dat", "x"],
        ["run", "extra"],
    ],
)
def test_wrong_usage_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage: historian" in capsys.readouterr().err


def test_operators_mistake_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["import", "csv", "f.csv", "--mapping", str(tmp_path / "absent.toml")]
    assert cli.main(arguments) == 1
    assert capsys.readouterr().err == (
        f"historian: {tmp_path}/absent.toml:1: cannot be read: No such file or directory; "
        "allowed: a readable TOML file\n"
    )


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (StoreLocked("in use by process 7"), 1, "historian: in use by process 7\n"),
        (
            PermissionError(13, "Permission denied", "/data"),
            1,
            "historian: [Errno 13] Permission denied: '/data'\n",
        ),
        (KeyboardInterrupt(), 130, "historian: interrupted\n"),
    ],
)
def test_failure_of_a_command_has_its_line_and_code(
    error: BaseException,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(options: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(cli, "_run_command", fail)
    assert cli.main(["check"]) == code
    assert capsys.readouterr().err == line


def test_reader_that_goes_away_is_no_fault(root: Path) -> None:
    process = subprocess.Popen(
        [*CLI, "check"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 1


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What `historian run` hands to the composition root, which is not started here."""
    calls: list[Any] = []

    def run(settings: Settings, data: Path, is_demo: bool) -> int:
        calls.append((settings, data, is_demo))
        return 0

    app = types.ModuleType("historian.app")
    app.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "historian.app", app)
    monkeypatch.setattr(historian, "app", app, raising=False)
    return calls


def test_run_without_options_has_defaults_and_collects_nothing(started: list[Any]) -> None:
    assert cli.main(["run"]) == 0
    [(settings, data, is_demo)] = started
    assert (settings.substations, data, is_demo) == ((), Path("var"), False)
    assert settings.server.auth == "on"


def test_run_with_the_demo_takes_the_shipped_settings(started: list[Any], root: Path) -> None:
    assert cli.main(["run", "--demo", "--data", "d"]) == 0
    [(settings, data, is_demo)] = started
    assert settings.substations == (str(root / "config" / "substations" / "*.toml"),)
    assert (data, is_demo, settings.server.auth) == (Path("d"), True, "off")


def test_access_control_may_be_asked_for_or_be_off_on_loopback(
    started: list[Any], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["run", "--demo", "--auth", "on"]) == 0
    assert cli.main(["run", "--auth", "off"]) == 0
    assert [settings.server.auth for settings, *_ in started] == ["on", "off"]
    (tmp_path / "h.toml").write_text('[server]\nlisten = "0.0.0.0:9"\nplain_http = true\n')
    assert cli.main(["run", "--config", str(tmp_path / "h.toml"), "--auth", "off"]) == 1
    assert "--auth off: listen: 0.0.0.0:9 can be reached from outside" in capsys.readouterr().err
    assert len(started) == 2


def test_run_takes_a_listen_address_under_the_rules(
    started: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", "--listen", "127.0.0.1:9"]) == 0
    assert started[0][0].server.listen == "127.0.0.1:9"
    assert cli.main(["run", "--listen", "0.0.0.0:9"]) == 1
    assert capsys.readouterr().err.startswith("historian: --listen: 0.0.0.0:9 can be reached from outside")
    assert len(started) == 1


def test_run_refuses_a_wrong_settings_file(
    started: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "h.toml").write_text("[store]\nring_hours = 0\n")
    assert cli.main(["run", "--config", str(tmp_path / "h.toml")]) == 1
    assert capsys.readouterr().err.startswith(
        f"historian: {tmp_path}/h.toml:2: store.ring_hours is 0; allowed: "
    )
    assert started == []


@pytest.mark.parametrize("protocol", cli.SIMULATORS)
def test_simulator_reads_its_own_options(protocol: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["simulate", protocol, "--help"])
    assert ended.value.code == 0
    assert f"usage: historian simulate {protocol}" in capsys.readouterr().out
