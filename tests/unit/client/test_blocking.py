import subprocess
import sys
from pathlib import Path

import pytest

from historian.client import blocking
from historian.client.blocking import Client
from historian.client.errors import ConnectionFailed, InvalidArgument
from historian.client.exchange import Patience
from tests.support.certificates import Authority
from tests.support.scripted_client import ScriptedClient, json_reply

IMPORT = """
import sys, resource
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
import historian.client
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
HEAVY = {
    "numba",
    "llvmlite",
    "h5py",
    "numpy",
    "pyarrow",
    "pandas",
    "polars",
    "aiohttp",
    "zstandard",
    "uvloop",
}
IMPORT_MIB_MAX = 40


def test_importing_it_is_light() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True, timeout=30
    )
    grown_mib, modules = done.stdout.splitlines()
    assert not HEAVY & set(modules.split())
    assert int(grown_mib) < IMPORT_MIB_MAX


def test_authorities_and_a_certificate_come_from_the_environment(tmp_path: Path) -> None:
    assert blocking.tls_of({}) is None
    authority = Authority(tmp_path)
    pair, whole = authority.sign("client"), tmp_path / "whole.pem"
    whole.write_bytes(pair.certificate.read_bytes() + pair.key.read_bytes())
    ca = str(authority.pair.certificate)
    before = blocking.tls_of({"HISTORIAN_CERTIFICATE": str(whole)})
    after = blocking.tls_of({"HISTORIAN_CERTIFICATE": str(whole), "HISTORIAN_CA": ca})
    assert before is not None
    assert after is not None
    assert after.cert_store_stats()["x509"] == before.cert_store_stats()["x509"] + 1
    with pytest.raises(InvalidArgument, match=r"HISTORIAN_CA 'no\.pem'.*names a file in PEM"):
        blocking.tls_of({"HISTORIAN_CA": "no.pem"})


def test_the_token_comes_from_the_argument_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert blocking.token_of({"HISTORIAN_TOKEN": " abc\n"}, None) == "abc"
    assert blocking.token_of({"HISTORIAN_TOKEN": "abc"}, "") == ""
    assert blocking.token_of({}, None) == ""
    monkeypatch.setenv("HISTORIAN_TOKEN", "secret")
    client = Client("http://h:1")
    assert "secret" not in repr(client)
    assert repr(client) == "Client(http://h:1)"


def test_pauses_are_slept_and_the_last_fault_is_told() -> None:
    slept: list[float] = []
    with (
        Client("http://127.0.0.1:1", patience=Patience(tries_max=3), sleep=slept.append) as client,
        pytest.raises(ConnectionFailed, match="is the historian running"),
    ):
        client.health()
    assert len(slept) == 2
    assert 0.1 <= slept[0] <= 0.2


def test_a_part_that_fails_tells_what_was_stored_before() -> None:
    replies = iter([json_reply({"accepted": 2}), json_reply({"detail": "full"}, 507)])
    client = ScriptedClient(lambda request: next(replies))
    with pytest.raises(Exception, match="full") as caught:
        client.ingest({"a": ([1, 2, 3], [1.0, 2.0, 3.0])}, rows_max=2)
    assert "2 samples of this call were stored" in caught.value.__notes__[0]


def test_what_cannot_be_asked_is_told_before_anything_is_sent() -> None:
    client = ScriptedClient(lambda request: json_reply({}))
    with pytest.raises(InvalidArgument):
        client.recorded("a", "2026-01-01", 0)
    assert client.requests == []
