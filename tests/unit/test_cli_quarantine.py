"""The parsers of `historian quarantine`."""

import pytest

from historian import cli


def test_the_options_of_a_release() -> None:
    line = ["quarantine", "release", "1", "5-7", "--shift=-8h", "--reason", "clock", "--server", "http://x"]
    options = cli.make_parser().parse_args(line)
    assert (options.ids, options.shift, options.time, options.on_conflict) == (
        ["1", "5-7"],
        "-8h",
        None,
        "keep",
    )


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(["release", "1"], id="no reason"),
        pytest.param(["erase", "--reason", "r"], id="no id"),
        pytest.param(["release", "1", "--reason", "r", "--shift", "1h", "--time", "x"], id="shift and time"),
        pytest.param(["list", "--state", "lost"], id="no such state"),
        pytest.param(["list", "--code", "bad"], id="no such code"),
    ],
)
def test_wrong_usage(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.make_parser().parse_args(["quarantine", *line])
    assert caught.value.code == 2
    assert "usage: historian quarantine" in capsys.readouterr().err
