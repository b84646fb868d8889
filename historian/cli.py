"""The command line: `historian run · check · import … · export · query … · points list · simulate …`.

Only the parser is built here; a command's own modules are imported when it runs, so that `--help` is
quick. An operator's mistake ends in one line on standard error, never in a stack trace.
"""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import historian
from historian import (
    cli_access,
    cli_archive,
    cli_audit,
    cli_quarantine,
    cli_record,
    cli_tools,
    resources,
)
from historian.errors import HistorianError

DATA_DEFAULT: Final = Path("var")
EXIT_FAILED: Final = 1
EXIT_INTERRUPTED: Final = 130  # 128 + SIGINT, as shells count

SIMULATORS: Final = ("modbus", "iec104")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. 0 done, 1 failed, 2 wrong usage, 3 an import that set rows aside."""
    resources.make_siblings_importable()
    parser = make_parser()
    options, rest = parser.parse_known_args(argv)
    if rest and not hasattr(options, "simulator"):
        parser.error(f"unknown arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        code = cli_record.run(options, lambda: _run_command(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) went away; nothing is left to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except (HistorianError, OSError) as error:
        print(f"historian: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print("historian: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    return code


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(
        prog="historian",
        description="Historian for metering points: durable store, exact energy, open archives.\n"
        "面向计量点的历史数据库：可靠存储、精确电量、开放归档。",
        epilog="Each command explains itself: historian import csv --help",
    )
    parser.add_argument("--version", action="version", version=f"historian {historian.__version__}",
                        help="print the version and stop")  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    _add_run(commands)
    _add_check(commands)
    _add_import(commands)
    _add_query(commands)
    _add_points(commands)
    _add_quarantine(commands)
    cli_tools.add_commands(commands)
    _add_audit(commands)
    _add_archive(commands)
    _add_access(commands)
    _add_simulate(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    """Keeps line ends of descriptions, takes no abbreviated options: a script must mean what it writes."""

    def __init__(self, **options: object) -> None:
        super().__init__(
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **options,  # type: ignore[arg-type]
        )


def _add_run(commands: "argparse._SubParsersAction[_Parser]") -> None:
    parser = commands.add_parser(
        "run",
        help="start the historian; Ctrl-C stops it · 启动服务",
        description="Start store, drivers, HTTP API and page; Ctrl-C or SIGTERM stops in order and loses nothing.\n"
        "启动历史库服务，Ctrl-C 停止。",
        epilog="examples:\n"
        "  historian run --data /srv/historian --config /etc/historian/historian.toml\n"
        "  historian run --demo",
    )
    _add_config(parser)
    _add_data(parser)
    parser.add_argument(
        "--listen", metavar="HOST:PORT", help="HTTP address, instead of the one in the settings"
    )
    parser.add_argument(
        "--auth",
        choices=("on", "off"),
        help="access control, instead of what the settings say; off only on a loopback address",
    )
    parser.add_argument(
        "--demo",
        action="store_true",
        help="import a year of real data at the first start and simulate the demo substation",
    )


def _add_check(commands: "argparse._SubParsersAction[_Parser]") -> None:
    parser = commands.add_parser(
        "check",
        help="check settings, substations and mappings without starting · 检查配置",
        description="Read the settings, every substation file they name and every mapping given; print OK for each\n"
        "or what is wrong with file and line. Exit code 1 if anything is wrong.\n"
        "检查设置、变电站和导入映射文件，不启动服务。",
        epilog="examples:\n"
        "  historian check\n"
        "  historian check --config /etc/historian/historian.toml --mapping meters.toml",
    )
    _add_config(parser, default="the shipped file")
    parser.add_argument(
        "--mapping",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="an import mapping to check too; repeatable",
    )


def _add_import(commands: "argparse._SubParsersAction[_Parser]") -> None:
    imports = commands.add_parser(
        "import",
        help="import a file of samples · 导入数据文件",
        description="Import a file of samples.\n导入数据文件。",
    ).add_subparsers(dest="import_kind", required=True, metavar="KIND", parser_class=_Parser)
    parser = imports.add_parser(
        "csv",
        help="a delimited text file, plain or .gz, by a mapping · 分隔文本文件",
        description="Import a delimited text file by a mapping, into a data folder nobody else uses or into a running\n"
        "historian. Importing again changes nothing. Rows that cannot be read are reported with their line\n"
        "number and kept in DATA/quarantine; they cost no other row.\n"
        "按映射文件导入分隔文本；可重复执行；坏行带行号报告并另存。",
        epilog="exit code: 0 every row taken, 3 some rows set aside, 1 failed\n\n"
        "examples:\n"
        "  historian import csv steel.csv.gz --mapping steel.toml --data var\n"
        "  historian import csv steel.csv.gz --mapping steel.toml --server http://127.0.0.1:8420",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the file to import")
    parser.add_argument(
        "--mapping", metavar="FILE", type=Path, required=True, help="what its columns and stamps mean"
    )
    for each in (parser, cli_tools.add_import_samples(imports)):
        _add_config(each)
        _add_place(each)


def _add_query(commands: "argparse._SubParsersAction[_Parser]") -> None:
    queries = commands.add_parser(
        "query",
        help="print samples, load curves or energy · 查询",
        description="Print what is stored, as a table or as CSV.\n查询样本、负荷曲线、电量。",
    ).add_subparsers(dest="query_kind", required=True, metavar="KIND", parser_class=_Parser)
    curve = queries.add_parser(
        "load-curve",
        help="the load curve of a day · 日负荷曲线",
        description="Every slot of a local day with its value and state; energy is given as mean power.\n日负荷曲线。",
        epilog="example:\n  historian query load-curve steel.import.energy --date 2018-11-22",
    )
    curve.add_argument("point", metavar="POINT", help="name or id")
    curve.add_argument("--date", metavar="YYYY-MM-DD", required=True, help="local day of the point")
    curve.add_argument("--interval", metavar="15m", default="15m", help="length of a slot (default: 15m)")
    rollups = queries.add_parser(
        "rollups",
        help="energy and demand by day, month or year · 日月年电量",
        description="Energy, maximum, minimum, mean and coverage of each period.\n日、月、年电量与最大值。",
        epilog="example:\n  historian query rollups steel.import.energy --period month --from 2018-01-01 --to 2019-01-01",
    )
    rollups.add_argument("points", metavar="POINT", nargs="+", help="names or ids")
    rollups.add_argument("--period", choices=("day", "month", "year"), default="day", help="default: day")
    rollups.add_argument("--from", dest="first", metavar="YYYY-MM-DD", required=True, help="first local day")
    rollups.add_argument(
        "--to", dest="last", metavar="YYYY-MM-DD", required=True, help="local day after the last"
    )
    recorded = queries.add_parser(
        "recorded",
        help="samples as stored · 原始样本",
        description="Samples as stored in [start, end); a time without offset is local to the point.\n原始样本。",
        epilog="example:\n"
        "  historian query recorded steel.co2 --start 2018-01-01T00:00 --end 2018-01-02T00:00 --form csv",
    )
    recorded.add_argument("point", metavar="POINT", help="name or id")
    recorded.add_argument(
        "--start", metavar="TIME", required=True, help="RFC 3339, such as 2018-01-01T00:00:00+08:00"
    )
    recorded.add_argument("--end", metavar="TIME", required=True, help="the end is not included")
    for parser in (curve, rollups, recorded):
        _add_config(parser)
        _add_place(parser)
        _add_form(parser)


def _add_points(commands: "argparse._SubParsersAction[_Parser]") -> None:
    actions = commands.add_parser(
        "points", help="list points · 测点", description="Work on points.\n测点。"
    ).add_subparsers(dest="points_kind", required=True, metavar="ACTION", parser_class=_Parser)
    parser = actions.add_parser(
        "list",
        help="name, unit, kind and station of each point · 列出测点",
        description="List the points.\n列出测点。",
        epilog="example:\n  historian points list --match 'steel.*'",
    )
    parser.add_argument("--match", metavar="GLOB", help="only names that match, such as 'steel.*'")
    parser.add_argument("--station", help="only points of that station")
    _add_config(parser)
    _add_place(parser)
    _add_form(parser)


def _add_quarantine(commands: "argparse._SubParsersAction[_Parser]") -> None:
    actions = commands.add_parser(
        "quarantine",
        help="samples with impossible stamps: list, release, erase · 隔离区",
        description="Decide on samples stamped outside the time fence.\n处理时间戳超出允许范围的样本。",
    ).add_subparsers(dest="quarantine_kind", required=True, metavar="ACTION", parser_class=_Parser)
    listing, *deciding = cli_quarantine.add_actions(actions)
    for parser in (listing, *deciding):
        _add_config(parser)
        _add_place(parser)
    _add_form(listing)


def _add_archive(commands: "argparse._SubParsersAction[_Parser]") -> None:
    actions = commands.add_parser(
        "archive",
        help="entities, relations, charges and points as CSV · 档案表",
        description="The archive's tables as CSV, in and out.\n档案表的导入与导出。",
    ).add_subparsers(dest="archive_kind", required=True, metavar="ACTION", parser_class=_Parser)
    for parser in cli_archive.add_actions(actions):
        _add_config(parser)
        _add_place(parser)


def _add_audit(commands: "argparse._SubParsersAction[_Parser]") -> None:
    cli_audit.add_actions(
        commands.add_parser(
            "audit",
            help="the audit trail: verify, list, export · 审计记录",
            description="Who did what with a data folder.\n审计记录。",
        ).add_subparsers(dest="audit_kind", required=True, metavar="ACTION", parser_class=_Parser)
    )


def _add_access(commands: "argparse._SubParsersAction[_Parser]") -> None:
    cli_access.add_actions(
        commands.add_parser(
            "access",
            help="accounts, locks and tokens, on this machine · 账号与令牌",
            description="Who may come in; also beside a running historian.\n账号、锁定与令牌。",
        ).add_subparsers(dest="access_kind", required=True, metavar="ACTION", parser_class=_Parser)
    )


def _add_simulate(commands: "argparse._SubParsersAction[_Parser]") -> None:
    simulators = commands.add_parser(
        "simulate",
        help="be a field device, for trials and tests · 模拟现场设备",
        description="Be a field device that the demo substation collects from.\n模拟现场设备。",
        epilog="example:\n  historian simulate modbus --host 127.0.0.1 --port 5020\n\n"
        "historian simulate modbus --help tells the options of each.",
    ).add_subparsers(dest="simulator", required=True, metavar="PROTOCOL", parser_class=_Parser)
    # Their modules have their own parsers: what follows the name is theirs.
    simulators.add_parser("modbus", add_help=False, help="a Modbus TCP meter on a 10 kV feeder · Modbus 电表")
    simulators.add_parser(
        "iec104", add_help=False, help="an IEC 60870-5-104 station with a transformer · 104 子站"
    )


def _add_config(parser: argparse.ArgumentParser, default: str = "built-in defaults") -> None:
    parser.add_argument("--config", metavar="FILE", type=Path, help=f"settings file (default: {default})")


def _add_data(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--data", metavar="DIR", type=Path, default=DATA_DEFAULT, help="data folder (default: var)"
    )


def _add_place(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument(
        "--server", metavar="URL", help="work on a running historian, such as http://127.0.0.1:8420"
    )


def _add_form(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--form", choices=("table", "csv"), default="table", help="default: table")


def _run_command(options: argparse.Namespace) -> int:
    match options.command:
        case "run":
            return _run(options)
        case "check":
            from historian import cli_check

            return cli_check.run(options.config, options.mapping)
        case "import" if options.import_kind == "csv":
            from historian import cli_import

            return cli_import.run(cli_import.ImportOptions.of(options))
        case "query" | "points":
            from historian import cli_query

            return cli_query.run(options)
        case "quarantine":
            return cli_quarantine.run(options)
        case "archive":
            return cli_archive.run(options)
        case "access":
            return cli_access.run(options)
        case "audit":
            return cli_audit.run(options)
        case "verify" | "backup" | "restore" | "inspect" | "export" | "import":
            return cli_tools.run(options)
    return _simulate(options.simulator, options.rest)


def _run(options: argparse.Namespace) -> int:
    gc.disable()  # all that is loaded now stays; `warm` sets it apart and lets the collector begin
    from historian import app, settings

    path = options.config or (resources.config_dir() / "historian.toml" if options.demo else None)
    chosen = settings.load(path)
    if options.listen is not None:
        chosen = settings.with_listen(chosen, options.listen)
    chosen = settings.with_auth(chosen, options.auth, is_demo=options.demo)
    return app.run(chosen, options.data, options.demo)


def _simulate(simulator: str, rest: list[str]) -> int:
    if simulator == "modbus":
        from drivers.simulator import modbus

        return modbus.main(rest)
    from drivers.simulator import iec104

    return iec104.main(rest)


if __name__ == "__main__":
    sys.exit(main())
