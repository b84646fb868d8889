import re
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from historian import settings
from historian.errors import HistorianError, SettingsError
from historian.settings import ServerSettings, Settings
from historian.toml_file import parse_typed


@pytest.fixture
def annotated(root: Path) -> str:
    return (root / "config" / "historian.toml").read_text("utf-8")


def test_annotated_file_holds_every_default(root: Path) -> None:
    shipped = settings.load_typed(root / "config" / "historian.toml", Settings)
    assert shipped == Settings()


def test_annotated_file_names_every_field(annotated: str) -> None:
    import tomllib

    data = tomllib.loads(annotated)
    for field in msgspec.structs.fields(Settings):
        section = getattr(Settings(), field.name)
        assert field.name in data
        if isinstance(section, msgspec.Struct):
            assert list(data[field.name]) == [each.name for each in msgspec.structs.fields(section)]


def test_every_field_is_explained_in_english_and_chinese(annotated: str) -> None:
    for block in re.split(r"\n\s*\n", annotated.strip()):
        if re.search(r"(?m)^[a-z_]+ = ", block):
            comment = "\n".join(line for line in block.splitlines() if line.startswith("#"))
            assert re.search(r"[A-Za-z]{2}", comment), block
            assert re.search(r"[\u4e00-\u9fff]{2}", comment), block


def test_every_range_is_written_in_the_annotated_file(annotated: str) -> None:
    section = ""
    for block in re.split(r"\n\s*\n", annotated.strip()):
        section = (re.findall(r"(?m)^\[([a-z]+)\]", block) or [section])[-1]
        for name in re.findall(r"(?m)^([a-z_]+) = ", block):
            for low, high in ranges_of(section, name):
                assert re.search(rf"\b{low}\b", block), name
                assert re.search(rf"\b{high}\b", block) or f"1 to {high}" in block, name


def ranges_of(section: str, name: str) -> list[tuple[int, int]]:
    if name == "batch_samples_max":  # bounded by another setting, and says so
        return []
    of = getattr(Settings(), section) if section else Settings()
    return [
        (meta.ge, meta.le)
        for field in msgspec.structs.fields(of)
        for meta in (getattr(field.type, "__metadata__", ()) if field.name == name else ())
    ]


def test_without_a_file_the_defaults_hold_and_nothing_is_collected() -> None:
    assert settings.load(None) == msgspec.structs.replace(Settings(), substations=())


def test_substation_patterns_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.toml", "a.toml", "c.txt"):
        (tmp_path / "sub" / name).touch()
    path = tmp_path / "h.toml"
    path.write_text('substations = ["sub/a.toml", "sub/*.toml", "none/*.toml"]')
    loaded = settings.load(path)
    assert settings.substation_paths(loaded) == [tmp_path / "sub" / "a.toml", tmp_path / "sub" / "b.toml"]


def test_named_substation_that_is_absent_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "h.toml"
    path.write_text('substations = ["absent.toml"]')
    with pytest.raises(SettingsError, match=r"h\.toml:1: .*absent\.toml"):
        settings.load(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[store]\nring_hours = 745", "2: store.ring_hours is 745; allowed: a whole number from 1 to 744"),
        ('[server]\nlisten = "0.0.0.0:8420"', "2: server.listen: 0.0.0.0:8420 can be reached from outside"),
        ('[server]\nlisten = "0.0.0.0:8420"\nauth = "off"', "2: server.listen: 0.0.0.0:8420 can be reached"),
        (
            '[server]\ntls_certificate = "a.pem"',
            "2: server.tls_certificate: tls_certificate and tls_key belong",
        ),
        ('[server]\ntls_key = "a.key"', "2: server.tls_key: tls_certificate and tls_key belong"),
        ('[server]\ntls_client_ca = "a.pem"', "2: server.tls_client_ca: it needs TLS"),
        ('[server]\nlisten = "127.0.0.1"', "2: server.listen: '127.0.0.1' is no address; allowed: HOST:PORT"),
        ('[server]\nauth = "token"', '2: server.auth is "token"; allowed: one of "auto", "off", "on"'),
        ('time_zone = "Mars/Base"', "1: time_zone: time zone 'Mars/Base' is not an IANA zone"),
        ('[ingest]\nauto_create_unit = "furlong"', "2: ingest.auto_create_unit: unit 'furlong' is unknown"),
        ("[ingest]\nqueue_samples_max = 1000", "1: ingest.batch_samples_max: 1000000 would never fit"),
        ("[ingest]\nqueue_size = 1000", "2: ingest.queue_size is not known"),
    ],
)
def test_wrong_setting_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_typed(text, "h.toml", Settings)
    assert str(caught.value).startswith(f"h.toml:{message}")


@pytest.mark.parametrize(
    ("text", "host", "port", "is_loopback"),
    [
        ("127.0.0.1:8420", "127.0.0.1", 8420, True),
        ("127.9.9.9:0", "127.9.9.9", 0, True),
        ("localhost:80", "localhost", 80, True),
        ("[::1]:8420", "::1", 8420, True),
        ("[::]:8420", "::", 8420, False),
        ("10.0.0.1:65535", "10.0.0.1", 65535, False),
        ("historian.example:80", "historian.example", 80, False),
    ],
)
def test_listen_address_is_read(text: str, host: str, port: int, is_loopback: bool) -> None:
    address = settings.parse_listen(text)
    assert address == (host, port)
    assert address.is_loopback is is_loopback


@pytest.mark.parametrize(
    "text", ["", ":", ":80", "a", "a:", "a:-1", "a:65536", "a:8_0", "::1:80", "a:\u0661", "a:" + "9" * 5000]
)
def test_what_is_no_listen_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="allowed: HOST:PORT"):
        settings.parse_listen(text)


def test_listen_may_be_replaced_under_the_same_rules() -> None:
    assert settings.with_listen(Settings(), "127.0.0.1:1").server.listen == "127.0.0.1:1"
    with pytest.raises(HistorianError, match=r"^--listen: 0\.0\.0\.0:1 can be reached"):
        settings.with_listen(Settings(), "0.0.0.0:1")


def test_with_tls_others_may_come_and_its_files_lie_beside_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "h.toml"
    path.write_text('[server]\nlisten = "0.0.0.0:1"\ntls_certificate = "a.pem"\ntls_key = "/b.key"\n')
    server = settings.load(path).server
    assert (server.tls_certificate, server.tls_key) == (str(tmp_path / "a.pem"), "/b.key")
    assert server.tls_client_ca == ""


@pytest.mark.parametrize(
    ("written", "is_demo", "asked", "expected"),
    [
        ("auto", False, None, "on"),
        ("auto", True, None, "off"),
        ("on", True, None, "on"),
        ("off", False, None, "off"),
        ("on", False, "off", "off"),
        ("off", True, "on", "on"),
    ],
)
def test_access_control_is_on_but_for_the_demo_and_where_it_is_said(
    written: Literal["auto", "on", "off"], is_demo: bool, asked: str | None, expected: str
) -> None:
    given = Settings(server=ServerSettings(auth=written))
    assert settings.with_auth(given, asked, is_demo=is_demo).server.auth == expected


def test_the_demo_on_an_open_address_asks_who_one_is() -> None:
    given = Settings(server=ServerSettings(listen="0.0.0.0:1", plain_http=True))
    assert settings.with_auth(given, None, is_demo=True).server.auth == "on"
