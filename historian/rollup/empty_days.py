"""Days of which nothing is known, so that they are not looked at again each time somebody asks for them.

They are not kept on disk, unlike figures: a day leaves when it is marked (its figure is then made anew), and all
leave when any point's definition changes.
"""

from typing import Final

from historian.rollup.day_key import KeyColumn, KeySet

KEYS_MAX: Final = 4_000_000  # 32 MB; beyond, all are forgotten and found again when asked for


class EmptyDays:
    """A set of keys that holds for one revision of the directory of points."""

    def __init__(self) -> None:
        self._keys = KeySet()
        self._revision = -1

    def keys(self, revision: int) -> KeyColumn:
        """All of them, ascending; none where points have changed since."""
        if revision != self._revision:
            self.clear()
            self._revision = revision
        return self._keys.to_column()

    def add(self, keys: KeyColumn, revision: int) -> None:
        """Put keys in that were found with points of that revision; they ascend, each once."""
        if revision != self._revision:
            return
        if len(self._keys) + len(keys) > KEYS_MAX:
            self.clear()
        self._keys.add(keys[:KEYS_MAX])

    def discard(self, keys: KeyColumn) -> None:
        """Something may be known of these days now."""
        self._keys.discard(keys)

    def clear(self) -> None:
        """Forget all."""
        self._keys = KeySet()
