"""TLS of our own, with certificates made by openssl and real sockets."""

import io
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession, CookieJar

from api.context import ApiContext
from api.server import make_app, start
from api.tls import Certificate, end_of
from historian.clock import ManualClock, SystemClock
from historian.errors import HistorianError
from historian.metrics import Metrics
from historian.model.access import Right
from historian.settings import ServerSettings, Settings, with_auth
from tests.support.certificates import Authority, Pair
from tests.support.guarded import Guarded, log_in

DAY_S = 86_400
NEWEST_S = 1_795_334_400  # 2026-11-22T08:00:00Z, the clock of the tests


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.sign("server")


@pytest.fixture(scope="module")
def other(authority: Authority) -> Pair:
    return authority.sign("other", days=20)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody here trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture
async def guarded(context: ApiContext) -> AsyncIterator[Guarded]:
    await context.rollup.open()
    asking = context._replace(settings=with_auth(context.settings, "on", is_demo=False))
    runner = await start(make_app(asking), "127.0.0.1", 0)
    host, port = runner.addresses[0][:2]
    yield Guarded(f"https://{host}:{port}", asking)
    await runner.cleanup()
    await context.rollup.close()


def settings_of(pair: Pair, **more: str) -> ServerSettings:
    return ServerSettings(tls_certificate=str(pair.certificate), tls_key=str(pair.key), **more)


def certificate_of(pair: Pair, **more: str) -> Certificate:
    return Certificate(settings_of(pair, **more), SystemClock(), Metrics())


class TestFiles:
    def test_its_end_is_read(self, pair: Pair) -> None:
        left_s = (certificate_of(pair).ends_us - SystemClock().now_us()) / 1e6
        assert 90 * DAY_S - 120 < left_s <= 90 * DAY_S

    @pytest.mark.parametrize(
        "what", [b"", b"\x30", b"\x30\x03\x02\x01\x01", b"\x30\x82\xff\xff", b"\x30\x80" * 9]
    )
    def test_what_is_no_certificate_has_no_end(self, what: bytes) -> None:
        with pytest.raises(ValueError, match=r"ends early|no validity"):
            end_of(what)

    def test_a_key_of_another_certificate(self, pair: Pair, other: Pair) -> None:
        with pytest.raises(HistorianError, match="the key is not that of the certificate"):
            certificate_of(Pair(pair.certificate, other.key))

    def test_a_file_that_is_not_there(self, pair: Pair, tmp_path: Path) -> None:
        with pytest.raises(
            HistorianError, match=r"server\.tls_key: .*no\.key cannot be read: No such file.*account"
        ):
            certificate_of(Pair(pair.certificate, tmp_path / "no.key"))

    def test_a_file_that_is_something_else(self, pair: Pair, tmp_path: Path) -> None:
        (tmp_path / "x.pem").write_text("x")
        with pytest.raises(HistorianError, match="no certificate chain and key in PEM"):
            certificate_of(Pair(tmp_path / "x.pem", pair.key))

    def test_a_key_with_a_passphrase_is_not_asked_for(self, pair: Pair, tmp_path: Path) -> None:
        locked = tmp_path / "locked.key"
        subprocess.run(
            ["openssl", "pkey", "-in", pair.key, "-aes128", "-passout", "pass:x", "-out", locked], check=True
        )
        with pytest.raises(HistorianError, match="the key has a passphrase"):
            certificate_of(Pair(pair.certificate, locked))

    def test_an_authority_that_is_none(self, pair: Pair) -> None:
        with pytest.raises(HistorianError, match=r"server\.tls_client_ca: .* cannot be used"):
            certificate_of(pair, tls_client_ca=str(pair.key))


class TestRenewal:
    @pytest.fixture
    def placed(self, pair: Pair, tmp_path: Path) -> Pair:
        placed = Pair(tmp_path / "now.pem", tmp_path / "now.key")
        place(pair, placed)
        return placed

    def test_new_files_are_taken_up(self, placed: Pair, other: Pair) -> None:
        certificate = certificate_of(placed)
        before, ends_us = certificate.context, certificate.ends_us
        certificate.look()
        assert certificate.context is before
        place(other, placed)
        certificate.look()
        assert certificate.context is not before
        assert certificate.ends_us < ends_us

    def test_half_a_renewal_changes_nothing_until_it_is_whole(self, placed: Pair, other: Pair) -> None:
        certificate = certificate_of(placed)
        before = certificate.context
        shutil.copy(other.certificate, placed.certificate)
        certificate.look()
        certificate.look()
        assert certificate.context is before
        shutil.copy(other.key, placed.key)
        certificate.look()
        assert certificate.context is not before

    def test_an_end_that_is_near_is_warned_of_once_a_day(
        self, other: Pair, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[object] = []
        monkeypatch.setattr("api.tls._LOG.warning", lambda event, **fields: told.append(fields["days_left"]))
        clock, metrics = ManualClock(SystemClock().now_us()), Metrics()
        certificate = Certificate(settings_of(other), clock, metrics)
        certificate.look()
        assert told == [19]
        clock.advance(21 * DAY_S)
        certificate.look()
        assert told == [19, -2]
        assert "historian_tls_certificate_expires_seconds -" in metrics.to_prometheus_text()

    def test_an_end_that_is_far_is_not(self, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("api.tls._LOG.warning", lambda *_, **__: pytest.fail("it is far"))
        certificate_of(pair)


def place(pair: Pair, where: Pair) -> None:
    shutil.copy(pair.certificate, where.certificate)
    shutil.copy(pair.key, where.key)


class TestServed:
    @pytest.fixture
    def settings(self, pair: Pair) -> Settings:
        return Settings(server=settings_of(pair))

    async def test_a_login_and_large_bodies_both_ways(self, guarded: Guarded, authority: Authority) -> None:
        await guarded.person("chief")
        async with ClientSession(guarded.base, cookie_jar=CookieJar(unsafe=True)) as client:
            client.connector._ssl = authority.client()  # type: ignore[union-attr]
            answer = await log_in(client, "chief")
            assert answer.status == 200, await answer.text()
            assert "secure" in answer.headers["Set-Cookie"].lower()
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
            lines = b"\n".join(
                b"plant,site=a value=%d %d" % (i, (NEWEST_S - i) * 10**9) for i in range(20_000)
            )
            body, headers = io.BytesIO(lines), guarded.token(Right.WRITE)
            answer = await client.post("/api/v2/write", data=body, headers=headers)
            assert answer.status == 204, await answer.text()
            document = await (await client.get("/api/v1/openapi.json")).read()
            assert len(document) > 65_536

    async def test_without_tls_one_is_told(self, guarded: Guarded) -> None:
        async with ClientSession(guarded.base.replace("https", "http")) as client:
            answer = await client.get("/healthz")
            assert (answer.status, "https://" in await answer.text()) == (400, True)
        text = guarded.context.metrics.to_prometheus_text()
        assert "historian_tls_handshakes_failed_total 1" in text

    async def test_tls_1_1_is_refused(self, guarded: Guarded, authority: Authority) -> None:
        old = authority.client()
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        await assert_no_answer(guarded, old)

    async def test_tls_1_2_is_spoken(self, guarded: Guarded, authority: Authority) -> None:
        older = authority.client()
        older.maximum_version = ssl.TLSVersion.TLSv1_2
        async with ClientSession(guarded.base) as client:
            assert (await client.get("/healthz", ssl=older)).status == 200

    async def test_another_authority_is_not_trusted(self, guarded: Guarded, stranger: Authority) -> None:
        await assert_no_answer(guarded, stranger.client())


class TestClientsWithCertificate:
    @pytest.fixture
    def settings(self, pair: Pair, authority: Authority) -> Settings:
        return Settings(server=settings_of(pair, tls_client_ca=str(authority.pair.certificate)))

    async def test_one_of_the_authority_is_let_in(
        self, guarded: Guarded, authority: Authority, other: Pair
    ) -> None:
        async with ClientSession(guarded.base) as client:
            assert (await client.get("/healthz", ssl=authority.client(other))).status == 200

    async def test_none_and_one_of_another_are_not(
        self, guarded: Guarded, authority: Authority, stranger: Authority
    ) -> None:
        await assert_no_answer(guarded, authority.client())
        await assert_no_answer(guarded, authority.client(stranger.sign("stranger's")))


class TestExpired:
    @pytest.fixture
    def settings(self, authority: Authority) -> Settings:
        return Settings(server=settings_of(authority.sign("expired", days=0)))

    async def test_the_historian_starts_and_clients_refuse_it(
        self, guarded: Guarded, authority: Authority
    ) -> None:
        await assert_no_answer(guarded, authority.client())


async def assert_no_answer(guarded: Guarded, context: ssl.SSLContext) -> None:
    async with ClientSession(guarded.base) as client:
        with pytest.raises(ClientError):
            await client.get("/healthz", ssl=context)
