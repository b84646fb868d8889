"""Numbers for definitions of points, so that a kept figure names the point it is of in four bytes."""

import threading
from collections.abc import Iterable

from historian.rollup.day_figure import Definition


class Definitions:
    """Every definition that figures were ever made of; a number is never given to another one. For any thread."""

    def __init__(self, known: Iterable[tuple[int, Definition]] = ()) -> None:
        self._lock = threading.Lock()
        self._by_code: dict[int, Definition] = dict(known)
        self._codes = {definition: code for code, definition in self._by_code.items()}
        self._unsaved: list[int] = []

    def code_of(self, definition: Definition) -> int:
        """Its number; a new one is to be saved with the figures that name it."""
        code = self._codes.get(definition)
        if code is None:
            with self._lock:
                code = self._codes.get(definition)
                if code is None:
                    code = max(self._by_code, default=0) + 1
                    self._by_code[code] = definition
                    self._codes[definition] = code
                    self._unsaved.append(code)
        return code

    def of_code(self, code: int) -> Definition:
        """The definition of that number."""
        return self._by_code[code]

    def unsaved(self) -> list[tuple[int, Definition]]:
        """Those that no file holds yet."""
        return [(code, self._by_code[code]) for code in self._unsaved]

    def saved(self, codes: Iterable[int]) -> None:
        """These are in the file now."""
        gone = set(codes)
        with self._lock:
            self._unsaved = [code for code in self._unsaved if code not in gone]
