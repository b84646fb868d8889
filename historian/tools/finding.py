"""What a check found: the place, what is wrong there, what that means and what to do, in two languages."""

from typing import Final, Literal, NamedTuple

import msgspec

Severity = Literal["damage", "notice"]


class Advice(NamedTuple):
    """What a kind of finding means, and what to do."""

    severity: Severity
    meaning: str
    action: str
    zh: str


ADVICE: Final = {
    "manifest_damaged": Advice(
        "damage",
        "the historian does not start on this folder",
        "restore a backup, or the manifest alone from one made after the last seal",
        "历史库无法在此目录启动；请恢复备份",
    ),
    "segment_missing": Advice(
        "damage",
        "its samples are missing from answers",
        "copy the file of that name from a backup into the folder and restart",
        "该文件的样本缺失；请从备份复制同名文件",
    ),
    "segment_damaged": Advice(
        "damage",
        "its samples are missing from answers, or would be wrong",
        "copy the file of that name from a backup over it and restart; look at the disk",
        "该归档段已损坏；请从备份复制同名文件并检查磁盘",
    ),
    "segment_wrong": Advice(
        "damage",
        "the file is whole, but what it says of itself is not so",
        "copy the file of that name from a backup; report it, this is a fault of the historian",
        "文件完整但内容自相矛盾；请从备份恢复并报告",
    ),
    "segment_unlisted": Advice(
        "notice",
        "no manifest lists it: it is not served; a seal that did not finish leaves such a file",
        "nothing; the next start removes it where all of it is elsewhere, else reports it",
        "清单未列出该文件，不提供查询；通常无需处理",
    ),
    "log_damaged": Advice(
        "damage",
        "records that were good once cannot be read; the records around them can",
        "start the historian: it sets the piece aside and keeps the rest; look at the disk",
        "日志中部损坏，其前后记录仍可读；启动时会自动隔离",
    ),
    "log_tail": Advice(
        "notice",
        "a write that never finished, hence was never acknowledged",
        "nothing; the next start drops it",
        "未完成且未确认的写入；无需处理",
    ),
    "log_missing": Advice(
        "damage",
        "records that were acknowledged are neither in the log nor in a segment: a log file was removed or cut",
        "if there is a copy of that file, put it into its place; else restore a backup that holds it",
        "日志文件缺失或被截断，已确认的记录丢失；请放回该文件的副本或恢复备份",
    ),
    "log_order": Advice(
        "damage",
        "a log file begins before the one in front of it ends",
        "look who copied files into the folder; restore a backup",
        "日志文件顺序错乱；请恢复备份",
    ),
    "database_damaged": Advice(
        "damage",
        "points, outages or figures cannot all be read",
        "restore the file from a backup; figures alone are made again where the file is removed",
        "数据库文件损坏；请从备份恢复",
    ),
    "figure_differs": Advice(
        "damage",
        "the kept figure is not what the stored samples give",
        "report it with this line; a changed sample of that day makes the figure anew",
        "保存的统计值与原始样本不符；请报告",
    ),
    "backup_differs": Advice(
        "damage",
        "the file is not as the backup was made",
        "take another backup; this one cannot be restored",
        "备份文件与备份时不一致；请使用其他备份",
    ),
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One place where something is wrong or worth knowing; `kind` is a key of `ADVICE`."""

    kind: str
    place: str
    problem: str

    @property
    def is_damage(self) -> bool:
        return ADVICE[self.kind].severity == "damage"

    def lines(self) -> list[str]:
        """For people."""
        advice = ADVICE[self.kind]
        return [
            f"{advice.severity.upper()}  {self.place}: {self.problem}",
            f"        means: {advice.meaning}",
            f"        do:    {advice.action}",
            f"        {advice.zh}",
        ]

    def to_dict(self) -> dict[str, str]:
        """For programs."""
        advice = ADVICE[self.kind]
        return {
            "severity": advice.severity,
            "kind": self.kind,
            "place": self.place,
            "problem": self.problem,
            "meaning": advice.meaning,
            "action": advice.action,
            "zh": advice.zh,
        }
