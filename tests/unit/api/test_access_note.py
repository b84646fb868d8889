from historian.model.audit import AuditEntry, Kind
from tests.support.guarded import Guarded, log_in


async def test_a_refused_login_is_in_the_trail_without_its_password(guarded: Guarded) -> None:
    noted: list[AuditEntry] = []
    guarded.context.audit.note = noted.append  # type: ignore[method-assign]
    async with guarded.client() as client:
        await log_in(client, "eva", "Secret-Wrong-1")
    [login] = [one for one in noted if one.kind is Kind.LOGIN]
    assert (login.who, login.object, login.result, login.reason) == ("eva", "eva", "refused", "LoginRefused")
    assert "Secret-Wrong-1" not in str(noted)
