"""What the web server remembers between requests: conversations and recent answers."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from assistant.domain import Answer, Refusal, Turn
from index.domain import Reader
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

    def ask(self, question: str, conversation: Sequence[Turn], reader: Reader) -> Answer | Refusal:
        """Answer a question for a reader."""

    def compose(self, answer: Answer, reader: Reader) -> Answer:
        """The answer with joining text by a language model, or the same; slow."""


@dataclass(slots=True)
class Session:
    """One conversation on one open page. Holds no rights: the reader is asked for every time.

    Attributes:
        turns: Finished exchanges, oldest first, for follow-up questions.
        shown: (question, answer) as Markdown, oldest first; what the page shows.
        waiting: The answer a language model is to add joining text to, with what is shown of it.
    """

    turns: list[Turn] = field(default_factory=list)
    shown: list[tuple[str, str]] = field(default_factory=list)
    waiting: tuple[Answer, str] | None = None

    def begin(self, question: str, pending: str) -> None:
        """Show a question with a waiting line."""
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

    def clear(self) -> None:
        """Forget everything."""
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
