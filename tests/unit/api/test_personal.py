"""What others see of personal data."""

from api.caller import IDENTITY
from api.personal import masked, may_see_personal
from historian.catalogue.item_files import load_items
from historian.model.access import ROLE_RIGHTS, Identity, Role
from historian.resources import config_dir

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
