import pytest

from historian.tools.finding import ADVICE, Finding


@pytest.mark.parametrize("kind", ADVICE)
def test_every_kind_says_what_it_means_and_what_to_do_in_two_languages(kind: str) -> None:
    finding = Finding(kind=kind, place="wal/1", problem="broken")
    head, means, action, zh = finding.lines()
    assert head in ("DAMAGE  wal/1: broken", "NOTICE  wal/1: broken")
    assert (head[:6] == "DAMAGE") == finding.is_damage
    assert len(means) > 20
    assert len(action) > 15
    assert any("\u4e00" <= letter <= "\u9fff" for letter in zh)
    assert finding.to_dict()["kind"] == kind
    assert all(finding.to_dict().values())
