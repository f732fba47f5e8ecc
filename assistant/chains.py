"""Chains of matters, linked among the records a reader may see; every link says what it rests on.

Evidence goes from strong to weak: a number written in the text (文号, or 建议号 with its session),
the same session and number in the catalogue, the same title, and last a guess marked as one.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from assistant.chain_roles import ProposalKey, places_agree, proposal_key
from assistant.chain_text import (
    DISSATISFIED,
    RecordText,
    Span,
    class_definitions,
    class_mark,
    conversions,
    doc_number_pattern,
    life_events,
    mention_of,
    proposal_pattern,
    proposed_title,
    result_spans,
    session_words,
    sessions_before,
    step_span,
    title_span,
)
from assistant.matter import STEP_ORDER, Basis, MatterKind, StepKind
from assistant.matter_register import Entry, MatterRegister
from index.access import Permitted
from index.codes import int_to_chinese, parse_doc_number
from index.domain import Passage, Record
from index.text import is_han, lexical_tokens, search_form

#: Passages looked through for a number; a number with its session is in very few.
_MENTIONS: Final = 24
#: Days within which a step may follow another: one round of supervision, one year's handling.
_ROUND_DAYS: Final = 550
#: Least share of common character pairs for a guess; measured on the sample and the public
#: regulations, where .5 brought in papers on neighbouring matters.
_GUESS_SHARE: Final = 0.6

_EXPECTED: Final = {
    MatterKind.PROPOSAL: (
        StepKind.PROPOSAL,
        StepKind.ASSIGNMENT,
        StepKind.REPLY,
        StepKind.DEPUTY_OPINION,
        StepKind.HANDLING_REPORT,
    ),
    MatterKind.INSPECTION: (
        StepKind.INSPECTION,
        StepKind.REVIEW_OPINION,
        StepKind.FOLLOW_UP,
        StepKind.POLL,
    ),
    MatterKind.WORK_REPORT: (
        StepKind.WORK_REPORT,
        StepKind.REVIEW_OPINION,
        StepKind.FOLLOW_UP,
        StepKind.POLL,
    ),
    MatterKind.AUDIT: (StepKind.AUDIT, StepKind.RECTIFICATION),
    MatterKind.LAW: (StepKind.DRAFT, StepKind.SECOND_READING, StepKind.ADOPTION, StepKind.IN_FORCE),
    MatterKind.RESOLUTION: (),
    MatterKind.RECORD: (),
}
_ROW_TITLE: Final = re.compile(r"关于[^“”\n\u3000]{4,60}?的(?:建议|议案)")
_LAW_STEPS: Final = frozenset(
    {
        StepKind.DRAFT,
        StepKind.FIRST_READING,
        StepKind.SECOND_READING,
        StepKind.VOTE,
        StepKind.SUBMISSION,
        StepKind.APPROVAL,
        StepKind.ADOPTION,
        StepKind.AMENDMENT,
        StepKind.REPEAL,
    }
)


@dataclass(frozen=True, slots=True)
class MatterId:
    """What makes a matter one: kind and key (proposal, law name, subject, record)."""

    kind: MatterKind
    key: ProposalKey | str
    place: str = ""


@dataclass(slots=True)
class DraftStep:
    """A step before its citations are numbered; fields as `assistant.matter.Step`."""

    kind: StepKind
    record: Record | None = None
    span: Span | None = None
    results: list[Span] = field(default_factory=list)
    date: str = ""
    iso: str = ""
    basis: Basis = Basis.OWN
    evidence: str = ""
    evidence_span: Span | None = None
    also: tuple[str, ...] = ()
    searched: str = ""


@dataclass(slots=True)
class Draft:
    """A matter before its citations are numbered."""

    matter_id: MatterId
    title: str
    label: str
    steps: list[DraftStep]

    @property
    def iso(self) -> str:
        """Date of its first dated step, empty when none is dated."""
        return min((s.iso for s in self.steps if s.iso), default="")

    @property
    def years(self) -> str:
        """Years of its dated steps in words, empty when none is dated."""
        return _in_words({s.iso[:4] for s in self.steps if s.iso})


def matter_ids(
    entry: Entry,
    text: Callable[[Record], RecordText],
    register: MatterRegister,
    permitted: Permitted,
) -> list[MatterId]:
    """The matters a record belongs to by itself; several when proposals were handled together.

    Reports and lists over many proposals, minutes and papers on nothing in particular give none.

    Args:
        entry: The record.
        text: Text of a record, for proposals whose number stands on the page only.
        register: For the round a paper of supervision belongs to.
        permitted: What the reader may see.
    """
    facts = entry.facts
    if facts.law:
        return [MatterId(MatterKind.LAW, facts.law)]
    if facts.role is StepKind.RESOLUTION:
        return [MatterId(MatterKind.RESOLUTION, entry.record.record_id)]
    if facts.proposals:
        return [MatterId(MatterKind.PROPOSAL, key, facts.place) for key in facts.proposals]
    if facts.role is StepKind.PROPOSAL:
        own = text(entry.record)
        term, sitting = facts.term, facts.sitting
        if term is None and own.names_session is not None:
            term, sitting = own.names_session
        bare = re.search(r"[(（]第?(\d{1,8})号", entry.record.title)
        number = bare.group(1) if bare else own.own_number
        kind = "议案" if "议案" in entry.record.title else "建议"
        key = proposal_key(term, sitting, kind, number) if number else None
        if key is not None:
            return [MatterId(MatterKind.PROPOSAL, key, facts.place)]
        return [MatterId(MatterKind.PROPOSAL, entry.record.record_id)]
    if facts.role in (StepKind.REPLY, StepKind.SECOND_REPLY):
        return [MatterId(MatterKind.PROPOSAL, entry.record.record_id)]
    if facts.subject:
        kind = MatterKind.INSPECTION if _is_law(facts.subject) else MatterKind.WORK_REPORT
        kind = MatterKind.AUDIT if facts.subject.endswith("审计") else kind
        first = supervision_round(entry, register, permitted)[0]
        return [MatterId(kind, f"{facts.subject}@{first.record.record_id}", facts.place)]
    return []


def supervision_round(entry: Entry, register: MatterRegister, permitted: Permitted) -> list[Entry]:
    """The papers on a record's subject that belong to the same round of supervision."""
    entries = [
        e
        for e in register.of_subject(entry.facts.subject, permitted)
        if places_agree(e.facts.place, entry.facts.place)
    ]
    wanted = entry.record.record_id
    found = (r for r in _rounds(entries) if any(e.record.record_id == wanted for e in r))
    return next(found, [entry])


def _is_law(subject: str) -> bool:
    return bool(re.search(r"(?:法|条例|规定|办法)$", subject))


class ChainBuilder:
    """Builds chains for one reader over one generation."""

    def __init__(
        self,
        register: MatterRegister,
        text: Callable[[Record], RecordText],
        find_record: Callable[[str], Record | None],
        passages_with: Callable[[dict[str, float], int], Sequence[Passage]],
        permitted: Permitted,
    ) -> None:
        """Bind what the chains are built from.

        Args:
            register: The steps of the catalogue.
            text: Text of a record.
            find_record: A record by its id.
            passages_with: Passages of permitted records that hold weighted terms.
            permitted: What the reader may see.
        """
        self._register = register
        self._text = text
        self._record = find_record
        self._passages_with = passages_with
        self._permitted = permitted

    def build(self, matter_id: MatterId, seeds: Sequence[Entry]) -> Draft | None:
        """The chain of a matter, None when no permitted record is a step of it.

        Args:
            matter_id: Which matter.
            seeds: Records that led to it.
        """
        if matter_id.kind is MatterKind.PROPOSAL:
            draft = self._proposal(matter_id, seeds)
        elif matter_id.kind is MatterKind.LAW:
            draft = self._law(matter_id)
        elif matter_id.kind is MatterKind.RESOLUTION:
            draft = self._resolution(matter_id, seeds)
        elif matter_id.kind is MatterKind.RECORD:
            draft = self._record_alone(matter_id, seeds)
        else:
            draft = self._supervision(matter_id, seeds)
        if draft is None or not draft.steps:
            return None
        self._order(draft)
        return draft

    # -- proposals ----------------------------------------------------------------------------

    def _proposal(self, matter_id: MatterId, seeds: Sequence[Entry]) -> Draft | None:
        key = matter_id.key
        if not isinstance(key, ProposalKey):
            return self._single(matter_id, seeds)
        steps: dict[str, DraftStep] = {}
        keys = [key]
        for entry in self._of_key(key, matter_id.place):
            steps[entry.record.record_id] = self._step(
                entry, Basis.SESSION_NUMBER, _named(key), key
            )
        for entry in seeds:
            if entry.facts.role is StepKind.PROPOSAL and not entry.facts.proposals:
                steps.setdefault(
                    entry.record.record_id,
                    self._step(entry, Basis.SESSION_NUMBER, _named(key), key),
                )
        for other, span in self._converted(key, steps):
            keys.append(other)
            for entry in self._of_key(other, matter_id.place):
                step = self._step(
                    entry, Basis.NUMBER, f"{_short(other)}与{_short(key)}为同一事项", other
                )
                step.evidence_span = span
                steps.setdefault(entry.record.record_id, step)
        self._add_proposal_by_title(steps, key)
        if key.term is not None and key.sitting is not None:
            self._add_session_papers(steps, keys, key.term, key.sitting)
        self._add_mentions(steps, keys)
        if not steps:
            return None
        title = self._proposal_title(steps)
        draft = Draft(matter_id, title, _named(key), list(steps.values()))
        self._add_missing(draft, f"“{_named(key)}”")
        return draft

    def _single(self, matter_id: MatterId, seeds: Sequence[Entry]) -> Draft | None:
        """A proposal or reply that bears no number: only itself, and a reply by its title."""
        steps = {
            e.record.record_id: self._step(e, Basis.OWN, "")
            for e in seeds
            if e.record.record_id == matter_id.key
        }
        if not steps:
            return None
        self._add_proposal_by_title(steps, None)
        title = self._proposal_title(steps)
        draft = Draft(matter_id, title, "", list(steps.values()))
        self._add_guess(draft, StepKind.REPLY, title)
        self._add_missing(draft, f"题名“{title}”（原件未印编号）")
        return draft

    def _of_key(self, key: ProposalKey, place: str) -> list[Entry]:
        found = self._register.of_proposal(key, self._permitted)
        return [e for e in found if places_agree(e.facts.place, place)]

    def _converted(
        self, key: ProposalKey, steps: dict[str, DraftStep]
    ) -> list[tuple[ProposalKey, Span]]:
        """The same matter's other number, where a 议案 was turned into a 建议."""
        if key.term is None or key.sitting is None or key.kind == "提案":
            return []
        records = [s.record for s in steps.values() if s.record is not None]
        papers = self._register.of_session(
            key.term, key.sitting, StepKind.ASSIGNMENT, self._permitted
        )
        found: dict[ProposalKey, Span] = {}
        for record in [*(e.record for e in papers), *records]:
            for motion, suggestion, span in conversions(self._text(record)):
                if key.kind == "议案" and motion == key.number:
                    other = replace(key, kind="建议", number=suggestion)
                elif key.kind == "建议" and suggestion == key.number:
                    other = replace(key, kind="议案", number=motion)
                else:
                    continue
                found.setdefault(other, self._text(record).sentence_with(span))
        return list(found.items())

    def _add_proposal_by_title(self, steps: dict[str, DraftStep], key: ProposalKey | None) -> None:
        """The proposal itself by the title the reply repeats, where no number led to it."""
        if any(s.kind is StepKind.PROPOSAL for s in steps.values()):
            return
        for step in list(steps.values()):
            if step.record is None or step.kind not in (StepKind.REPLY, StepKind.SECOND_REPLY):
                continue
            title = proposed_title(self._text(step.record))
            if title is None:
                continue
            for entry in self._register.of_title(title.text, self._permitted):
                if entry.facts.proposals and key not in entry.facts.proposals:
                    continue
                session = self._text(entry.record).names_session
                if key is not None and session not in (None, (key.term, key.sitting)):
                    continue
                found = self._step(entry, Basis.TITLE, "答复复述的标题与本件题名一致")
                found.evidence_span = title
                steps.setdefault(entry.record.record_id, found)

    def _add_session_papers(
        self,
        steps: dict[str, DraftStep],
        keys: Sequence[ProposalKey],
        term: int,
        sitting: int,
    ) -> None:
        """Lists of assignment and the annual report of the session the proposal was made at."""
        classes = [
            mark.text
            for s in steps.values()
            if s.record is not None and s.kind in (StepKind.REPLY, StepKind.SECOND_REPLY)
            if (mark := class_mark(self._text(s.record))) is not None
        ]
        for role in (StepKind.ASSIGNMENT, StepKind.HANDLING_REPORT):
            for entry in self._register.of_session(term, sitting, role, self._permitted):
                text = self._text(entry.record)
                named = [
                    (key, span)
                    for key in keys
                    if (span := mention_of(text, key, own=(term, sitting), bare=True)) is not None
                ]
                if named:
                    step = self._step(entry, Basis.NUMBER, _short(named[0][0]))
                    step.span = text.entry_with(named[0][1])
                elif role is StepKind.HANDLING_REPORT:
                    evidence = f"{session_words(term, sitting)}的报告，未点名本件"
                    step = self._step(entry, Basis.GUESS, evidence)
                else:
                    continue
                if role is StepKind.HANDLING_REPORT:
                    over = text.overleaf(step.span) if named and step.span is not None else None
                    step.results = [over] if over is not None else []
                    # A report that does not name the matter says nothing of it but what the
                    # class on its own reply means; its totals are not this matter's result.
                    if named or classes:
                        step.results += class_definitions(text, classes)
                steps.setdefault(entry.record.record_id, step)

    def _add_mentions(self, steps: dict[str, DraftStep], keys: Sequence[ProposalKey]) -> None:
        """Other papers that name the proposal: supervision, legislation, later replies."""
        first = min((s.iso for s in steps.values() if s.iso), default="")
        for key in keys:
            for record in self._naming(key):
                if record.record_id in steps:
                    continue
                entry = self._register.entry(record)
                text = self._text(record)
                own = (entry.facts.term, entry.facts.sitting)
                basis, evidence = Basis.NUMBER, _named(key)
                span = mention_of(text, key, own=own, bare=False)
                if span is None and _within(first, entry.date, _ROUND_DAYS):
                    span = self._bare_mention(text, key, entry)
                    basis, evidence = Basis.GUESS, f"正文只写{_short(key)}，未写届次"
                if span is None:
                    continue
                sentence = text.sentence_with(span)
                steps[record.record_id] = DraftStep(
                    kind=_mention_kind(entry, sentence),
                    record=record,
                    span=sentence,
                    date=record.date,
                    iso=entry.date,
                    basis=basis,
                    evidence=evidence,
                )

    def _naming(self, key: ProposalKey) -> list[Record]:
        """Permitted records whose text may name a proposal, by its number and session words."""
        words: dict[str, float] = {key.number: 4.0}
        if key.term is not None and key.sitting is not None:
            for token in lexical_tokens(f"{session_words(key.term, key.sitting)}{key.kind}"):
                if len(token) > 1:
                    words[token] = 0.5
        terms = () if key.term is None else (f"{int_to_chinese(key.term)}届", f"{key.term}届")
        found: dict[str, Record] = {}
        for passage in self._passages_with(words, _MENTIONS):
            folded = "".join(unicodedata.normalize("NFKC", passage.text).split())
            record = self._record(passage.record_id) if f"{key.number}号" in folded else None
            if record is None or record.record_id in found:
                continue
            # Every session has its 第15号: a paper on another number must name our term.
            own = self._register.entry(record).facts.proposals
            if not own or not terms or any(term in folded for term in terms):
                found[record.record_id] = record
        return list(found.values())

    @staticmethod
    def _bare_mention(text: RecordText, key: ProposalKey, entry: Entry) -> Span | None:
        """A number without any session, in a paper of the committee of the same term."""
        if entry.facts.term not in (None, key.term) or entry.facts.proposals:
            return None
        pattern = proposal_pattern(key, bare=False)
        for page, form in zip(text.pages, text.forms, strict=True):
            for match in pattern.finditer(form.text):
                if not sessions_before(form.text, match.start()):
                    return Span(page, *form.to_raw(*match.span()))
        return None

    def _proposal_title(self, steps: dict[str, DraftStep]) -> str:
        for step in steps.values():
            if step.kind is StepKind.PROPOSAL and step.record is not None:
                return re.sub(r"[（(]第?\s*\d+\s*号.{0,4}[)）]$", "", step.record.title)
        for step in steps.values():
            if step.record is not None and (span := proposed_title(self._text(step.record))):
                return re.sub(r"\s+", "", span.text)
        for step in steps.values():
            # Known from a list only: its row gives the title.
            if step.span is not None and (row := _ROW_TITLE.search(step.span.text)):
                return re.sub(r"\s+", "", row.group())
        return next(s.record.title for s in steps.values() if s.record is not None)

    # -- supervision --------------------------------------------------------------------------

    def _supervision(self, matter_id: MatterId, seeds: Sequence[Entry]) -> Draft | None:
        subject = str(matter_id.key).partition("@")[0]
        seed = next((e for e in seeds if e.facts.subject == subject), None)
        if seed is None:
            return None
        mine = supervision_round(seed, self._register, self._permitted)
        steps: dict[str, DraftStep] = {}
        for entry in mine:
            steps[entry.record.record_id] = self._step(entry, Basis.TITLE, f"同为“{subject}”")
        self._add_cited_papers(steps, mine)
        self._prefer_numbers(steps)
        self._add_deliberation(steps, mine, subject)
        kind = matter_id.kind
        if any(s.kind in (StepKind.PLAN, StepKind.INSPECTION) for s in steps.values()):
            kind = MatterKind.INSPECTION
        draft = Draft(
            replace(matter_id, kind=kind),
            subject,
            _years(mine),
            list(steps.values()),
        )
        for missing in _EXPECTED[kind]:
            self._add_guess(draft, missing, subject)
        self._add_missing(draft, f"题名“{subject}”及链上各件文号")
        return draft

    def _add_cited_papers(self, steps: dict[str, DraftStep], mine: Sequence[Entry]) -> None:
        """Papers under another title that cite the document number of one of the round."""
        for entry in mine:
            if entry.facts.role not in (StepKind.REVIEW_OPINION, StepKind.FOLLOW_UP):
                continue
            number = parse_doc_number(entry.record.doc_no)
            pattern = doc_number_pattern(number) if number is not None else None
            if number is None or pattern is None:
                continue
            words = {str(number.year): 1.0, str(number.number): 2.0}
            words |= {t: 0.5 for t in lexical_tokens(number.agency) if len(t) > 1}
            for passage in self._passages_with(words, _MENTIONS):
                if passage.record_id in steps or not pattern.search(search_form(passage.text).text):
                    continue
                record = self._record(passage.record_id)
                if record is None:
                    continue
                other = self._register.entry(record)
                if other.facts.role not in (
                    StepKind.FOLLOW_UP,
                    StepKind.POLL,
                    StepKind.REVIEW_OPINION,
                ):
                    continue
                steps[record.record_id] = self._step(other, Basis.NUMBER, entry.record.doc_no)

    def _prefer_numbers(self, steps: dict[str, DraftStep]) -> None:
        """Raise a tie by title to one by number where a later paper cites an earlier one."""
        numbered = [
            (s, pattern)
            for s in steps.values()
            if s.record is not None
            and (number := parse_doc_number(s.record.doc_no)) is not None
            and (pattern := doc_number_pattern(number)) is not None
        ]
        for step in steps.values():
            if step.record is None:
                continue
            text = self._text(step.record)
            for other, pattern in numbered:
                if other is step or other.record is None:
                    continue
                span = next((s for _, s in text.find(pattern)), None)
                if span is None:
                    continue
                later = step if STEP_ORDER[step.kind] > STEP_ORDER[other.kind] else other
                for one in (later, other if other.kind is StepKind.PLAN else later):
                    one.basis, one.evidence, one.evidence_span = (
                        Basis.NUMBER,
                        other.record.doc_no,
                        text.sentence_with(span),
                    )
        best = min(steps.values(), key=lambda s: STEP_ORDER[s.kind])
        if best.basis is Basis.TITLE:
            best.basis, best.evidence = Basis.OWN, ""

    def _add_deliberation(
        self, steps: dict[str, DraftStep], mine: Sequence[Entry], subject: str
    ) -> None:
        """Minutes of the sitting that heard the report, where they speak of the subject."""
        sittings = {
            (e.facts.term, e.facts.sitting)
            for e in mine
            if e.facts.committee
            and e.facts.role in (StepKind.INSPECTION, StepKind.WORK_REPORT, StepKind.REVIEW_OPINION)
        }
        for term, sitting in sittings:
            if term is None or sitting is None:
                continue
            for entry in self._register.of_session(
                term, sitting, StepKind.DELIBERATION, self._permitted
            ):
                text = self._text(entry.record)
                hits = [s for _, s in text.find(re.compile(re.escape(subject)))]
                hits += [
                    s
                    for _, s in text.find(re.compile(rf"{re.escape(subject[:8])}.{{0,12}}审议意见"))
                ]
                if entry.facts.committee and hits and entry.record.record_id not in steps:
                    step = self._step(entry, Basis.TITLE, "同一次会议的记载")
                    step.span = text.sentence_with(hits[-1])
                    steps[entry.record.record_id] = step

    # -- laws and resolutions -----------------------------------------------------------------

    def _law(self, matter_id: MatterId) -> Draft | None:
        law = str(matter_id.key)
        entries = self._register.of_law(law, self._permitted)
        steps: list[DraftStep] = []
        for entry in sorted(entries, key=lambda e: (e.date, e.number)):
            named = f"《{law}》"
            if entry.facts.role is StepKind.ADOPTION:
                steps += self._life(entry)
                continue
            step = self._step(entry, Basis.TITLE, named)
            if entry.facts.role is StepKind.AMENDMENT:
                step.results = [e.span for e in life_events(self._text(entry.record))][:2]
            steps.append(step)
        if not steps:
            return None
        steps = _one_event_each(steps)
        steps += self._origins(steps)
        draft = Draft(matter_id, f"《{law}》", _years(entries), steps)
        expected = set(_EXPECTED[MatterKind.LAW])
        if any(s.kind is StepKind.SUBMISSION for s in steps):
            expected.add(StepKind.APPROVAL)
        self._add_missing(draft, f"题名含“《{law}》”", expected)
        return draft

    def _life(self, entry: Entry) -> list[DraftStep]:
        """Steps that a regulation's own text tells: adopted, approved, amended, in force."""
        events = life_events(self._text(entry.record))
        if not events:
            return [self._step(entry, Basis.OWN, "")]
        steps = []
        for event in events:
            iso = _iso(event.date)
            steps.append(
                DraftStep(
                    event.kind,
                    entry.record,
                    event.span,
                    date=event.date if iso else "",
                    iso=iso or (entry.date if event.kind is StepKind.IN_FORCE else ""),
                )
            )
        return steps

    def _origins(self, steps: Sequence[DraftStep]) -> list[DraftStep]:
        """Proposals that the explanation of a draft names as what brought it about."""
        found: dict[str, DraftStep] = {}
        pattern = re.compile(r"第(\d{1,4})号(?:代表)?(建议|议案)")
        for step in steps:
            if step.kind is not StepKind.DRAFT or step.record is None:
                continue
            text = self._text(step.record)
            for match, span in text.find(pattern):
                form = text.forms[text.pages.index(span.page)].text
                near = sessions_before(form, match.start())
                key = proposal_key(*near[0], match.group(2), match.group(1)) if near else None
                if key is None:
                    continue
                for entry in self._register.of_proposal(key, self._permitted):
                    if entry.facts.role is StepKind.PROPOSAL:
                        origin = self._step(entry, Basis.NUMBER, _named(key), key)
                        origin.evidence_span = text.sentence_with(span)
                        found.setdefault(entry.record.record_id, origin)
        return list(found.values())

    def _resolution(self, matter_id: MatterId, seeds: Sequence[Entry]) -> Draft | None:
        for entry in seeds:
            if entry.record.record_id == matter_id.key:
                text = self._text(entry.record)
                step = self._step(entry, Basis.OWN, "")
                events = [e for e in life_events(text) if e.kind is StepKind.ADOPTION]
                step.results = [e.span for e in events][:1]
                return Draft(matter_id, entry.record.title, "", [step])
        return None

    def _record_alone(self, matter_id: MatterId, seeds: Sequence[Entry]) -> Draft | None:
        """A paper that is a step of no chain but speaks of the topic."""
        for entry in seeds:
            if entry.record.record_id == matter_id.key:
                step = DraftStep(
                    StepKind.RECORD,
                    entry.record,
                    title_span(self._text(entry.record)),
                    date=entry.record.date,
                    iso=entry.date,
                )
                return Draft(matter_id, entry.record.title, _years([entry]), [step])
        return None

    # -- steps --------------------------------------------------------------------------------

    def _step(
        self, entry: Entry, basis: Basis, evidence: str, key: ProposalKey | None = None
    ) -> DraftStep:
        text = self._text(entry.record)
        kind = entry.facts.role or StepKind.MENTION
        also = tuple(_short(k) for k in entry.facts.proposals if key is not None and k != key)
        return DraftStep(
            kind,
            entry.record,
            step_span(text, kind),
            result_spans(text, kind),
            entry.record.date,
            entry.date,
            basis,
            evidence,
            also=also,
        )

    def _add_guess(self, draft: Draft, kind: StepKind, subject: str) -> None:
        """A record that may be a missing step: right kind, right time, much the same words."""
        if any(step.kind is kind for step in draft.steps):
            return
        first = draft.iso
        have = {s.record.record_id for s in draft.steps if s.record is not None}
        wanted = _pairs(subject)
        best: tuple[float, Entry] | None = None
        for entry in self._register.of_role(kind, self._permitted):
            if entry.record.record_id in have or not _within(first, entry.date, _ROUND_DAYS):
                continue
            if entry.facts.proposals:  # it has a number of its own and belongs elsewhere
                continue
            name = entry.facts.subject or entry.record.title
            share = _likeness(wanted, _pairs(name))
            if share >= _GUESS_SHARE and (best is None or share > best[0]):
                best = (share, entry)
        if best is not None:
            draft.steps.append(self._step(best[1], Basis.GUESS, "题名相近、时间相接，未见编号"))

    def _add_missing(
        self, draft: Draft, searched: str, expected: Iterable[StepKind] | None = None
    ) -> None:
        """Name the steps of the usual chain that no record was found for."""
        wanted = set(_EXPECTED[draft.matter_id.kind] if expected is None else expected)
        there = {step.kind for step in draft.steps}
        if draft.matter_id.kind is MatterKind.PROPOSAL:
            if self._dissatisfied(draft):
                wanted.add(StepKind.SECOND_REPLY)
            if StepKind.SECOND_REPLY in there:
                wanted.discard(StepKind.REPLY) if StepKind.REPLY in there else None
        for kind in sorted(wanted - there, key=lambda k: STEP_ORDER[k]):
            draft.steps.append(DraftStep(kind, searched=searched))

    def _dissatisfied(self, draft: Draft) -> bool:
        """Whether a step says that the deputy was not satisfied with the first reply."""
        telling = (StepKind.DEPUTY_OPINION, StepKind.SECOND_REPLY, StepKind.HANDLING_REPORT)
        spans = [
            span
            for step in draft.steps
            if step.kind in telling
            and (step.kind is not StepKind.HANDLING_REPORT or step.basis is Basis.NUMBER)
            for span in [step.span, *(step.results if step.kind is StepKind.DEPUTY_OPINION else [])]
            if span is not None
        ]
        return any(DISSATISFIED.search(search_form(span.text).text) for span in spans)

    @staticmethod
    def _order(draft: Draft) -> None:
        """Dated steps by date, undated and missing ones where the chain has them."""
        dated = sorted((s for s in draft.steps if s.iso), key=lambda s: (s.iso, STEP_ORDER[s.kind]))
        for step in sorted((s for s in draft.steps if not s.iso), key=lambda s: STEP_ORDER[s.kind]):
            place = 0
            for i, other in enumerate(dated, start=1):
                if STEP_ORDER[other.kind] <= STEP_ORDER[step.kind]:
                    place = i
            dated.insert(place, step)
        draft.steps = dated


def _named(key: ProposalKey) -> str:
    if key.term is None or key.sitting is None:
        return f"第{key.number}号{key.kind}"
    return f"{session_words(key.term, key.sitting)}第{key.number}号{key.kind}"


def _short(key: ProposalKey) -> str:
    return f"第{key.number}号{key.kind}"


def _mention_kind(entry: Entry, sentence: Span) -> StepKind:
    if entry.facts.role in _LAW_STEPS:
        return StepKind.LEGISLATION
    if "督办" in sentence.text or entry.facts.role is StepKind.SUPERVISION:
        return StepKind.SUPERVISION
    return StepKind.MENTION


def _rounds(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Papers on one subject cut into rounds: a new one begins where the chain starts again."""
    rounds: list[list[Entry]] = []
    for entry in sorted(
        entries, key=lambda e: (e.date, STEP_ORDER[e.facts.role or StepKind.MENTION])
    ):
        order = STEP_ORDER[entry.facts.role or StepKind.MENTION]
        for current in reversed(rounds):
            last = current[-1]
            same = entry.facts.term is not None and (entry.facts.term, entry.facts.sitting) == (
                last.facts.term,
                last.facts.sitting,
            )
            onward = order >= max(STEP_ORDER[e.facts.role or StepKind.MENTION] for e in current)
            repeats = any(e.facts.role is entry.facts.role for e in current)
            near = _within(last.date, entry.date, _ROUND_DAYS)
            if same or (near and onward and not repeats) or not entry.date:
                current.append(entry)
                break
        else:
            rounds.append([entry])
    return rounds


def _one_event_each(steps: Sequence[DraftStep]) -> list[DraftStep]:
    """Steps of a regulation with those told twice left out.

    Later versions repeat the whole life in their note, and a decision to amend tells its own date.
    """
    kept: list[DraftStep] = []
    amended = {
        _iso(match)
        for step in steps
        if step.kind is StepKind.AMENDMENT
        for span in step.results
        for match in re.findall(r"\d{4}年\d{1,2}月\d{1,2}日", search_form(span.text).text)
    }
    records = {
        s.kind for s in steps if s.kind in (StepKind.APPROVAL, StepKind.REPEAL) and _stands_alone(s)
    }
    for step in steps:
        twice = any(
            other.kind is step.kind
            and other.iso == step.iso
            and step.iso
            and other.date == step.date
            for other in kept
        )
        told = step.kind is StepKind.AMENDMENT and step.iso in amended and not step.results
        covered = step.kind in records and not _stands_alone(step) and not _others(step, steps)
        if not (twice or told or covered):
            kept.append(step)
    return kept


def _stands_alone(step: DraftStep) -> bool:
    """Whether the step is a record of its own rather than a line in a regulation's note."""
    return step.record is not None and step.date == step.record.date


def _others(step: DraftStep, steps: Sequence[DraftStep]) -> bool:
    """Whether no record of its own tells of the same date."""
    return all(
        other.iso[:10] != step.iso[:10]
        for other in steps
        if other is not step and other.kind is step.kind and _stands_alone(other)
    )


def _years(entries: Iterable[Entry]) -> str:
    return _in_words({e.date[:4] for e in entries if e.date})


def _in_words(found: set[str]) -> str:
    years = sorted(found)
    if not years:
        return ""
    return f"{years[0]}年" if len(years) == 1 else f"{years[0]}—{years[-1]}年"


def _iso(date: str) -> str:
    match = re.fullmatch(r"(\d{4})年(\d{1,2})月(\d{1,2})日", date)
    return f"{match[1]}-{int(match[2]):02d}-{int(match[3]):02d}" if match else ""


def _within(first: str, second: str, days: int) -> bool:
    """Whether a date lies at or after another by at most some days; unknown dates do not."""
    if not first or not second:
        return False
    a, b = _day(first, last=False), _day(second, last=True)
    return dt.timedelta(0) <= b - a <= dt.timedelta(days=days)


def _day(iso: str, *, last: bool) -> dt.date:
    parts = [int(p) for p in iso.split("-")]
    month = parts[1] if len(parts) > 1 else (12 if last else 1)
    return dt.date(parts[0], month, parts[2] if len(parts) > 2 else (28 if last else 1))


def _pairs(text: str) -> frozenset[str]:
    form = search_form(text).text
    return frozenset(t for t in lexical_tokens(form) if len(t) > 1 or not is_han(t))


def _likeness(first: frozenset[str], second: frozenset[str]) -> float:
    """Dice share of common character pairs, 0..1."""
    total = len(first) + len(second)
    return 2 * len(first & second) / total if total else 0.0
