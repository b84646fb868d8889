"""Secrets that are shown once: tokens of services, sessions, the token of the first start. Only digests are kept."""

import hashlib
import hmac
import secrets
from typing import Final, NamedTuple

SECRET_BYTES: Final = 32  # 256 random bits: nobody guesses, so a fast hash is enough
TOKEN_MARK: Final = "hst"  # noqa: S105 - what a token begins with, so that scanners of leaked secrets know ours
SETUP_MARK: Final = "setup"
SECRET_LENGTH_MAX: Final = 128  # of what is looked at

_CSRF_PURPOSE: Final = b"historian csrf 1"


class Made(NamedTuple):
    """A new secret: its `text` goes to its owner and nowhere else, `id` may be read by anybody."""

    id: str
    text: str

    def __repr__(self) -> str:
        return f"Made({self.id!r}, …)"


def make_token() -> Made:
    """A token of a service, such as ``hst_1f09c3aa_…``."""
    token_id = secrets.token_hex(4)
    return Made(token_id, f"{TOKEN_MARK}_{token_id}_{secrets.token_urlsafe(SECRET_BYTES)}")


def make_session() -> Made:
    """A session; its id is a number of its own that says nothing of the secret."""
    return Made(secrets.token_hex(4), secrets.token_urlsafe(SECRET_BYTES))


def make_setup_token() -> str:
    """What the first start prints."""
    return f"{SETUP_MARK}_{secrets.token_urlsafe(SECRET_BYTES)}"


def digest_of(text: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(text[: SECRET_LENGTH_MAX + 1].encode("utf-8", "surrogatepass")).digest()


def csrf_of(session_text: str) -> str:
    """What a page must send with what changes something; it follows from the session's secret, so nothing is kept."""
    return hmac.new(session_text.encode("utf-8", "surrogatepass"), _CSRF_PURPOSE, hashlib.sha256).hexdigest()


def is_same(given: str, expected: str) -> bool:
    """Compared in a time that does not tell how much of it was right."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
