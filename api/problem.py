"""The kinds of problem a reply can carry (RFC 9457). Slugs are stable: clients act on them."""

from typing import Final, NamedTuple

import msgspec

from historian.errors import HistorianError


class ProblemKind(NamedTuple):
    """One stable ``type``; ``/problems/<slug>``."""

    slug: str
    status: int
    title_en: str
    title_zh: str

    @property
    def uri(self) -> str:
        return f"/problems/{self.slug}"

    @property
    def code(self) -> str:
        return self.slug.replace("-", "_")


BAD_REQUEST: Final = ProblemKind("bad-request", 400, "The request cannot be read", "请求无法解析")
MALFORMED_JSON: Final = ProblemKind("malformed-json", 400, "The body is not JSON", "请求体不是合法的 JSON")
MALFORMED_BODY: Final = ProblemKind("malformed-body", 400, "The body cannot be read", "请求体无法解析")
INVALID_PARAMETER: Final = ProblemKind(
    "invalid-parameter", 400, "A parameter is missing or wrong", "参数缺失或错误"
)
INVALID_TIME: Final = ProblemKind("invalid-time", 400, "A time cannot be read", "时间无法解析")
INVALID_CURSOR: Final = ProblemKind("invalid-cursor", 400, "The cursor is not one of ours", "游标无效")
LINES_REFUSED: Final = ProblemKind("lines-refused", 400, "Some lines were refused", "部分行被拒绝")
NOT_LOGGED_IN: Final = ProblemKind("not-logged-in", 401, "Nobody is logged in", "尚未登录")
LOGIN_REFUSED: Final = ProblemKind("login-refused", 401, "The login is refused", "登录被拒绝")
FORBIDDEN: Final = ProblemKind("forbidden", 403, "You may not do this", "没有权限")
CSRF_MISSING: Final = ProblemKind(
    "csrf-missing", 403, "The session's second token is missing or wrong", "缺少或错误的 CSRF 令牌"
)
PASSWORD_EXPIRED: Final = ProblemKind(
    "password-expired", 403, "The password must be changed first", "须先修改口令"
)
ACCESS_NOT_FOUND: Final = ProblemKind(
    "access-not-found", 404, "No such account, token or session", "没有该账号、令牌或会话"
)
ACCESS_CONFLICT: Final = ProblemKind(
    "access-conflict", 409, "The account cannot be changed so", "账号无法这样更改"
)
ACCESS_INVALID: Final = ProblemKind(
    "access-invalid", 422, "The account, password or token is not as it must be", "账号、口令或令牌不符合要求"
)
LOGIN_LOCKED: Final = ProblemKind("login-locked", 429, "Too many failed logins", "登录失败次数过多")
LOGINS_FULL: Final = ProblemKind("logins-full", 503, "Too many logins at once", "同时登录过多")
ROUTE_NOT_FOUND: Final = ProblemKind("route-not-found", 404, "There is nothing here", "此路径不存在")
POINT_NOT_FOUND: Final = ProblemKind("point-not-found", 404, "No such point", "测点不存在")
STATION_NOT_FOUND: Final = ProblemKind("station-not-found", 404, "No such station", "厂站不存在")
DRIVER_NOT_FOUND: Final = ProblemKind("driver-not-found", 404, "No such driver", "采集驱动不存在")
PAGE_NOT_FOUND: Final = ProblemKind("page-not-found", 404, "No such file of the page", "页面文件不存在")
METHOD_NOT_ALLOWED: Final = ProblemKind(
    "method-not-allowed", 405, "This method does not work here", "此路径不支持该方法"
)
NOT_ACCEPTABLE: Final = ProblemKind(
    "not-acceptable", 406, "None of the formats asked for is offered", "不提供所要求的格式"
)
BODY_TOO_SLOW: Final = ProblemKind("body-too-slow", 408, "The body came too slowly", "请求体传输过慢")
ENTITY_NOT_FOUND: Final = ProblemKind("entity-not-found", 404, "No such entity", "档案对象不存在")
ENTITY_CONFLICT: Final = ProblemKind(
    "entity-conflict", 409, "It conflicts with what is on record", "与已有档案冲突"
)
ENTITY_CHANGED: Final = ProblemKind(
    "entity-changed", 412, "It is not as you last saw it", "对象已被更改，与所见版本不同"
)
ENTITY_INVALID: Final = ProblemKind(
    "entity-invalid", 422, "What is stated of the entity is not allowed", "对档案对象的陈述不合规定"
)
POINT_CONFLICT: Final = ProblemKind(
    "point-conflict", 409, "The point conflicts with another", "测点与已有定义冲突"
)
KEY_UNDER_WAY: Final = ProblemKind(
    "key-under-way", 409, "The request of this key is under way", "该幂等键的请求正在处理"
)
POINTS_FULL: Final = ProblemKind("points-full", 409, "There are as many points as allowed", "测点数已达上限")
PRECONDITION_FAILED: Final = ProblemKind(
    "precondition-failed", 412, "It is not what the client has seen", "与客户端所见不符"
)
BODY_TOO_LARGE: Final = ProblemKind("body-too-large", 413, "The body is too large", "请求体过大")
UNSUPPORTED_MEDIA_TYPE: Final = ProblemKind(
    "unsupported-media-type", 415, "This content type is not taken here", "不支持该内容类型"
)
INVALID_BODY: Final = ProblemKind(
    "invalid-body", 422, "The body does not say what is needed", "请求体内容不符合要求"
)
POINT_INVALID: Final = ProblemKind(
    "point-invalid", 422, "An attribute of the point is not allowed", "测点属性不合规定"
)
TERM_INVALID: Final = ProblemKind(
    "term-invalid", 422, "The statement about the point is not as it must be", "对测点的约定不符合要求"
)
ITEM_INVALID: Final = ProblemKind(
    "item-invalid",
    422,
    "The catalogue has no such item or type, or it cannot be used so",
    "目录中没有该项或类型，或不能这样使用",
)
LOCK_REFUSED: Final = ProblemKind(
    "lock-refused", 409, "The period cannot be locked so", "该周期无法锁定或解锁"
)
TARIFF_NOT_FOUND: Final = ProblemKind("tariff-not-found", 404, "There is no such calendar", "没有该分时日历")
TARIFF_INVALID: Final = ProblemKind(
    "tariff-invalid", 422, "The calendar is not as it must be", "分时日历不符合要求"
)
FACTOR_MISSING: Final = ProblemKind(
    "factor-missing",
    422,
    "There is no such factor, or figures do not add up",
    "没有该排放因子，或数值不可相加",
)
KEY_REUSED: Final = ProblemKind(
    "key-reused", 422, "The key was used for another request", "幂等键已用于另一请求"
)
UNIT_MISMATCH: Final = ProblemKind("unit-mismatch", 422, "The unit does not fit", "单位不匹配")
EDIT_REFUSED: Final = ProblemKind(
    "edit-refused", 422, "The correction or decision is not as it must be", "修正或处理不符合要求"
)
QUERY_TOO_LARGE: Final = ProblemKind(
    "query-too-large", 422, "The query asks for too much", "查询规模超过限制"
)
QUERY_REFUSED: Final = ProblemKind(
    "query-refused", 422, "The query cannot be answered as asked", "无法按要求回答该查询"
)
INTERNAL_ERROR: Final = ProblemKind("internal-error", 500, "A fault of the historian", "历史库内部错误")
STORE_FAULT: Final = ProblemKind(
    "store-fault", 500, "The store cannot read what was asked", "存储无法读取所需数据"
)
BUSY: Final = ProblemKind("busy", 503, "Too many large requests at once", "大请求过多，请稍后重试")
QUEUE_FULL: Final = ProblemKind("queue-full", 503, "The ingest queue is full", "写入队列已满")
LOG_FAILED: Final = ProblemKind("log-failed", 503, "No durable write is possible now", "目前无法持久写入")
AUDIT_UNAVAILABLE: Final = ProblemKind(
    "audit-unavailable", 503, "The audit trail cannot be written or read", "审计记录目前无法写入或读取"
)
TOO_MANY_CONNECTIONS: Final = ProblemKind("too-many-connections", 503, "Too many connections", "连接数过多")
TOO_MANY_FOLLOWERS: Final = ProblemKind(
    "too-many-followers", 503, "Too many connections follow changes", "订阅变更的连接数过多"
)
DISK_RESERVE: Final = ProblemKind("disk-reserve", 507, "The disk reserve is reached", "磁盘已达保留空间")

ALL: Final = (
    BAD_REQUEST,
    MALFORMED_JSON,
    MALFORMED_BODY,
    INVALID_PARAMETER,
    INVALID_TIME,
    INVALID_CURSOR,
    LINES_REFUSED,
    NOT_LOGGED_IN,
    LOGIN_REFUSED,
    FORBIDDEN,
    CSRF_MISSING,
    PASSWORD_EXPIRED,
    ACCESS_NOT_FOUND,
    ACCESS_CONFLICT,
    ACCESS_INVALID,
    LOGIN_LOCKED,
    LOGINS_FULL,
    ROUTE_NOT_FOUND,
    POINT_NOT_FOUND,
    STATION_NOT_FOUND,
    TARIFF_NOT_FOUND,
    DRIVER_NOT_FOUND,
    PAGE_NOT_FOUND,
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE,
    BODY_TOO_SLOW,
    POINT_CONFLICT,
    POINTS_FULL,
    LOCK_REFUSED,
    KEY_UNDER_WAY,
    PRECONDITION_FAILED,
    BODY_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    INVALID_BODY,
    POINT_INVALID,
    TERM_INVALID,
    ITEM_INVALID,
    ENTITY_NOT_FOUND,
    ENTITY_CONFLICT,
    ENTITY_CHANGED,
    ENTITY_INVALID,
    TARIFF_INVALID,
    FACTOR_MISSING,
    KEY_REUSED,
    UNIT_MISMATCH,
    EDIT_REFUSED,
    QUERY_TOO_LARGE,
    QUERY_REFUSED,
    INTERNAL_ERROR,
    STORE_FAULT,
    BUSY,
    QUEUE_FULL,
    LOG_FAILED,
    AUDIT_UNAVAILABLE,
    TOO_MANY_CONNECTIONS,
    TOO_MANY_FOLLOWERS,
    DISK_RESERVE,
)


class Fault(NamedTuple):
    """One wrong place: a JSON `pointer` into the body, a query `parameter` or a `line`, and what is wrong."""

    en: str
    zh: str = ""
    pointer: str = ""
    parameter: str = ""
    line: int = 0
    code: str = ""


class FaultDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of ``errors`` in a problem reply."""

    detail: str
    pointer: str = ""
    parameter: str = ""
    line: int = 0
    code: str = ""


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every error reply, ``application/problem+json``."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str
    request_id: str
    errors: tuple[FaultDetails, ...] = ()
    accepted: int | None = None
    rejected: int | None = None


class Problem(HistorianError):
    """A reply that is an error, on purpose; `en` and `zh` say the same in two languages."""

    def __init__(
        self,
        kind: ProblemKind,
        en: str,
        zh: str,
        *,
        faults: tuple[Fault, ...] = (),
        headers: dict[str, str] | None = None,
        accepted: int | None = None,
        rejected: int | None = None,
    ) -> None:
        super().__init__(en)
        self.kind = kind
        self.en = en
        self.zh = zh
        self.faults = faults
        self.headers = headers or {}
        self.accepted = accepted
        self.rejected = rejected

    @classmethod
    def of_parameter(
        cls, parameter: str, en: str, zh: str, kind: ProblemKind = INVALID_PARAMETER
    ) -> "Problem":
        """A query or path parameter is wrong; both texts follow ``parameter <name>:``."""
        return cls(
            kind,
            f"parameter {parameter}: {en}",
            f"参数 {parameter}：{zh}",
            faults=(Fault(en, zh, parameter=parameter),),
        )
