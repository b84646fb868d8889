"""When to interrogate which common address, and what became of it: state and `now`, no clock, no await."""

import math
from collections import Counter
from enum import Enum
from typing import Final, NamedTuple

from drivers.codec.asdu import Cause, TypeId
from drivers.iec104_intake import InterrogationAnswer
from drivers.iec104_value import next_multiple_us
from historian.model.point import SECOND_US

COUNTER_NAMES: Final = (
    "interrogations_sent",
    "interrogations_confirmed",
    "interrogations_refused",
    "interrogation_timeouts",
    "clock_synchronisations",
)
ATTEMPTS_MAX: Final = 3  # unanswered in a row; then the next regular one is waited for


class RequestKind(Enum):
    """What may be sent to a station; nothing else ever is. The value is the type identification."""

    GENERAL_INTERROGATION = TypeId.C_IC_NA_1
    COUNTER_INTERROGATION = TypeId.C_CI_NA_1
    CLOCK_SYNCHRONISATION = TypeId.C_CS_NA_1


class Request(NamedTuple):
    """One request to one common address."""

    kind: RequestKind
    common_address: int


class _Turn:
    """When one request is due, and the one that is under way."""

    __slots__ = ("attempt_count", "due_s", "sent_s")

    def __init__(self, due_s: float) -> None:
        self.due_s = due_s
        self.sent_s: float | None = None
        self.attempt_count = 0


class InterrogationSchedule:
    """Keeps the turns of one connection.

    Everything is due when data transfer starts. Counters are then due on whole multiples of their
    interval in UTC, so that readings lie on the quarter hour; the rest at even distances.
    A request without confirmation is repeated, a refused one waits for its next regular turn.
    Interval 0 is never again; but the general interrogation always comes once on a new link,
    because a station may have thrown away what happened while there was none.
    """

    def __init__(
        self, common_addresses: list[int], interval_s: dict[RequestKind, int], timeout_s: float
    ) -> None:
        self._interval_s = interval_s
        self._requests = [
            Request(kind, address)
            for kind, seconds in interval_s.items()
            if seconds > 0 or kind is RequestKind.GENERAL_INTERROGATION
            for address in common_addresses
        ]
        self._timeout_s = timeout_s
        self._turns: dict[Request, _Turn] = {}
        self._counts: Counter[str] = Counter()

    def restart(self, now_s: float) -> None:
        """Data transfer starts on a new link."""
        self._turns = {request: _Turn(now_s) for request in self._requests}

    def take_due(self, now_s: float, now_us: int) -> list[Request]:
        """What to send now; it counts as sent. `now_s` is monotonic, `now_us` wall time in UTC."""
        due = []
        for request, turn in self._turns.items():
            self._check_unanswered(turn, now_s)
            if now_s >= turn.due_s:
                due.append(request)
                self._mark_sent(request, turn, now_s, now_us)
        return due

    def answered(self, answer: InterrogationAnswer) -> str:
        """Note a station's answer. Tells in words what was refused, else an empty text."""
        turn = self._turns.get(Request(RequestKind(answer.type_id), answer.common_address))
        if turn is None:
            return ""
        is_unknown = Cause.UNKNOWN_TYPE <= answer.cause_of_transmission <= Cause.UNKNOWN_OBJECT_ADDRESS
        if answer.is_negative or is_unknown:
            turn.sent_s = None
            turn.attempt_count = 0
            self._counts["interrogations_refused"] += 1
            return (
                f"common address {answer.common_address} refuses type {answer.type_id}"
                f" (cause of transmission {answer.cause_of_transmission})"
            )
        if answer.cause_of_transmission == Cause.ACTIVATION_CONFIRMATION:
            turn.sent_s = None
            turn.attempt_count = 0
            self._counts["interrogations_confirmed"] += 1
        return ""

    def initialised(self, common_address: int, now_s: float) -> None:
        """The station began anew (M_EI): what it knows must be asked for again."""
        turn = self._turns.get(Request(RequestKind.GENERAL_INTERROGATION, common_address))
        # One that is under way covers it: stations send M_EI right after STARTDT.
        if turn is not None and turn.sent_s is None:
            turn.due_s = now_s

    def take_counts(self) -> Counter[str]:
        """What was counted since the last call."""
        counts, self._counts = self._counts, Counter()
        return counts

    def _check_unanswered(self, turn: _Turn, now_s: float) -> None:
        if turn.sent_s is None or now_s - turn.sent_s < self._timeout_s:
            return
        turn.sent_s = None
        self._counts["interrogation_timeouts"] += 1
        if turn.attempt_count < ATTEMPTS_MAX:
            turn.due_s = now_s
        else:
            turn.attempt_count = 0

    def _mark_sent(self, request: Request, turn: _Turn, now_s: float, now_us: int) -> None:
        interval_s = self._interval_s[request.kind]
        if interval_s == 0:
            turn.due_s = math.inf
        elif request.kind is RequestKind.COUNTER_INTERROGATION:
            turn.due_s = now_s + (next_multiple_us(now_us, interval_s * SECOND_US) - now_us) / SECOND_US
        else:
            turn.due_s = now_s + interval_s
        if request.kind is RequestKind.CLOCK_SYNCHRONISATION:
            self._counts["clock_synchronisations"] += 1
            return
        turn.sent_s = now_s
        turn.attempt_count += 1
        self._counts["interrogations_sent"] += 1
