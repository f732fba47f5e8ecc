"""Precedents (先例): which matters were raised on a topic, how they went, what came of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import Final

from assistant.chain_roles import ProposalKey, proposal_key
from assistant.chain_text import (
    RecordText,
    Span,
    TextShelf,
    demand_sentences,
    proposed_title,
    proposer_span,
    result_sentences,
    telling_sentences,
    whole_point,
)
from assistant.chains import ChainBuilder, Draft, DraftStep, MatterId, matter_ids
from assistant.domain import Citation, Conversation, Listing, cite
from assistant.excerpts import Excerpt
from assistant.gazetteer import Gazetteer
from assistant.matter import Basis, Matter, MatterKind, Step, StepKind
from assistant.matter_register import Entry, MatterRegister
from assistant.question import Question
from assistant.retrieval import Evidence, Retriever, encoded_for
from index.access import Permitted
from index.codes import chinese_to_int, find_proposal_numbers, find_sessions
from index.domain import Passage, Record
from index.passage_index import PassageIndex
from index.store import Store
from index.text import TermFinder, is_han, lexical_tokens, search_form

#: `Answer.kind` of an answer with precedents.
PRECEDENTS: Final = "先例"
#: What to know of results as they are quoted.
AS_WRITTEN: Final = "类别和满意度照录原文，各年含义不同，未作换算；办成与否、能否参照，请对照原文判断，系统不作推断。"
_MISSING: Final = "“未检得”指在您可查阅的范围内没有查到，不等于没有这一步。"
_GUESSED: Final = "标“疑似”的一步由程序按题名和时间推测，请核对原件。"
#: Passages looked at for matters on the topic.
_TOP_K: Final = 60
#: Most matters shown; a topic with more is too wide and the answer says so.
MOST_MATTERS: Final = 12
_RANKED: Final = 24

#: Words that ask for a precedent and say nothing of its topic, search form.
_ASKING: Final = re.compile(
    r"(?:给我|帮我|请)?(?:查|找|看)(?:一?下|查|找|看)?(?:三个|几个|一个)?(?:最像的|类似的|相似的)?先例|先例"
    r"|(?:是)?(?:最早|最先|第一次)(?:是)?(?:谁|哪位代表|哪个代表|什么时候|哪一?年)?(?:是谁)?提(?:出)?(?:的|过)|(?:一共|总共|共|前后|先后)?(?:提|管|办|议)过(?:多少|几)[回次遍]"
    r"|我?(?:想|要)(?:看看|知道|了解|查查)|(?:以前|之前|过去|曾经|从前|前面|往年|历年来?|历届|这些年|这[几十]{1,2}年)"
    r"|(?:人大|市人大|常委会)?(?:代表|哪些人|哪位|谁|有人|人)?们?(?:都)?(?:是否|曾)?(?:提过|提出过|反映过|建议过|管过|提到过|关注过)(?:几[回次])?"
    r"|有(?:没有|无)|是否|没有人|有人|有代表|人大(?=代表|这|[管提]|$)|(?:议案|建议|提案)(?:里|中)?(?=有|$|[,。? ])"
    r"|(?:的)?(?:议案|建议|提案)(?=(?:最后|后来)?(?:是)?(?:怎么|如何|办))"
    r"|(?:最后|后来|到底|究竟|当时|现在)|(?:是)?(?:怎么|如何|怎样)(?:答复|处理|办理|办|弄|解决|回复)的?|答复了?(?=吗|没有|$)"
    r"|(?:办|处理|进行)(?:到|得)(?:哪一?步|怎么?样|啥样|什么程度)了?|(?:哪个|什么时候)?办(?:成|结|好)了?|(?:结果|进展)(?:怎么?样|如何)|什么结果"
    r"|立(?:了)?(?:法|规)(?:了)?(?=没有|没|吗|$)|改了(?=没有|没|吗|$)|(?:是)?[a-d]类还是[a-d]类|凭什么|按时间排(?:一下)?|关于"
    r"|(?:是)?(?:什么|啥)理由没办|什么理由|为什么没办|哪年开始的?|那[次回年]|(?:能)?参考|类似的?|发现的?(?=问题)"
    r"|(?:方面)?的?(?:事情|事儿|事|问题)(?=$|[,。?吗 ])"
)
#: What is left of the asking words at the edges.
_EDGES: Final = re.compile(
    r"^(?:有|给|把|对|的|了|过|那|这|能)+(?=..)|(?:吗|呢|没有|没|的|过|了|能|有)+$"
)
_MOST: Final = re.compile(
    r"([一二两三四五六七八九十]|\d{1,2})个(?:最像|类似|相似|最近)?的?先例|先例.{0,4}?([三])个"
)
#: Years and relative years; they choose among matters and are no part of the topic.
_TIME: Final = re.compile(
    r"(?:19|20)\d{2}年?(?:以后|以来|之后|至今|起|以前)?|(?:大前|前|去|今)年|近[一二三四五六七八九十\d]{1,3}年"
)
#: The place a regulation's name begins with.
_OF_PLACE: Final = re.compile(
    r"^[\u4e00-\u9fff]{2,8}?(?:省|市|县|自治区|自治州)(?=[\u4e00-\u9fff]{4})"
)
#: Kinds of papers; every matter has one, so it tells nothing of the topic.
_KINDS: Final = re.compile(
    r"地方性法规|管理条例|条例|执法检查|审议意见|专题询问|满意度测评|决议|决定|立法|法规|办法|规定|议案|建议|答复"
)
#: Questions that are plainly about precedents, search form.
_PRECEDENT: Final = re.compile(
    r"先例"
    r"|(?:以前|之前|过去|曾经|从前|前面|往年|历届|有没有|有无|是否).{0,14}(?:代表|人|委员)[^,。?]{0,8}(?:提过|提出过|反映过|建议过)"
    r"|(?:代表|有人|谁)(?:曾经?|以前|之前)?(?:提过|提出过|反映过|建议过).{1,24}(?:吗|没有|没)"
    r"|(?:建议|议案).{0,12}(?:办|处理|进行)(?:到|得)(?:哪一?步|怎么?样|什么程度)"
    r"|.{2,}最后(?:有没有)?立(?:了)?法(?:了)?(?:没有|没|吗)"
    r"|(?:以前|之前|往年|历年).{2,24}(?:建议|议案)(?:是)?(?:怎么|如何)(?:答复|处理|办理)"
    r"|人大.{0,8}管过几[回次]"
    r"|.{2,}(?:最早|最先|第一次)(?:是)?(?:哪位|哪个|什么)?(?:谁|人|代表|时候|哪年)?(?:是谁)?提(?:出)?(?:的|过)"
    r"|.{2,}(?:一共|总共|共|前后|先后)?(?:提|管|办|议)过(?:多少|几)[回次遍]"
)


_RAISED: Final = re.compile(r"(?:提过|提出过|反映过|建议过)")


def is_precedent_question(form: str) -> bool:
    """Whether a question plainly asks for precedents.

    Args:
        form: The question's search form.
    """
    return bool(_PRECEDENT.search(form))


def asks_only(question: str) -> bool:
    """Whether a question asks for precedents without naming a topic: 给我找三个最像的先例."""
    left = re.sub(r"[?？。!！,，;]+", "", _ASKING.sub("", search_form(question).text))
    return len(_EDGES.sub("", left)) < 2


def asks_whether_raised(form: str) -> bool:
    """Whether a question asks if anybody ever raised a thing; nothing near it means no answer."""
    return bool(_RAISED.search(form))


def with_topic(question: str, conversation: Conversation) -> str:
    """A question for precedents with the topic of the turn before, where it names none."""
    if not conversation or not asks_only(question):
        return question
    before = conversation[-1].result.standalone or conversation[-1].question
    return f"{before.rstrip('？?。！!')}，{question}"


def topic_of(question: str) -> str:
    """The topic of a question: what is left without the words that ask for precedents.

    The whole question when nothing would be left.
    """
    form = search_form(question).text
    left = re.sub(r"[?？。!！,，;]+", " ", _ASKING.sub(" ", form))
    parts = [_EDGES.sub("", part.strip("、的")) for part in left.split()]
    return " ".join(part for part in parts if len(part) > 1) or question


def core_of(topic: str) -> str:
    """A topic without the kind of paper: 物业管理条例 → 物业; itself when nothing would be left."""
    left = " ".join(_KINDS.sub(" ", topic).split())
    return left if len(left) > 1 else topic


FEATURES: Final = ("name_cosine", "sentence_cosine", "rest_cosine", "coverage", "name_coverage")
#: Logistic weights in the order of `FEATURES`, fitted on topics over the sample and the public
#: regulations; see docs/decisions/0008-precedents.md.
WEIGHTS: Final = (95.0, 38.0, 42.0, 5.6, 0.6)
INTERCEPT: Final = -155.0
#: A matter is on the topic from these log-odds on.
THRESHOLD: Final = -0.5
#: What the name leaves uncovered must be this close to something the matter says, unless the
#: name covers `_NAMED` of the topic: 给青沙河装空调 is near 青沙河保护 in all but the 空调.
_REST: Final = 0.855
_NAMED: Final = 0.6
#: A part of a matter its name does not tell (学校食堂 of the food law) counts when the whole of a
#: topic of so many pairs stands in two of its sentences and one of them is as close as this.
_WORDS: Final = 3
_WHOLE: Final = 0.9
_SAYS: Final = 0.89
#: A paper outside any chain counts when one sentence of it holds the whole topic, this close.
_TELLS: Final = 0.86
_MOST_RECORDS: Final = 5
#: With a model the weights were not fitted for: least share of the topic's words.
_LEAST_COVERAGE: Final = 0.5
#: Log-odds from which a matter is not on the topic but near it.
_NEAR: Final = -3.5
#: Characters between the two words of a topic in a sentence that still says it.
_BRIDGE: Final = 10
#: Excerpts quoted of one record.
_EXCERPTS: Final = 4
#: Share of the topic a line of a list must hold to lead to its proposal.
_LISTED: Final = 0.34
#: Sentences of a matter compared with the topic.
_SENTENCES: Final = 60


@dataclass(frozen=True, slots=True)
class Topic:
    """What precedents are wanted on.

    Attributes:
        question: The topic as read, for the search.
        core: The topic without the kind of paper, for comparing.
        official: The core with everyday words put into official terms, None without any.
        most: Most matters, the likeliest ones.
        years: Years a matter must touch; empty for any.
        since: Whether later years than those count too.
        numbers: Proposals named by number, as (kind, number).
        sessions: Sessions named, as (term, sitting).
        bare: Whether nothing is asked but the topic itself.
    """

    question: Question
    core: Question
    official: Question | None = None
    most: int = MOST_MATTERS
    years: tuple[int, ...] = ()
    since: bool = False
    numbers: tuple[tuple[str, str], ...] = ()
    sessions: tuple[tuple[int | None, int | None], ...] = ()
    bare: bool = False

    def allows(self, key: ProposalKey) -> bool:
        """Whether a proposal's session is one of those named, or none is named."""
        return not self.sessions or any(
            term in (None, key.term) and sitting in (None, key.sitting)
            for term, sitting in self.sessions
        )

    def in_years(self, draft: Draft) -> bool:
        """Whether a step of the matter lies in the years wanted."""
        if not self.years:
            return True
        years = {int(step.iso[:4]) for step in draft.steps if step.iso}
        return any(y in self.years or (self.since and y >= min(self.years)) for y in years)


def read_topic(asked: Question, read: Callable[[str], Question]) -> Topic:
    """Read what precedents are wanted on.

    Args:
        asked: The whole question as read.
        read: Reads a shorter text in the same way.
    """
    topic = topic_of(_TIME.sub(" ", asked.text))
    most = _MOST.search(asked.form)
    wanted = chinese_to_int(most.group(1)) if most else None
    numbers = tuple(
        dict.fromkeys(
            ("议案" if n.kind == "议案" else "建议", n.number.lstrip("0"))
            for n in find_proposal_numbers(asked.text)
        )
    )
    question = read(topic)
    core = core_of(_without_places(topic, question.places))
    official = core
    for words, meanings in read(core).synonyms.items():
        official = official.replace(words, meanings[0])
    return Topic(
        question,
        read(core),
        read(official) if official != core else None,
        min(wanted or MOST_MATTERS, MOST_MATTERS),
        asked.years,
        bool(re.search(r"以后|以来|之后|至今|起", asked.form)),
        numbers,
        tuple((s.term, s.number) for s in find_sessions(asked.text)) if numbers else (),
        bare=topic.strip() == asked.form.strip(" ?？。"),
    )


def _without_places(topic: str, places: Sequence[str]) -> str:
    """A topic without the places named in it: they choose among matters by `place_agreement`.

    Left in, a place alone made every regulation of that town look near (measured: 济宁物业 was
    .89 from 济宁市养犬管理条例, 物业 is .83).
    """
    left = topic
    for place in places:
        for name in (place, Gazetteer.short(place)):
            left = re.sub(rf"{re.escape(name)}[省市县区]?", " ", left)
    left = " ".join(left.split())
    return left if len(left) > 1 else topic


@dataclass(slots=True)
class Candidate:
    """A matter that may be on the topic, with what speaks for it.

    Attributes:
        matter_id: Which matter.
        seeds: Records that led to it.
        evidence: Passages of them among those found, best first.
        lines: Lines of lists that name it, search form.
        name: Its name as far as it is known before the chain is built, search form.
        features: Values in the order of `FEATURES`.
        odds: Log-odds of being on the topic.
        place: 1 of a place asked about, -1 of another one, else 0.
        said: Most of the topic that one sentence holds, 0..1.
    """

    matter_id: MatterId
    seeds: list[Entry] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    name: str = ""
    features: tuple[float, ...] = ()
    odds: float = 0.0
    place: int = 0
    said: float = 0.0


@dataclass(frozen=True, slots=True)
class _Measure:
    """What a candidate has of a topic.

    Attributes:
        texts: Its name and sentences, as they are embedded.
        name: Cosine of its name with the topic.
        sentence: The same of the nearest of its sentences, of the name where it has none.
        covered: Share of the topic that it says, 0..1.
        named: Share of the topic that its name says, 0..1.
        near: How near it comes to what its name leaves over of the topic, 1 where nothing is left.
        rest: What its name leaves over, to be compared with `texts` instead; None where that
            decides nothing.
    """

    texts: tuple[str, ...]
    name: float
    sentence: float
    covered: float
    named: float
    near: float = 1.0
    rest: str | None = None

    def features(self, near: float) -> tuple[float, ...]:
        """The features in the order of `FEATURES`."""
        return (self.name, self.sentence, near, self.covered, self.named)


@dataclass(frozen=True, slots=True)
class Precedents:
    """What was found on a topic.

    Attributes:
        topic: The topic as read.
        matters: In time order.
        citations: Quotations of their steps, numbered in reading order.
        listings: Steps whose record has no text, numbered after the citations.
        more: Matters found beyond those shown.
        near: Where there are no matters: whether one came near enough for an ordinary search.
    """

    topic: str
    matters: tuple[Matter, ...]
    citations: tuple[Citation, ...]
    listings: tuple[Listing, ...]
    more: int = 0
    near: bool = False

    @property
    def lead(self) -> str:
        """One line over the matters: how many, in which order."""
        more = f"；另有 {self.more} 宗未列出，请把主题说得更具体" if self.more else ""
        first = self.matters[0]
        years = (
            f"，最早的一宗在{first.years[:4]}年" if len(self.matters) > 1 and first.years else ""
        )
        return f"主题“{self.topic}”检得 {len(self.matters)} 宗，按时间先后排列{years}{more}。"

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know when reading the chains; the same words whatever is hidden."""
        steps = [step for matter in self.matters for step in matter.steps]
        notes = [AS_WRITTEN]
        if any(step.missing for step in steps):
            notes.append(_MISSING)
        if any(step.guessed for step in steps):
            notes.append(_GUESSED)
        return tuple(notes)


class PrecedentFinder:
    """Finds matters on a topic over one index generation. Safe between threads."""

    def __init__(
        self,
        store: Store,
        passage_index: PassageIndex,
        retriever: Retriever,
        version: int,
    ) -> None:
        """Bind one generation; the catalogue is read when the first question comes.

        Args:
            store: The truth.
            passage_index: The generation searched.
            retriever: Ranks its passages.
            version: Version of the data the generation was opened with.
        """
        self._store = store
        self._index = passage_index
        self._retriever = retriever
        self._version = version
        self._shelf = TextShelf(store)
        self._lock = Lock()

    @cached_property
    def _built(self) -> MatterRegister:
        return MatterRegister(self._store.numbered_records())

    @property
    def register(self) -> MatterRegister:
        """The steps of the catalogue, read once."""
        with self._lock:
            return self._built

    def find(
        self,
        wanted: Topic,
        permitted: Permitted,
        *,
        calibrated: bool = True,
        excerpts: Callable[[], Sequence[Excerpt]] = tuple,
    ) -> Precedents:
        """The matters on a topic with their chains.

        Args:
            wanted: The topic as read.
            permitted: What the reader may see; nothing else is ever looked at.
            calibrated: Whether the weights were fitted with the embedding model in use.
            excerpts: Gives what answers the whole question, best first; asked for only when
                there are matters to quote from.

        Returns:
            The matters in time order; without any when none is truly on the topic.
        """
        topic, core, most = wanted.question, wanted.core, wanted.most
        near = False
        if wanted.numbers:
            found = self.by_number(wanted, permitted)
        else:
            weighed = self.candidates(topic, core, permitted, wanted.official)
            found = self._on_topic_of(weighed, core, calibrated=calibrated)
            near = any(c.odds >= _NEAR and not _leaves_much(c.features) for c in weighed)
            if any(c.place > 0 for c in found):
                found = [c for c in found if c.place > 0]
            elif topic.unknown_places:
                found = []
        found.sort(key=lambda c: -c.odds)
        drafts = [d for d in self._chains(found, permitted) if wanted.in_years(d)]
        if not drafts:
            return Precedents(topic.text, (), (), (), near=near)
        kinds = list(MatterKind)
        shown = sorted(
            drafts[:most], key=lambda d: (d.iso or "9", kinds.index(d.matter_id.kind), d.label)
        )
        spans: dict[str, list[Span]] = {}
        for excerpt in excerpts():
            own = spans.setdefault(excerpt.evidence.record.record_id, [])
            own.append(Span(excerpt.page, excerpt.start, excerpt.end))
        matters, citations, listings = self._numbered(shown, wanted, spans)
        return Precedents(topic.text, matters, citations, listings, len(drafts) - len(shown))

    def drafts_of(self, records: Sequence[Record], permitted: Permitted) -> list[Draft]:
        """The chains some records belong to, in the order of the records."""
        found: dict[MatterId, Candidate] = {}
        for record in records:
            entry = self.register.entry(record)
            for matter_id in matter_ids(entry, self._text, self.register, permitted):
                found.setdefault(matter_id, Candidate(matter_id)).seeds.append(entry)
        return self._chains(list(found.values())[:_RANKED], permitted)

    def drafts_on(
        self, wanted: Topic, permitted: Permitted, *, calibrated: bool = True
    ) -> list[Draft]:
        """The chains on a topic, likeliest first."""
        weighed = self.candidates(wanted.question, wanted.core, permitted, wanted.official)
        found = self._on_topic_of(weighed, wanted.core, calibrated=calibrated)
        return self._chains(sorted(found, key=lambda c: -c.odds), permitted)

    def passage_id(self, record: Record, span: Span) -> str:
        """Id of the passage a span of a record lies in."""
        return self._text(record).passage_id(span)

    def spans_of(self, step: DraftStep, draft: Draft) -> tuple[Span, ...]:
        """What to quote of a step beside its matter's name: the telling sentence, the results."""
        span = self._telling_span(step, draft.title, narrower=False)
        spans = [s for s in (span, *step.results[:2]) if s is not None]
        return tuple(dict.fromkeys(spans))

    # -- which matters ------------------------------------------------------------------------

    def by_number(self, wanted: Topic, permitted: Permitted) -> list[Candidate]:
        """Matters of the proposals a question names by number, in any session it allows."""
        found: dict[MatterId, Candidate] = {}
        for kind, number in wanted.numbers:
            for entry in self.register.numbered(kind, number, permitted):
                for key in entry.facts.proposals:
                    if (key.kind, key.number) != (kind, number) or not wanted.allows(key):
                        continue
                    matter_id = MatterId(MatterKind.PROPOSAL, key)
                    found.setdefault(matter_id, Candidate(matter_id)).seeds.append(entry)
        return list(found.values())

    def candidates(
        self,
        topic: Question,
        core: Question,
        permitted: Permitted,
        official: Question | None = None,
    ) -> list[Candidate]:
        """Matters the search leads to, likeliest first by the search, with their features.

        Compared in everyday words and in official terms; the better comparison counts.
        """
        found: dict[object, Candidate] = {}
        compared = (core,) if official is None else (core, official)
        self._index.encode_questions(
            [encoded_for(topic)[0], *((each.text, "topics") for each in compared)]
        )
        coverage = _Coverage(core, self._index.rarity)
        for item in self._retriever.retrieve(topic, permitted, _TOP_K, quoting=False):
            entry = self.register.entry(item.record)
            ids = matter_ids(entry, self._text, self.register, permitted)
            if entry.facts.role is None and not _KINDS.search(topic.form):
                # Bulletins, minutes, budget reports: steps of no chain, but they may tell of it.
                ids = [MatterId(MatterKind.RECORD, item.record.record_id)]
            lines: dict[MatterId, str] = {} if ids else self._listed(coverage, entry)
            for matter_id in [*ids, *lines]:
                candidate = found.setdefault((matter_id.kind, matter_id.key), Candidate(matter_id))
                candidate.evidence.append(item)
                if matter_id in lines and lines[matter_id] not in candidate.lines:
                    candidate.lines.append(lines[matter_id])
                if all(e.record.record_id != entry.record.record_id for e in candidate.seeds):
                    candidate.seeds.append(entry)
        ranked = list(found.values())[:_RANKED]
        for candidate in ranked:
            candidate.name = self._name(candidate, permitted)
            candidate.place = max(
                self._retriever.place_agreement(topic, e.record) for e in candidate.seeds
            )
        measured = self._measured(core, ranked)
        other = [] if official is None else self._measured(official, ranked)
        # One by one, what the names leave over took a call of the model each (docs/log.md).
        self._index.encode_questions(
            (m.rest, "topics") for m in (*measured, *other) if m.rest is not None
        )
        for candidate, measure in zip(ranked, measured, strict=True):
            candidate.features = self._features(measure)
            candidate.odds = _odds(candidate.features)
        for candidate, measure in zip(ranked, other, strict=False):
            features = self._features(measure)
            # Official terms are wide (看病难: 医疗卫生服务); the name must hold some of them.
            if features[-1] and (odds := _odds(features)) >= candidate.odds:
                candidate.features, candidate.odds = features, odds
        return ranked

    def _listed(self, coverage: _Coverage, entry: Entry) -> dict[MatterId, str]:
        """Numbered proposals that a list or report names in a line on the topic."""
        facts = entry.facts
        if facts.role not in (StepKind.ASSIGNMENT, StepKind.HANDLING_REPORT):
            return {}
        if facts.term is None or facts.committee:
            return {}
        text = self._text(entry.record)
        # A row of a list begins with its number; in a report the sentence names it.
        rows = [search_form(line).text for page in text.pages for line in page.raw.splitlines()]
        lines = [row for row in rows if re.match(r"(?:建议|议案)?第?\d{1,4}号", row)]
        lines += [sentence.form for _, sentence in text.sentences]
        motions = "议案" in entry.record.title and "建议" not in entry.record.title
        found: dict[MatterId, str] = {}
        for line in lines:
            numbers = set(re.findall(r"第(\d{1,4})号", line))
            if len(numbers) != 1 or coverage.share(line) < _LISTED:
                continue
            named = re.search(r"关于[^“”]{4,60}?的(建议|议案)", line)
            kind = named.group(1) if named else ("议案" if motions else "建议")
            key = proposal_key(facts.term, facts.sitting, kind, numbers.pop())
            if key is not None:
                found.setdefault(MatterId(MatterKind.PROPOSAL, key, facts.place), line)
        return found

    def _measured(self, core: Question, ranked: Sequence[Candidate]) -> list[_Measure]:
        """What candidates have of a topic; all texts are compared in one go."""
        units = [[(c.name, c.name), *self._units(c)] for c in ranked]
        flat = [embedded for own in units for _, embedded in own]
        cosines = self._index.similarity(core.text, flat, "topics")
        coverage = _Coverage(core, self._index.rarity)
        measured: list[_Measure] = []
        at = 0
        for candidate, own in zip(ranked, units, strict=True):
            mine = cosines[at : at + len(own)]
            at += len(own)
            shares = sorted((coverage.said(form) for form, _ in own[1:]), reverse=True)
            candidate.said = max(candidate.said, *shares[:1], 0.0)
            named = coverage.share(own[0][0])
            # Named once in passing is not the matter's topic: the second best line counts.
            covered = max([named, *shares[1:2], *map(coverage.share, candidate.lines)])
            texts = tuple(embedded for _, embedded in own)
            found = _Measure(texts, mine[0], max(mine[1:], default=mine[0]), covered, named)
            rest = _rest(core, candidate.name)
            if len(rest) > 1:
                # Encoding what is left over costs a model call: only where it can decide.
                decides = rest != core.form and _odds(found.features(1.0)) >= THRESHOLD
                found = replace(found, near=found.name, rest=rest if decides else None)
            measured.append(found)
        return measured

    def _features(self, measure: _Measure) -> tuple[float, ...]:
        """The features of a candidate, in the order of `FEATURES`."""
        if measure.rest is None:
            return measure.features(measure.near)
        near = max(self._index.similarity(measure.rest, measure.texts, "topics"))
        return measure.features(near)

    def _units(self, candidate: Candidate) -> list[tuple[str, str]]:
        """Sentences of a candidate's records, as written and as embedded, passages found first."""
        if candidate.lines:
            return [(line, line) for line in candidate.lines]
        spans = {
            (e.record.record_id, e.hit.passage.start, e.hit.passage.end) for e in candidate.evidence
        }
        inside: list[tuple[str, str]] = []
        outside: list[tuple[str, str]] = []
        for entry in candidate.seeds[:4]:
            text = self._text(entry.record)
            for page, sentence in telling_sentences(text):
                embedded = text.embedded[(page.seq, sentence.start)]
                at = page.start + sentence.start
                here = any(r == entry.record.record_id and a <= at < b for r, a, b in spans)
                (inside if here else outside).append((sentence.form, embedded))
        return list(dict.fromkeys(inside + outside))[:_SENTENCES]

    def _on_topic_of(
        self, weighed: Sequence[Candidate], core: Question, *, calibrated: bool
    ) -> list[Candidate]:
        """Those on the topic; papers outside any chain only where no chain is likelier."""
        found = [
            c for c in weighed if c.place >= 0 and self._on_topic(c, core, calibrated=calibrated)
        ]
        chained = [c for c in found if c.matter_id.kind is not MatterKind.RECORD]
        best = max((c.odds for c in chained), default=-math.inf)
        told = [c for c in found if c.matter_id.kind is MatterKind.RECORD and c.odds >= best]
        told.sort(key=lambda c: -c.features[1])
        return [*chained, *told[:_MOST_RECORDS]]

    @staticmethod
    def _on_topic(candidate: Candidate, core: Question, *, calibrated: bool) -> bool:
        named = dict(zip(FEATURES, candidate.features, strict=True))
        if not calibrated:
            return named["coverage"] >= _LEAST_COVERAGE
        if candidate.matter_id.kind is MatterKind.RECORD:
            return candidate.said >= _WHOLE and named["sentence_cosine"] >= _TELLS
        words = len(_topic_terms(core))
        if words >= _WORDS and named["coverage"] >= _WHOLE and named["sentence_cosine"] >= _SAYS:
            return True
        if _leaves_much(candidate.features):
            return False
        return candidate.odds >= THRESHOLD

    def _name(self, candidate: Candidate, permitted: Permitted) -> str:
        """The matter's name, search form: the proposal's title, the law, the subject."""
        matter_id, seeds = candidate.matter_id, candidate.seeds
        if matter_id.kind in (MatterKind.INSPECTION, MatterKind.WORK_REPORT):
            return str(matter_id.key).partition("@")[0]
        if matter_id.kind is MatterKind.LAW:
            return _OF_PLACE.sub("", str(matter_id.key))
        if matter_id.kind is MatterKind.RESOLUTION:
            title = search_form(seeds[0].record.title).text
            return title.rpartition("关于")[2] or title
        entries = list(seeds)
        if isinstance(matter_id.key, ProposalKey):
            entries += self.register.of_proposal(matter_id.key, permitted)
        for entry in entries:
            if entry.facts.role is StepKind.PROPOSAL:
                return re.sub(r"\(第?\d+号.{0,4}\)$", "", search_form(entry.record.title).text)
        for line in candidate.lines:
            if (match := re.search(r"关于.{4,60}?的(?:建议|议案)", line)) is not None:
                return match.group()
        for entry in entries:
            own = entry.facts.role in (StepKind.REPLY, StepKind.SECOND_REPLY, StepKind.SUPERVISION)
            if own and (span := proposed_title(self._text(entry.record))) is not None:
                return search_form(span.text).text
        if candidate.lines:
            return candidate.lines[0]
        return search_form(seeds[0].record.title).text

    # -- their chains -------------------------------------------------------------------------

    def _chains(self, found: Sequence[Candidate], permitted: Permitted) -> list[Draft]:
        def passages_with(terms: dict[str, float], most: int) -> list[Passage]:
            return self._index.passages_with(terms, permitted, most)

        builder = ChainBuilder(
            self.register, self._text, self._store.record, passages_with, permitted
        )
        drafts: list[Draft] = []
        records: set[frozenset[str]] = set()
        for candidate in found:
            draft = builder.build(candidate.matter_id, candidate.seeds)
            if draft is None:
                continue
            # A 议案 and the 建议 it was turned into lead to one chain, found from either end.
            shared = (StepKind.ASSIGNMENT, StepKind.HANDLING_REPORT, StepKind.MENTION)
            own = frozenset(
                s.record.record_id
                for s in draft.steps
                if s.record is not None and s.kind not in shared
            )
            if own and any(own <= other for other in records):
                continue
            records.add(own)
            drafts.append(draft)
        return drafts

    def _numbered(
        self, drafts: Sequence[Draft], wanted: Topic, excerpts: Mapping[str, Sequence[Span]]
    ) -> tuple[tuple[Matter, ...], tuple[Citation, ...], tuple[Listing, ...]]:
        """Cut the quotations and number the marks in reading order."""
        citations: list[Citation] = []
        numbers: dict[tuple[str, int, int, int], int] = {}
        bare: list[tuple[int, int, Record]] = []

        def number(record: Record, span: Span) -> int:
            key = (record.record_id, span.page.seq, span.start, span.end)
            if key not in numbers:
                text = self._text(record)
                numbers[key] = len(citations) + 1
                citations.append(
                    cite(
                        numbers[key],
                        record,
                        span.page,
                        text.page_count,
                        span.start,
                        span.end,
                        text.passage_id(span),
                    )
                )
            return numbers[key]

        coverage = _Coverage(wanted.core, self._index.rarity)
        matters: list[Matter] = []
        for m, draft in enumerate(drafts):
            # A number names no topic: then the matter's own name says what to look for.
            about = draft.title if wanted.numbers else wanted.core.text
            name = _OF_PLACE.sub("", search_form(draft.title).text.strip("《》"))
            narrower = not wanted.numbers and coverage.share(name) < _WHOLE
            steps: list[Step] = []
            for n, step in enumerate(draft.steps):
                if step.record is None:
                    steps.append(Step(step.kind, searched=step.searched))
                    continue
                span = self._telling_span(step, about, narrower=narrower)
                answering = excerpts.get(step.record.record_id, ())
                more: list[Span] = []
                if answering and step.kind in _BY_QUESTION and step.basis is not Basis.GUESS:
                    # The result stands first in a reply, unless something of it is asked for.
                    lead = [span] if step.kind in _REPLIES and span is not None else []
                    if wanted.bare:
                        ordered = [*lead, *(a for a in answering if not _within(a, lead))]
                    else:
                        ordered = [*answering, *(s for s in lead if not _within(s, answering))]
                    span, *more = ordered
                    more = more[: _EXCERPTS - 1]
                if step.kind is StepKind.PROPOSAL and span is not None:
                    who = proposer_span(self._text(step.record))
                    span, more = (who, [span]) if who is not None else (span, more)
                marker = 0 if span is None else number(step.record, span)
                if span is None:
                    bare.append((m, n, step.record))
                also = tuple(number(step.record, s) for s in more)
                results = tuple(number(step.record, s) for s in step.results if s != span)
                evidence = 0
                if step.evidence_span is not None:
                    page = step.evidence_span.page
                    cited = self._store.record(page.record_id)
                    if cited is not None:
                        evidence = number(cited, step.evidence_span)
                steps.append(
                    Step(
                        step.kind,
                        step.record,
                        marker,
                        also,
                        tuple(dict.fromkeys(results)),
                        step.date,
                        step.basis,
                        step.evidence,
                        evidence if evidence != marker else 0,
                        step.also,
                        iso=step.iso,
                    )
                )
            shared = () if wanted.numbers else _shared(wanted.core, draft.title)
            matters.append(
                Matter(
                    draft.matter_id.kind,
                    draft.title,
                    draft.label,
                    tuple(steps),
                    shared,
                    draft.years,
                )
            )
        listings: list[Listing] = []
        for m, n, record in bare:
            marker = len(citations) + len(listings) + 1
            listings.append(Listing(marker, record, (("日期", record.date),)))
            own = list(matters[m].steps)
            own[n] = replace(own[n], marker=marker)
            matters[m] = replace(matters[m], steps=tuple(own))
        return tuple(matters), tuple(citations), tuple(listings)

    def _telling_span(self, step: DraftStep, about: str, *, narrower: bool) -> Span | None:
        """What to quote: for replies and resolutions the sentence nearest to the topic.

        Papers of supervision are quoted so only where the topic is narrower than the matter;
        asked about as a whole they are shown by their own wording.
        """
        if step.record is None or step.basis is Basis.GUESS:
            return step.span
        if not (step.kind in _BY_TOPIC or (narrower and step.kind in _BY_NARROWER_TOPIC)):
            return step.span
        text = self._text(step.record)
        if step.kind in _REPLIES:
            sentences = result_sentences(text) or telling_sentences(text)
        elif step.kind is StepKind.PROPOSAL:
            sentences = demand_sentences(text)
        else:
            sentences = telling_sentences(text)
        if not sentences:
            return step.span
        cosines = self._index.similarity(
            about, [text.embedded[(page.seq, s.start)] for page, s in sentences], "topics"
        )
        page, best = sentences[max(range(len(cosines)), key=cosines.__getitem__)]
        return whole_point(text, page, best)

    def _text(self, record: Record) -> RecordText:
        return self._shelf.text(record, self._version)


def _within(span: Span, others: Sequence[Span]) -> bool:
    """Whether a span says nothing beyond one of the others."""
    return any(
        o.page.record_id == span.page.record_id
        and o.page.seq == span.page.seq
        and o.start <= span.start < o.end
        for o in others
    )


def _leaves_much(features: Sequence[float]) -> bool:
    """Whether what the name leaves of the topic is far from everything the matter says."""
    named = dict(zip(FEATURES, features, strict=True))
    return named["rest_cosine"] < _REST and named["name_coverage"] < _NAMED


def _odds(features: Sequence[float]) -> float:
    return INTERCEPT + sum(w * x for w, x in zip(WEIGHTS, features, strict=True))


_REPLIES: Final = frozenset({StepKind.REPLY, StepKind.SECOND_REPLY})
#: Steps whose content answers "how was it answered".
_BY_TOPIC: Final = frozenset({*_REPLIES, StepKind.PROPOSAL, StepKind.RESOLUTION, StepKind.RECORD})
#: Of those, the ones quoted by the whole question: a proposal's best match is its printed head.
_BY_QUESTION: Final = _BY_TOPIC - {StepKind.PROPOSAL}
_BY_NARROWER_TOPIC: Final = frozenset(
    {
        StepKind.INQUIRY,
        StepKind.WORK_REPORT,
        StepKind.INSPECTION,
        StepKind.REVIEW_OPINION,
        StepKind.FOLLOW_UP,
    }
)


def _topic_terms(core: Question) -> list[str]:
    pairs = [t for t in core.content_terms if len(t) > 1 or not is_han(t)]
    return pairs or list(core.content_terms)


class _Coverage:
    """How much of a topic texts hold: of its pairs, numbers and words, weighted by rarity."""

    def __init__(self, core: Question, rarity: Callable[[str], float]) -> None:
        """Bind a topic.

        Args:
            core: The topic as read.
            rarity: Rarity of a term in the holdings.
        """
        self._weights = {term: rarity(term) for term in _topic_terms(core)}
        self._total = sum(self._weights.values())
        self._held = TermFinder(self._weights)
        pairs = [t for run in core.content for t in lexical_tokens(run) if len(t) > 1]
        self._bridges = [
            (here, before, after)
            for before, here, after in zip(pairs, pairs[1:], pairs[2:], strict=False)
            if here in self._weights
        ]

    def share(self, form: str) -> float:
        """Share of the topic that a text holds, 0..1."""
        return self._share(self._held(form))

    def said(self, form: str) -> float:
        """The same for a sentence, where 审计查出问题整改 also says 审计整改.

        A pair over the border of two words counts when the pairs on both sides of it stand in the
        sentence near each other and in order.
        """
        held = self._held(form)
        bridged = {
            here
            for here, before, after in self._bridges
            if here not in held
            and before in form
            and after in form
            and re.search(f"{re.escape(before)}.{{0,{_BRIDGE}}}{re.escape(after)}", form)
        }
        return self._share(held | bridged)

    def _share(self, held: AbstractSet[str]) -> float:
        if not self._total:
            return 0.0
        return sum(weight for term, weight in self._weights.items() if term in held) / self._total


def _rest(core: Question, name: str) -> str:
    """What of the topic a name leaves uncovered, character pairs taken together."""
    form = core.form
    there = set(lexical_tokens(name))
    keep = [True] * len(form)
    for i in range(len(form) - 1):
        if form[i : i + 2] in there:
            keep[i] = keep[i + 1] = False
    return "".join(c for c, kept in zip(form, keep, strict=True) if kept and c != " ")


def _shared(core: Question, title: str) -> tuple[str, ...]:
    """Longest runs of the topic that a title holds, in order."""
    form, name = core.form, search_form(title).text
    found: list[str] = []
    i = 0
    while i < len(form) - 1:
        j = i + 2
        if form[i:j] not in name or " " in form[i:j]:
            i += 1
            continue
        while j < len(form) and form[i : j + 1] in name:
            j += 1
        found.append(form[i:j].strip())
        i = j
    return tuple(dict.fromkeys(found))
