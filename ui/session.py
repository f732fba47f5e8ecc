"""What the web server remembers between requests: conversations and recent answers."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from assistant.domain import Answer, Citation, Reading, Refusal, Turn
from assistant.search import SearchFilter
from index.domain import Coverage, Reader
from index.settings import Settings
from index.store import Store

#: Turns a conversation keeps for understanding follow-up questions.
_TURNS_KEPT: Final = 12
#: Exchanges that stay on the page.
_EXCHANGES_SHOWN: Final = 60


class Asker(Protocol):
    """What the pages need of the assistant."""

    @property
    def store(self) -> Store:
        """The holdings."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""

    @property
    def composes(self) -> bool:
        """Whether `compose` may add anything."""

    @property
    def model(self) -> str:
        """Identity of the embedding model in use."""

    def search(
        self, words: str, reader: Reader, most: int, wanted: SearchFilter | None = None
    ) -> tuple[tuple[Citation, ...], Coverage]:
        """Passages by rank, not judged, and what was searched."""

    def ask(
        self,
        question: str,
        conversation: Sequence[Turn],
        reader: Reader,
        without: Collection[str] = (),
        *,
        precedents: bool = False,
    ) -> Answer | Refusal:
        """Answer a question for a reader without some readings of it, or its precedents only."""

    def compose(self, answer: Answer, reader: Reader) -> Answer:
        """The answer with joining text by a language model, or the same; slow."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was asked, so that it can be asked again with a reading taken off.

    Attributes:
        question: As typed.
        turns: The exchanges before it.
        without: Readings taken off so far, by key.
        readings: What was read into it.
        precedents: Whether its precedents only were asked for.
    """

    question: str
    turns: tuple[Turn, ...]
    without: tuple[Reading, ...] = ()
    readings: tuple[Reading, ...] = ()
    precedents: bool = False


@dataclass(slots=True)
class Session:
    """One conversation on one open page. Holds no rights: the reader is asked for every time.

    Attributes:
        turns: Finished exchanges, oldest first, for follow-up questions.
        shown: (question, answer) as Markdown, oldest first; what the page shows.
        waiting: The answer a language model is to add joining text to, with the token of its
            chips and what is shown of it.
        asked: Questions whose readings can be taken off, by the token their chips carry.
        conversation: Ties the entries of the use register together; empty before the first
            question.
    """

    turns: list[Turn] = field(default_factory=list)
    shown: list[tuple[str, str]] = field(default_factory=list)
    waiting: tuple[Answer, str, str] | None = None
    asked: OrderedDict[str, Asked] = field(default_factory=OrderedDict)
    conversation: str = ""

    def begin(self, question: str, pending: str) -> None:
        """Show a question with a waiting line."""
        # Not when the session is made: every page begins with a copy of the same one.
        self.conversation = self.conversation or secrets.token_hex(8)
        self.shown.append((question, pending))
        del self.shown[:-_EXCHANGES_SHOWN]

    def show(self, answer: str) -> None:
        """Replace what is shown under the newest question."""
        self.shown[-1] = (self.shown[-1][0], answer)

    def show_instead(self, old: str, new: str) -> None:
        """Replace an answer wherever it stands by now; nothing happens once it has gone."""
        self.shown[:] = [(q, new if answer == old else answer) for q, answer in self.shown]

    def remember(self, turn: Turn) -> None:
        """Keep a finished exchange."""
        self.turns.append(turn)
        del self.turns[:-_TURNS_KEPT]

    def keep(self, asked: Asked) -> str:
        """Keep a question for its chips; returns the token they carry."""
        token = secrets.token_hex(8)
        self.asked[token] = asked
        while len(self.asked) > _EXCHANGES_SHOWN:
            self.asked.popitem(last=False)
        return token

    def without(self, chip: str) -> Asked | None:
        """The question of a chip (`token-number`) with that reading taken off, None if unknown."""
        token, _, number = chip.partition("-")
        before = self.asked.get(token)
        if before is None or not number.isdecimal() or int(number) >= len(before.readings):
            return None
        return Asked(before.question, before.turns, (*before.without, before.readings[int(number)]))

    def clear(self) -> None:
        """Forget everything."""
        self.conversation = ""
        self.asked.clear()
        self.turns.clear()
        self.shown.clear()
        self.waiting = None


class RecentAnswers:
    """The newest answers by id, each bound to the reader who asked. Safe between threads."""

    def __init__(self, capacity: int = 2000) -> None:
        """Keep at most `capacity` answers."""
        self._capacity = capacity
        self._answers: OrderedDict[str, tuple[Reader, Answer]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, reader: Reader, answer: Answer) -> str:
        """Keep an answer; returns its id, 32 hexadecimal digits that cannot be guessed."""
        answer_id = secrets.token_hex(16)
        with self._lock:
            self._answers[answer_id] = (reader, answer)
            while len(self._answers) > self._capacity:
                self._answers.popitem(last=False)
        return answer_id

    def get(self, answer_id: str, reader: Reader) -> Answer | None:
        """The answer, or None when it is unknown, dropped, or another reader's."""
        with self._lock:
            found = self._answers.get(answer_id)
            if found is None or found[0] != reader:
                return None
            self._answers.move_to_end(answer_id)
            return found[1]
