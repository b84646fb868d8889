"""Certificates made by the openssl command: of an authority, of servers and of clients."""

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple


class Pair(NamedTuple):
    """A certificate and its key, as files in PEM."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; everything lies in one folder."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self.pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
        self._run(
            "req", "-x509", *_NEW_KEY, "-days", "30", "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign",
            "-keyout", self.pair.key, "-out", self.pair.certificate,
        )  # fmt: skip

    def sign(self, name: str, days: int = 90) -> Pair:
        """A certificate of 127.0.0.1, good for so many days; with 0 it ends as it is made."""
        made = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        request = self._folder / f"{name}.csr"
        self._run(
            "req", *_NEW_KEY, "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", made.key, "-out", request,
        )  # fmt: skip
        self._run(
            "x509", "-req", "-in", request, "-CA", self.pair.certificate, "-CAkey", self.pair.key, "-days", str(days),
            "-copy_extensions", "copy", "-out", made.certificate,
        )  # fmt: skip
        return made

    def client(self, own: Pair | None = None) -> ssl.SSLContext:
        """What a client speaks with that trusts this authority and, where it has one, shows its own certificate."""
        context = ssl.create_default_context(cafile=str(self.pair.certificate))
        if own is not None:
            context.load_cert_chain(own.certificate, own.key)
        return context

    def _run(self, *arguments: str | Path) -> None:
        subprocess.run(["openssl", *map(str, arguments)], cwd=self._folder, check=True, capture_output=True)


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
