"""What others see of personal data."""

import pytest

from api.caller import IDENTITY
from api.personal import masked, may_see_personal
from historian.catalogue.item_files import load_items
from historian.model.access import ROLE_RIGHTS, Identity, Right, Role
from historian.resources import config_dir
from tests.support.guarded import Guarded

ITEMS = load_items(config_dir() / "standard" / "catalogue.toml")


def test_only_personal_items_are_masked_and_the_length_is_not_told() -> None:
    name, address = ITEMS.get("T1.03"), ITEMS.get("T2.03")
    assert [masked(name, value) for value in ("张三", "欧阳某某")] == ["张***", "欧***"]
    assert masked(address, "江苏省南京市某某路某某号一栋") == "江苏省南京市***"
    assert masked(address, "南京某某路") == "南***"
    assert masked(ITEMS.get("T1.01"), "某某公司") == "某某公司"
    assert masked(None, "x") == "x"


def test_who_sees_them_is_decided_by_a_right() -> None:
    asked: dict[object, object] = {}
    assert may_see_personal(asked)  # type: ignore[arg-type] # access control is off: anybody
    for role, sees in ((Role.EDITOR, True), (Role.ENGINEER, False), (Role.VIEWER, False)):
        asked[IDENTITY] = Identity("a", "person", ROLE_RIGHTS[role])
        assert may_see_personal(asked) is sees  # type: ignore[arg-type]


@pytest.mark.parametrize("sees", [False, True])
async def test_a_token_sees_them_whole_only_with_that_right(guarded: Guarded, sees: bool) -> None:
    path = "/api/v1/entities/enterprise/E1"
    headers = guarded.token(Right.READ, *([Right.PERSONAL] if sees else []))
    writer = guarded.token(Right.CONFIGURE, name="writer")
    async with guarded.client() as client:
        body = {"attributes": {"legal_representative": "张三丰"}}
        assert (await client.put(path, json=body, headers=writer)).status == 201
        for question in (
            path,
            f"{path}/history",
            "/api/v1/entities?type=enterprise",
            "/api/v1/archive/entities",
        ):
            answer = await client.get(question, headers=headers)
            text = await answer.text()
            assert ("张三丰" in text, "张***" in text) == (sees, not sees), (question, text)
