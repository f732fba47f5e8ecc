"""Every chain step of the catalogue by the keys that tie steps together; one per generation."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from assistant.chain_roles import NO_FACTS, Facts, ProposalKey, read_facts
from assistant.matter import StepKind
from index.access import Permitted
from index.domain import Record
from index.text import search_form

_NOTE: Final = re.compile(r"\([^()]*\)$")


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that is a step of some chain.

    Attributes:
        number: Row number of the record in the store.
        record: The record.
        facts: What its catalogue row says.
    """

    number: int
    record: Record
    facts: Facts

    @property
    def date(self) -> str:
        """Date for ordering, ISO; the filing year where there is no date, else empty."""
        return self.record.date_iso or (str(self.record.year) if self.record.year else "")


@dataclass(slots=True)
class _Tables:
    proposals: dict[ProposalKey, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[tuple[str, str], list[Entry]] = field(default_factory=lambda: defaultdict(list))
    sessions: dict[tuple[int, int, StepKind], list[Entry]] = field(
        default_factory=lambda: defaultdict(list)
    )
    titles: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    laws: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    subjects: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    roles: dict[StepKind, list[Entry]] = field(default_factory=lambda: defaultdict(list))


class MatterRegister:
    """Finds the steps that bear a key, among the records a reader may see.

    The tables are over all records; every look-up filters by the reader's permitted set before
    anything is returned, so that what is hidden is as if it did not exist.
    """

    def __init__(self, records: Mapping[int, Record]) -> None:
        """Read the catalogue.

        Args:
            records: Records by their row numbers in the store.
        """
        self._entries: dict[int, Entry] = {}
        self._by_id: dict[str, Entry] = {}
        self._tables = _Tables()
        tables = self._tables
        for number, record in records.items():
            facts = read_facts(record)
            entry = Entry(number, record, facts)
            self._by_id[record.record_id] = entry
            if facts.role is None:
                continue
            self._entries[number] = entry
            tables.roles[facts.role].append(entry)
            for key in facts.proposals:
                tables.proposals[key].append(entry)
                tables.numbers[(key.kind, key.number)].append(entry)
            if facts.term is not None and facts.sitting is not None:
                tables.sessions[(facts.term, facts.sitting, facts.role)].append(entry)
            if facts.role is StepKind.PROPOSAL:
                tables.titles[title_key(record.title)].append(entry)
            if facts.law:
                tables.laws[facts.law].append(entry)
            if facts.subject:
                tables.subjects[facts.subject].append(entry)

    def __len__(self) -> int:
        """Number of records that are a step of some chain."""
        return len(self._entries)

    def entry(self, record: Record) -> Entry:
        """The entry of a record; without facts when it is no step or is not known here."""
        return self._by_id.get(record.record_id) or Entry(0, record, NO_FACTS)

    def of_proposal(self, key: ProposalKey, permitted: Permitted) -> list[Entry]:
        """Records whose titles bear a proposal's session and number."""
        return _allowed(self._tables.proposals.get(key, ()), permitted)

    def numbered(self, kind: str, number: str, permitted: Permitted) -> list[Entry]:
        """Records of proposals with a number, whatever their session."""
        return _allowed(self._tables.numbers.get((kind, number), ()), permitted)

    def of_session(
        self, term: int, sitting: int, role: StepKind, permitted: Permitted
    ) -> list[Entry]:
        """Records of one kind that belong to a sitting."""
        return _allowed(self._tables.sessions.get((term, sitting, role), ()), permitted)

    def of_title(self, title: str, permitted: Permitted) -> list[Entry]:
        """Proposals with this title, number in brackets aside."""
        return _allowed(self._tables.titles.get(title_key(title), ()), permitted)

    def of_law(self, law: str, permitted: Permitted) -> list[Entry]:
        """Records whose titles name a law or regulation."""
        return _allowed(self._tables.laws.get(law, ()), permitted)

    def of_subject(self, subject: str, permitted: Permitted) -> list[Entry]:
        """Supervision papers with this subject."""
        return _allowed(self._tables.subjects.get(subject, ()), permitted)

    def of_role(self, role: StepKind, permitted: Permitted) -> list[Entry]:
        """All records of one kind."""
        return _allowed(self._tables.roles.get(role, ()), permitted)


def title_key(title: str) -> str:
    """A proposal's title for comparing: search form, number in brackets and end marks aside."""
    return _NOTE.sub("", search_form(title).text.strip('[]《》“”" '))


def _allowed(entries: Iterable[Entry], permitted: Permitted) -> list[Entry]:
    return [entry for entry in entries if permitted.allows(entry.number)]
