"""The commands around a data folder: `verify · backup · restore · inspect · export · import samples`.

Parsers only, and the call of each command's own module.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

KEEP_ALL: Final = 0
COMMANDS: Final = ("verify", "backup", "restore", "inspect", "export")


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add their parsers."""
    _add_verify(commands)
    _add_backup(commands)
    _add_restore(commands)
    _add_inspect(commands)
    _add_export(commands)


def add_import_samples(
    imports: "argparse._SubParsersAction[Any]",
) -> argparse.ArgumentParser:
    """Add the parser of `import samples`; where it imports to is the caller's to add."""
    parser: argparse.ArgumentParser = imports.add_parser(
        "samples",
        help="a file of `historian export`, of any form · 导出文件",
        description="Import a file that `historian export` made, into a data folder nobody else uses or into a running\n"
        "historian: points, times, values and qualities bit for bit. Importing again changes nothing.\n"
        "导入 export 生成的文件（测点、时间、数值、质量码逐位一致），可重复执行。",
        epilog="exit code: 0 every sample taken, 3 some refused, 1 failed\n\n"
        "examples:\n"
        "  historian import samples year.arrow --data var\n"
        "  historian import samples year.csv --server http://127.0.0.1:8420",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the file to import")
    return parser


def run(options: argparse.Namespace) -> int:
    """Run one of them; the exit code. Raises HistorianError, OSError."""
    match options.command:
        case "verify":
            from historian.tools import verify

            return verify.run(options.folder, options.month, options.json, _cold_folder(options))
        case "inspect":
            from historian.tools import inspect

            return inspect.run(options.folder, options.file, options.json, _cold_folder(options))
        case "export":
            from historian.tools import export

            return export.run(options)
        case "import":
            from historian.tools import import_samples

            return import_samples.run(options)
        case "backup":
            return _backup(options)
    return _restore(options)


def _add_verify(commands: "argparse._SubParsersAction[Any]") -> None:
    parser = commands.add_parser(
        "verify",
        help="check every byte of a data folder or backup · 校验数据",
        description="Read a data folder nobody uses, or a backup, by code of its own: checksums, order and content of\n"
        "every file, and a month of figures computed anew from the raw samples. Nothing is changed.\n"
        "独立校验数据目录或备份：校验和、顺序、内容，并用原始样本重算一个月的统计值；不做任何修改。",
        epilog="exit code: 0 all is well, 1 damage found, 2 it could not be checked (in use, unreadable)\n\n"
        "examples:\n"
        "  historian verify var\n"
        "  historian verify /backup/20261122T193300.123Z --month 2026-10 --json",
    )
    parser.add_argument("folder", metavar="DATA", type=Path, help="data folder, or a backup")
    parser.add_argument(
        "--month",
        metavar="YYYY-MM",
        type=_month,
        help="month whose figures are computed anew (default: the newest one)",
    )
    _add_config(parser)
    _add_json(parser)


def _add_backup(commands: "argparse._SubParsersAction[Any]") -> None:
    parser = commands.add_parser(
        "backup",
        help="copy a data folder, in use or not · 备份",
        description="Make a whole copy below TARGET, in a folder named by the time: a data folder of its own, as of one\n"
        "moment. The historian may run and take samples meanwhile. Segments that the backup before has\n"
        "are linked, not copied again.\n"
        "在 TARGET 下生成完整一致的备份；历史库可同时运行；未变的归档段以硬链接复用。",
        epilog="exit code: 0 done, 1 failed, or done and damaged files were copied as they are\n\n"
        "examples:\n"
        "  historian backup var /backup\n"
        "  historian backup /srv/historian /backup --keep 14",
    )
    parser.add_argument("folder", metavar="DATA", type=Path, help="data folder")
    parser.add_argument(
        "target", metavar="TARGET", type=Path, help="folder of backups; made where it is not there"
    )
    parser.add_argument(
        "--keep",
        metavar="N",
        type=_positive,
        default=KEEP_ALL,
        help="then remove all but the newest N backups (default: all are kept)",
    )
    _add_config(parser)


def _add_restore(commands: "argparse._SubParsersAction[Any]") -> None:
    parser = commands.add_parser(
        "restore",
        help="put a backup into an empty folder · 恢复",
        description="Check every file of a backup, then copy it into an empty folder; the historian starts with that.\n"
        "先校验备份的每个文件，再恢复到空目录。",
        epilog="exit code: 0 done, 1 failed: nothing in the folder can be started then\n\n"
        "examples:\n"
        "  historian restore /backup var\n"
        "  historian restore /backup/20261122T193300.123Z /srv/historian",
    )
    parser.add_argument(
        "backup",
        metavar="BACKUP",
        type=Path,
        help="a backup, or a folder of backups: then the newest whole one",
    )
    parser.add_argument("folder", metavar="DATA", type=Path, help="empty or new folder")


def _add_inspect(commands: "argparse._SubParsersAction[Any]") -> None:
    parser = commands.add_parser(
        "inspect",
        help="tell what is inside a data folder, segment or log file · 查看",
        description="Tell what manifest, segments and log files hold; works on damaged files and on a folder in use.\n"
        "查看清单、归档段和日志文件的内容；损坏或正在使用的文件也可查看。",
        epilog="exit code: 0 told, 1 there is nothing of ours\n\n"
        "examples:\n"
        "  historian inspect var\n"
        "  historian inspect var 2018-01-0000000007 --json",
    )
    parser.add_argument("folder", metavar="DATA", type=Path, help="data folder, backup, segment or log file")
    parser.add_argument(
        "file", metavar="FILE", nargs="?", help="a segment or log file of that folder, with or without suffix"
    )
    _add_config(parser)
    _add_json(parser)


def _add_export(commands: "argparse._SubParsersAction[Any]") -> None:
    parser = commands.add_parser(
        "export",
        help="write samples of points into a file · 导出",
        description="Write the samples of points in [from, to) into one file, with all that is needed to make the points:\n"
        "CSV, Arrow (Feather) or HDF5. `historian import samples` takes it back bit for bit.\n"
        "将测点样本导出为 CSV、Arrow 或 HDF5 文件，可逐位导回。",
        epilog="exit code: 0 done, 1 failed: then there is no file\n\n"
        "examples:\n"
        "  historian export year.arrow --points 'steel.*' --from 2018-01-01 --to 2019-01-01 --format arrow\n"
        "  historian export day.csv --points steel.co2 --from 2018-01-01 --to 2018-01-02 "
        "--server http://127.0.0.1:8420",
    )
    parser.add_argument("output", metavar="FILE", type=Path, help="the file to make")
    parser.add_argument(
        "--points", metavar="POINT", nargs="+", required=True, help="names, ids, or globs such as 'steel.*'"
    )
    parser.add_argument(
        "--from",
        dest="start",
        metavar="TIME",
        required=True,
        help="date or RFC 3339; without offset local to the first point",
    )
    parser.add_argument("--to", dest="end", metavar="TIME", required=True, help="the end is not included")
    parser.add_argument("--format", choices=("csv", "arrow", "h5"), default="csv", help="default: csv")
    parser.add_argument(
        "--versions",
        action="store_true",
        help="superseded versions too, with arrival, source and reason; from a data folder only",
    )
    parser.add_argument(
        "--data", metavar="DIR", type=Path, default=Path("var"), help="data folder (default: var)"
    )
    parser.add_argument(
        "--server", metavar="URL", help="work on a running historian, such as http://127.0.0.1:8420"
    )
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="settings file (default: built-in defaults)"
    )


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="settings, where they name a cold folder (default: none)"
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def _backup(options: argparse.Namespace) -> int:
    from historian.clock import SystemClock
    from historian.store.durable import DurableFiles
    from historian.tools import backup, progress

    clock = SystemClock()
    teller = progress.Progress(clock)
    maker = backup.BackupMaker(
        options.folder, options.target, clock, DurableFiles(), teller.tell, _cold_folder(options)
    )
    try:
        made = maker.make()
    finally:
        teller.end()
    print(
        f"{maker.folder}: {len(made.files)} files, {made.size_bytes} bytes, up to record {made.sequence}   备份完成"
    )
    if options.keep:
        for folder in backup.remove_old(options.target, options.keep):
            print(f"removed {folder}")
    for line in made.damage:
        print(f"historian: {line}", file=sys.stderr)
    return 1 if made.damage else 0


def _restore(options: argparse.Namespace) -> int:
    from historian.clock import SystemClock
    from historian.model import timestamp
    from historian.store.durable import DurableFiles
    from historian.tools import progress, restore

    teller = progress.Progress(SystemClock())
    try:
        folder, backup = restore.restore(options.backup, options.folder, DurableFiles(), teller.tell)
    finally:
        teller.end()
    print(
        f"{options.folder}: restored from {folder}, made {timestamp.format_time(backup.made_at_us)}, "
        f"up to record {backup.sequence}   恢复完成\n"
        f"start it: historian run --data {options.folder}"
    )
    for line in backup.damage:
        print(f"historian: was damaged before the backup: {line}", file=sys.stderr)
    return 0


def _cold_folder(options: argparse.Namespace) -> Path | None:
    from historian import settings

    folder = settings.load(options.config).store.cold_folder
    return Path(folder) if folder else None


def _month(text: str) -> str:
    year, dash, month = text.partition("-")
    if not (dash and len(year) == 4 and year.isdigit() and month.isdigit() and len(month) == 2):
        raise argparse.ArgumentTypeError(f"{text!r} is no month; allowed: YYYY-MM such as 2026-10")
    if not 1 <= int(month) <= 12 or not 1 <= int(year) < 9999:
        raise argparse.ArgumentTypeError(f"{text!r} is no month; allowed: YYYY-MM such as 2026-10")
    return text


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; a whole number from 1 on is")
    return int(text)
