"""The opening decisions of one home: picking records, deciding about them together, taking it back.

Decisions are only ever added. A wrong one is undone by another one, so that who opened what, when
and why can always be told.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from index.access import is_restricted, opened, restriction
from index.domain import Record
from index.errors import ArchiveError
from index.opening import OTHER, REASONS, Result, conflict
from index.store import Store, bump_opening
from index.text import matching_key, search_form

_LONGEST_TEXT: Final = 500
_LONGEST_NAME: Final = 60
_MOST_CODES: Final = 20_000


class OpeningError(ArchiveError):
    """A decision cannot be stored; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Records of a kind that law has published, as a start for a batch; a person still decides.

    Attributes:
        name: As people choose it.
        law: What to compare with before deciding, one Chinese phrase.
        types: A record type (文种) that holds one of these words belongs to it.
        title: Pattern for titles of records whose catalogue gives no type.
        needed: Word that has to be in the title all the same; empty for none.
    """

    name: str
    law: str
    types: tuple[str, ...]
    title: re.Pattern[str]
    needed: str = ""


#: Source:
#:     Rule R5 of the domain brief, section 3: what law has published already may be marked by type.
PRESETS: Final[tuple[Preset, ...]] = (
    Preset("法规", "立法法：地方性法规由发布公告公布", ("法规",),
           re.compile(r"^[^关对]{2,40}(?:条例|实施办法|议事规则)(?:（[^）]*）)?$")),
    Preset("公告", "公告本身即向社会发布", ("公告",), re.compile(r"公告(?:（[^）]*）)?$")),
    Preset("执法检查报告", "监督法：执法检查报告及其审议意见向社会公布", ("执法检查",),
           re.compile(r"执法检查.*报告$"), "报告"),
    Preset("审议意见", "监督法：审议意见向社会公布", ("审议意见",), re.compile(r"审议意见$")),
    Preset("研究处理情况", "监督法：研究处理情况的报告向社会公布", ("研究处理",),
           re.compile(r"研究处理(?:情况)?")),
    Preset("建议答复", "代表建议的答复依法公开，涉密、商业秘密、个人隐私的除外；请对照本地办法",
           ("建议答复",), re.compile(r"^对.*第[0-9〇零一二三四五六七八九十百]+号(?:建议|议案).*答复")),
)  # fmt: skip
#: Working papers around what is published; never in a preset.
_NOT_PUBLISHED: Final = re.compile(
    r"草案|征求意见|征询|讨论稿|修改稿|送审|审议结果|说明|请示|呈批|会签|底稿|方案|通知|报请|摘录|登记|汇总"
)


@dataclass(frozen=True, slots=True)
class Selection:
    """What to decide about; all that is given has to fit.

    Attributes:
        preset: Name of a `Preset`, empty for none.
        doc_type: Record type (文种), exactly; empty for any.
        first_year: First filing year, None for any.
        last_year: Last filing year, None for any.
        title: Words in the title, spelling and spaces aside; empty for any.
        state: `未开放`, `未审核`, `开放` or empty for any.
        codes: 档号, each for itself; empty for any.
    """

    preset: str = ""
    doc_type: str = ""
    first_year: int | None = None
    last_year: int | None = None
    title: str = ""
    state: str = ""
    codes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The selection as one line for people."""
        years = ""
        if self.first_year or self.last_year:
            years = f"{self.first_year or ''}—{self.last_year or ''}年"
            if self.first_year == self.last_year:
                years = f"{self.first_year}年"
        codes = f"档号 {len(self.codes)} 个" if self.codes else ""
        title = f"题名含“{self.title}”" if self.title else ""
        parts = (
            self.preset,
            self.doc_type and f"文种{self.doc_type}",
            years,
            title,
            self.state,
            codes,
        )
        return "，".join(part for part in parts if part) or "全部"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that a selection holds.

    Attributes:
        record: As it stands now, with an earlier decision laid over.
        catalogue: Opening mark of the catalogue, as written.
        open: Whether everybody may read it now.
        warnings: What an archivist has to know before opening it, Chinese phrases.
    """

    record: Record
    catalogue: str
    open: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be decided about.

    Attributes:
        candidates: In order of intake.
        unknown: 档号 that were asked for and are not stored.
        stamp: Changes when any of it does; see `OpeningDecisions.decide`.
    """

    candidates: tuple[Candidate, ...]
    unknown: tuple[str, ...]
    stamp: str


@dataclass(frozen=True, slots=True)
class Batch:
    """One decision about one or many records.

    Attributes:
        number: What people call it by.
        result: `Result` as text.
        reason: One of `REASONS`.
        note: Further words.
        decided_by: Who decided.
        decided: Day of the decision, ISO.
        entered_by: Who entered it (sign-in name or name).
        entered: ISO time.
        selection: How the records were picked, in words.
        undoes: Number of the decision this one takes back, None for none.
        count: Records.
        in_force: Records for which it is still the newest decision.
    """

    number: int
    result: str
    reason: str
    note: str
    decided_by: str
    decided: str
    entered_by: str
    entered: str
    selection: str
    undoes: int | None
    count: int
    in_force: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A decision and a catalogue that contradict each other."""

    record: Record
    batch: int
    result: str
    why: str


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a decision rests on.

    Attributes:
        result: What is decided.
        reason: One of `REASONS` of that result.
        decided_by: Who decided, by name.
        decided: Day of the decision, ISO.
        note: Further words; needed with the reason `其他`.
    """

    result: Result
    reason: str
    decided_by: str
    decided: str
    note: str = ""


class OpeningDecisions:
    """The decisions kept in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- picking ----------------------------------------------------------------------------------

    def preview(self, selection: Selection, without: Collection[str] = ()) -> Preview:
        """The records of a selection, with what to know about each.

        Args:
            selection: What to pick.
            without: Record ids to leave out.

        Raises:
            OpeningError: If the selection makes no sense; says which part.
        """
        fits = _matcher(selection)
        records = [r for r in self._store.records() if fits(r) and r.record_id not in without]
        marks = self._store.opening_marks()
        personal = self._with_personal(records)
        candidates = []
        for record in records:
            plain = record
            if record.record_id in marks:
                plain = self._store.catalogued(record.record_id) or record
            shown = "、".join(
                text.strip() for text in (plain.opening, plain.publicity) if text.strip()
            )
            candidates.append(Candidate(record, shown, opened(record), _warnings(record, personal)))
        found = {matching_key(r.record_id) for r in records}
        found |= {matching_key(record_id) for record_id in without}
        unknown = tuple(code for code in selection.codes if matching_key(code) not in found)
        return Preview(tuple(candidates), unknown, _stamp(self._store, records))

    def _with_personal(self, records: Sequence[Record]) -> frozenset[str]:
        wanted = {record.record_id for record in records}
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT DISTINCT r.record_id FROM pages p JOIN records r"
                " ON r.number = p.record_number WHERE p.personal != ''"
            ).fetchall()
        return frozenset(record_id for (record_id,) in rows if record_id in wanted)

    # -- deciding ---------------------------------------------------------------------------------

    def decide(
        self,
        selection: Selection,
        grounds: Grounds,
        *,
        entered_by: str,
        now: str,
        stamp: str = "",
        without: Collection[str] = (),
    ) -> Batch:
        """Decide about every record of a selection, all or none.

        Args:
            selection: What to pick.
            grounds: What is decided and why.
            entered_by: Who enters it.
            now: ISO time.
            stamp: `Preview.stamp` of what was looked at; empty to decide unseen.
            without: Record ids left out of the preview.

        Raises:
            OpeningError: If something is missing, no record fits, a 档号 is unknown, or the
                records are not those of the preview any more.
        """
        grounds = _checked(grounds, now)
        preview = self.preview(selection, without)
        if preview.unknown:
            named = "、".join(preview.unknown[:5])
            msg = f"馆藏里没有这些档号：{named}（共 {len(preview.unknown)} 个）。请改正后再登记。"
            raise OpeningError(msg)
        if not preview.candidates:
            msg = "没有符合条件的档案，没有登记。"
            raise OpeningError(msg)
        if stamp and stamp != preview.stamp:
            msg = "预览之后馆藏有变化，没有登记。请再看一次预览。"
            raise OpeningError(msg)
        rows = [(c.record.record_id, grounds.result.value) for c in preview.candidates]
        left_out = f"，除去 {len(without)} 件" if without else ""
        return self._add(
            grounds, rows, selection.words + left_out, entered_by, now, expected=preview.stamp
        )

    def undo(self, number: int, *, decided_by: str, note: str, entered_by: str, now: str) -> Batch:
        """Take a decision back: its records stand as before it, by another decision.

        Records that were decided about again since are left alone.

        Raises:
            OpeningError: If there is no such decision, nothing of it is in force any more, or a
                name or the reason is missing.
        """
        if not note.strip():
            msg = "请写明为什么撤销。"
            raise OpeningError(msg)
        grounds = Grounds(Result.WITHDRAWN, "改正错误", decided_by, now[:10], note)
        grounds = _checked(grounds, now)
        with self._store.reading() as db:
            known = db.execute(
                "SELECT 1 FROM opening_batches WHERE number = ?", (number,)
            ).fetchone()
            mine = db.execute(
                "SELECT number, record_id FROM opening_marks WHERE batch = ?"
                " AND number IN opening_newest ORDER BY number",
                (number,),
            ).fetchall()
            before = {
                record_id: db.execute(
                    "SELECT result FROM opening_marks WHERE record_id = ? AND number < ?"
                    " ORDER BY number DESC LIMIT 1",
                    (record_id, at),
                ).fetchone()
                for at, record_id in mine
            }
        if known is None:
            msg = f"没有第 {number} 号开放审核登记。全部见 chadang opening list。"
            raise OpeningError(msg)
        stored = [r for r in before if self._store.record_number(r) is not None]
        if not stored:
            msg = f"第 {number} 号登记已经没有生效中的档案，不用撤销。"
            raise OpeningError(msg)
        rows = [
            (r, Result.WITHDRAWN.value if before[r] is None else str(before[r][0])) for r in stored
        ]
        return self._add(grounds, rows, f"撤销第 {number} 号", entered_by, now, undoes=number)

    def _add(
        self,
        grounds: Grounds,
        rows: Sequence[tuple[str, str]],
        selection: str,
        entered_by: str,
        now: str,
        *,
        undoes: int | None = None,
        expected: str = "",
    ) -> Batch:
        with self._store.writing() as cursor:
            if expected and expected != _stamp_of(cursor.execute, [r for r, _ in rows]):
                msg = "登记的同时馆藏有变化，没有登记。请再看一次预览。"
                raise OpeningError(msg)
            cursor.execute(
                "INSERT INTO opening_batches (result, reason, note, decided_by, decided,"
                " entered_by, entered, selection, undoes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    grounds.result.value, grounds.reason, grounds.note, grounds.decided_by,
                    grounds.decided, entered_by.strip(), now, selection, undoes,
                ),
            )  # fmt: skip
            number = int(cursor.lastrowid or 0)
            for record_id, result in rows:
                record = self._store.catalogued(record_id)
                if record is None:
                    msg = f"{record_id} 已不在馆藏里，没有登记。请再看一次预览。"
                    raise OpeningError(msg)
                cursor.execute(
                    "INSERT INTO opening_marks (batch, record_id, result, opening, publicity,"
                    " title) VALUES (?, ?, ?, ?, ?, ?)",
                    (number, record_id, result, record.opening, record.publicity, record.title),
                )
            bump_opening(cursor)
        return next(batch for batch in self.batches() if batch.number == number)

    # -- looking back -----------------------------------------------------------------------------

    def batches(self) -> list[Batch]:
        """All decisions, the newest first."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT b.*, count(m.number), count(n.number) FROM opening_batches b"
                " LEFT JOIN opening_marks m ON m.batch = b.number"
                " LEFT JOIN opening_newest n ON n.number = m.number"
                " GROUP BY b.number ORDER BY b.number DESC"
            ).fetchall()
        return [Batch(*row) for row in rows]

    def records_of(self, number: int) -> list[tuple[str, str, bool]]:
        """(record id, result, whether still in force) of a decision, in its order."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT record_id, result, number IN opening_newest FROM opening_marks"
                " WHERE batch = ? ORDER BY number",
                (number,),
            ).fetchall()
        return [(str(r), str(result), bool(newest)) for r, result, newest in rows]

    def conflicts(self) -> list[Conflict]:
        """Records whose catalogue contradicts the newest decision; the stricter one holds."""
        found = []
        for record_id, mark in sorted(self._store.opening_marks().items()):
            record = self._store.catalogued(record_id)
            why = "" if record is None else conflict(record, mark)
            if record is not None and why:
                found.append(Conflict(record, mark.batch, mark.result.value, why))
        return found


def selection_of(body: Mapping[str, Any]) -> Selection:
    """A selection from what a page or command line gives: text, numbers, lists of text.

    Raises:
        OpeningError: If a part has the wrong form; says which.
    """

    def text(name: str) -> str:
        value = body.get(name) or ""
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            msg = "筛选条件写得不对，请重新填写。"
            raise OpeningError(msg)
        return value.strip()

    def year(name: str, heading: str) -> int | None:
        value = str(body.get(name) or "").strip()
        if not value:
            return None
        if not re.fullmatch(r"(?:18|19|20)[0-9]{2}", value):
            msg = f"{heading}写的是“{value[:20]}”，应是四位年份。"
            raise OpeningError(msg)
        return int(value)

    codes = body.get("codes") or ()
    if isinstance(codes, str):
        codes = codes.splitlines()
    if not isinstance(codes, Sequence) or not all(isinstance(code, str) for code in codes):
        msg = "档号要一行一个。"
        raise OpeningError(msg)
    if len(codes) > _MOST_CODES:
        msg = f"一次最多 {_MOST_CODES} 个档号，请分几次登记。"
        raise OpeningError(msg)
    return Selection(
        text("preset"), text("doc_type"), year("first_year", "起始年度"),
        year("last_year", "终止年度"), text("title"), text("state"),
        tuple(dict.fromkeys(code.strip() for code in codes if code.strip())),
    )  # fmt: skip


def _matcher(selection: Selection) -> Callable[[Record], bool]:
    preset = next((p for p in PRESETS if p.name == selection.preset), None)
    if selection.preset and preset is None:
        named = "、".join(p.name for p in PRESETS)
        msg = f"没有“{selection.preset}”这一类。可选：{named}。"
        raise OpeningError(msg)
    if selection.state not in ("", "未开放", "未审核", "开放"):
        msg = f"没有“{selection.state}”这种状态。可选：未开放、未审核、开放。"
        raise OpeningError(msg)
    first, last = selection.first_year, selection.last_year
    if first is not None and last is not None and first > last:
        msg = f"起始年度 {first} 晚于终止年度 {last}。"
        raise OpeningError(msg)
    if selection == Selection():
        msg = "请至少选一个条件（类别、文种、年度、题名、状态或档号），不能不加条件地全部登记。"
        raise OpeningError(msg)
    words = search_form(selection.title).text
    codes = {matching_key(code) for code in selection.codes}

    def fits(record: Record) -> bool:
        if codes and matching_key(record.record_id) not in codes:
            return False
        if selection.doc_type and record.doc_type.strip() != selection.doc_type:
            return False
        if (first or last) and record.year is None:
            return False
        if record.year is not None and not (first or 0) <= record.year <= (last or 9999):
            return False
        if words and words not in search_form(record.title).text:
            return False
        if selection.state and not _in_state(record, selection.state):
            return False
        return preset is None or _is_preset(record, preset)

    return fits


def _in_state(record: Record, state: str) -> bool:
    if state == "开放":
        return opened(record)
    if state == "未开放":
        return not opened(record)
    return not opened(record) and record.opening.strip() in ("", "未审核", "待审核")


def _is_preset(record: Record, preset: Preset) -> bool:
    if is_restricted(record) or _NOT_PUBLISHED.search(record.title):
        return False
    if record.doc_type.strip():
        fits = any(word in record.doc_type for word in preset.types)
        return fits and preset.needed in record.title
    return record.unit_level != "案卷" and preset.title.search(record.title) is not None


def _warnings(record: Record, personal: frozenset[str]) -> tuple[str, ...]:
    found = []
    if is_restricted(record):
        kind = restriction(record)
        found.append(f"限制利用{f'（{kind}）' if kind else ''}，登记为开放也不对外提供")
    if record.record_id in personal:
        found.append("含个人信息，对外遮盖")
    if any(heading == "开放标识（表中原样）" for heading, _ in record.extra):
        found.append("卷内有开放情况不同的件，整卷开放会连同它们的文字")
    return tuple(found)


def _checked(grounds: Grounds, now: str) -> Grounds:
    by, note = grounds.decided_by.strip(), grounds.note.strip()
    if not by:
        msg = "请写明由谁审核决定。"
        raise OpeningError(msg)
    if len(by) > _LONGEST_NAME or len(note) > _LONGEST_TEXT:
        msg = f"姓名不超过 {_LONGEST_NAME} 个字，说明不超过 {_LONGEST_TEXT} 个字。"
        raise OpeningError(msg)
    if grounds.reason not in REASONS[grounds.result]:
        named = "、".join(REASONS[grounds.result])
        msg = f"“{grounds.result.value}”的理由请从这些里选：{named}。"
        raise OpeningError(msg)
    if grounds.reason == OTHER and not note:
        msg = "理由选了“其他”，请在说明里写清楚。"
        raise OpeningError(msg)
    try:
        day = date.fromisoformat(grounds.decided.strip())
    except ValueError as error:
        msg = f"审核日期写的是“{grounds.decided[:20]}”，应写成 2026-11-23 这样。"
        raise OpeningError(msg) from error
    if day.isoformat() > now[:10]:
        msg = f"审核日期 {day.isoformat()} 还没有到。"
        raise OpeningError(msg)
    return Grounds(grounds.result, grounds.reason, by, day.isoformat(), note)


def _stamp(store: Store, records: Sequence[Record]) -> str:
    with store.reading() as db:
        return _stamp_of(db.execute, [record.record_id for record in records])


def _stamp_of(execute: Callable[[str], Any], record_ids: Sequence[str]) -> str:
    """A hash over the records and the version of the data they were looked at in."""
    row = execute("SELECT value FROM meta WHERE key = 'data_version'").fetchone()
    version = "0" if row is None else str(row[0])
    text = json.dumps([version, list(record_ids)], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def batch_json(batch: Batch) -> dict[str, Any]:
    """A decision for programs and pages."""
    return asdict(batch)


__all__ = [
    "PRESETS",
    "Batch",
    "Candidate",
    "Conflict",
    "Grounds",
    "OpeningDecisions",
    "OpeningError",
    "Preset",
    "Preview",
    "Selection",
    "batch_json",
    "selection_of",
]
