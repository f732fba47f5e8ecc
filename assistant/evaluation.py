"""Measure the read path on a question file; formulas as in ranx, file format in docs/evaluation.md."""

from __future__ import annotations

import json
import logging
import math
import os
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from assistant.assistant import Assistant
from assistant.domain import Answer, AssistantError, Refusal, Turn
from index.access import may_see_personal
from index.domain import Reader, Role

logger = logging.getLogger(__name__)

METRICS: Final = (
    "record_hit@1", "record_hit@5", "evidence", "quote_overlap", "verbatim", "right_record",
    "refusal_precision", "refusal_recall", "refusal_f1", "quoted_chars",
    "latency_ms_p50", "latency_ms_p95",
)  # fmt: skip
_SHARED_CHARS: Final = 20


@dataclass(frozen=True, slots=True)
class Case:
    """One question of a question file.

    Attributes:
        case_id: Its id.
        question: As typed.
        kind: fact, yesno, who, … unanswerable.
        gold: Record ids that answer it; empty when it must be refused.
        quotes: Exact source strings.
        must: Strings that must occur in the answer or its quotations.
        history: Earlier questions of the conversation, asked first.
        role: Role to ask in, empty for the run's own.
        absent: Names of records to answer as if the holdings had not got them.
    """

    case_id: str
    question: str
    kind: str
    gold: tuple[str, ...]
    quotes: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    role: str = ""
    absent: tuple[str, ...] = ()


@dataclass(slots=True)
class CaseResult:
    """What came of one question; `elsewhere` when another record than the absent one answers it."""

    case: Case
    refused: bool
    cited: list[str]
    quotes: list[str]
    ok: dict[str, bool]
    ms: float
    verbatim: int = 0
    right_record: int = 0
    error: str = ""
    elsewhere: bool = False


@dataclass(slots=True)
class EvaluationReport:
    """Figures in all and by kind, with the cases behind them."""

    meta: dict[str, Any]
    overall: dict[str, float | None]
    by_kind: dict[str, dict[str, float | None]]
    counts: dict[str, int]
    results: list[CaseResult] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The form `--json` writes."""
        return {
            "meta": self.meta,
            "overall": self.overall,
            "by_kind": self.by_kind,
            "questions": [
                {
                    "id": r.case.case_id,
                    "kind": r.case.kind,
                    "refused": r.refused,
                    "cited": r.cited,
                    "quotes": r.quotes,
                    "ok": r.ok,
                    "ms": round(r.ms, 1),
                    **({"error": r.error} if r.error else {}),
                }
                for r in self.results
            ],
        }

    def to_text(self) -> str:
        """A table for people."""
        lines = [
            f"提交 {self.meta['commit']}　模型 {self.meta['model']}　记录 {self.meta['records']} 件　"
            f"段落 {self.meta['passages']} 个　问题 {self.meta['questions']} 个",
            "",
        ]
        kinds = [*self.by_kind, "全部"]
        tables = {**self.by_kind, "全部": self.overall}
        lines.append("指标".ljust(20) + "".join(k.rjust(13) for k in kinds))
        lines.append("count".ljust(22) + "".join(str(self.counts[k]).rjust(13) for k in kinds))
        for metric in METRICS:
            cells = []
            for kind in kinds:
                value = tables[kind].get(metric)
                if value is None:
                    cells.append("–".rjust(13))
                elif metric.startswith(("latency", "quoted")):
                    cells.append(f"{value:.0f}".rjust(13))
                else:
                    cells.append(f"{value:.3f}".rjust(13))
            lines.append(metric.ljust(22) + "".join(cells))
        failed = [r for r in self.results if r.error]
        if failed:
            lines += ["", f"{len(failed)} 个问题出错（按答错计）："]
            lines += [f"  {r.case.case_id}：{r.error}" for r in failed[:10]]
        return "\n".join(lines)


def read_cases(path: Path, limit: int | None = None) -> list[Case]:
    """Read a question file.

    Raises:
        AssistantError: If it cannot be read; names the line.
    """
    cases: list[Case] = []
    for number, body in _json_lines(path):
        try:
            cases.append(
                Case(
                    case_id=str(body.get("id", number)),
                    question=str(body["question"]),
                    kind=str(body.get("kind", "fact")),
                    gold=tuple(map(str, body.get("gold") or ())),
                    quotes=tuple(map(str, body.get("quotes") or ())),
                    must=tuple(map(str, body.get("must") or ())),
                    history=tuple(
                        str(turn["q"] if isinstance(turn, Mapping) else turn)
                        for turn in body.get("history") or ()
                    ),
                    role=str(body.get("role", "")),
                )
            )
        except (KeyError, TypeError) as error:
            msg = f"{path} 第 {number} 行缺少字段 {error}。格式见 docs/evaluation.md。"
            raise AssistantError(msg) from error
        if limit is not None and len(cases) >= limit:
            break
    return cases


def _json_lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    rows: list[tuple[int, dict[str, Any]]] = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    body = json.loads(line)
                    if not isinstance(body, dict):
                        msg = f"{path} 第 {number} 行不是一个 JSON 对象。"
                        raise AssistantError(msg)
                    rows.append((number, body))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"读不了 {path}：{error}。请检查路径和编码（UTF-8）。"
        raise AssistantError(msg) from error
    except json.JSONDecodeError as error:
        msg = f"{path} 第 {len(rows) + 1} 行附近不是合法的 JSON：{error}。"
        raise AssistantError(msg) from error
    return rows


def evaluate(
    assistant: Assistant,
    questions: Path,
    reader: Reader,
    *,
    limit: int | None = None,
    change: Callable[[Sequence[Case]], Sequence[Case]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> EvaluationReport:
    """Ask every question of a file and score the answers.

    A question that fails with an error counts as wrong; nothing is dropped.

    Args:
        assistant: What is measured.
        questions: A question file.
        reader: In whose name; a case's own `role` goes before it.
        limit: Only the first so many questions.
        change: Turns the questions of the file into those to ask, see `assistant.swaps`.
        progress: Called with (done, total).
    """
    cases: Sequence[Case] = read_cases(questions, limit)
    if change is not None:
        cases = change(cases)
    if cases:  # the first question pays for lazy loading
        _ask(assistant, cases[0], reader)
    results: list[CaseResult] = []
    for case in cases:
        results.append(_score(assistant, case, reader))
        if progress is not None:
            progress(len(results), len(cases))
    kinds = list(dict.fromkeys(case.kind for case in cases))
    by_kind = {k: _summary([r for r in results if r.case.kind == k]) for k in kinds}
    counts = {k: sum(r.case.kind == k for r in results) for k in kinds} | {"全部": len(results)}
    stored = assistant.store.counts()
    meta = {
        "commit": commit(),
        "model": assistant.model,
        "generation": assistant.generation,
        "records": stored["records"],
        "passages": stored["passages"],
        "questions": len(cases),
        "role": str(reader.role),
        "machine": machine(),
    }
    return EvaluationReport(meta, _summary(results), by_kind, counts, results)


def _ask(
    assistant: Assistant, case: Case, reader: Reader
) -> tuple[Answer | Refusal | None, float, str]:
    if case.role:
        reader = Reader(Role(case.role), reader.name, reader.department)
    turns: list[Turn] = []
    try:
        for earlier in case.history:
            turns.append(Turn(earlier, assistant.ask(earlier, turns, reader)))
        absent = ids_of(assistant, case.absent) if case.absent else ()
        began = time.perf_counter()
        result = assistant.ask(case.question, turns, reader, absent=absent)
        return result, (time.perf_counter() - began) * 1000, ""
    except Exception as error:
        logger.exception("question %s failed", case.case_id)
        return None, 0.0, f"{type(error).__name__}: {error}"


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


def ids_of(assistant: Assistant, names: Sequence[str]) -> list[str]:
    """Record ids of the records a question file names by id, code or path."""
    wanted = set(names)
    return [r.record_id for r in assistant.store.records() if _names(r) & wanted]


def _names(record: Any) -> set[str]:
    return {record.record_id, record.catalogue_id, record.file_path, record.reference_code} - {""}


def _score(assistant: Assistant, case: Case, reader: Reader) -> CaseResult:
    result, ms, error = _ask(assistant, case, reader)
    if result is None:
        failed = dict.fromkeys(("record_hit@1", "record_hit@5", "evidence", "quote_overlap"), False)
        return CaseResult(case, False, [], [], failed | {"refusal": False}, ms, error=error)
    if isinstance(result, Refusal):
        ok = {"refusal": not case.gold}
        if case.gold:
            ok |= dict.fromkeys(
                ("record_hit@1", "record_hit@5", "evidence", "quote_overlap"), False
            )
        return CaseResult(case, True, [], [], ok, ms)
    records = list(
        dict.fromkeys(
            [c.record for c in result.citations]
            + [item.record for item in result.listings]
            + list(result.related)
        )
    )
    gold = set(case.gold)
    ok = {"refusal": bool(case.gold)}
    quotes = [c.quote for c in result.citations]
    verbatim = right = 0
    role = Role(case.role) if case.role else reader.role
    clear = may_see_personal(Reader(role)).allowed
    for citation in result.citations:
        page = assistant.store.page(citation.record.record_id, citation.page, clear=clear)
        verbatim += page is not None and page.raw[citation.start : citation.end] == citation.quote
        right += any(
            citation.quote in stored.raw
            for stored in assistant.store.pages(citation.record.record_id, clear=clear)
        )
    elsewhere = False
    if case.gold or case.absent:
        shown = _squeeze(
            "\n".join(
                [result.lead, *quotes, *result.notes]
                + [c.reference for c in result.citations]
                + [f"{i.record.title} {i.facts}" for i in result.listings]
            )
        )
        elsewhere = bool(case.absent and case.must) and all(_squeeze(m) in shown for m in case.must)
    if case.gold:
        ok["record_hit@1"] = bool(records) and bool(_names(records[0]) & gold)
        ok["record_hit@5"] = any(_names(r) & gold for r in records[:5])
        ok["evidence"] = all(_squeeze(must) in shown for must in case.must)
        if case.quotes:
            ok["quote_overlap"] = any(
                _shares(_squeeze(quote), _squeeze(gold_quote))
                for quote in quotes + [i.record.title for i in result.listings]
                for gold_quote in case.quotes
            )
    cited = [r.record_id for r in records]
    return CaseResult(case, False, cited, quotes, ok, ms, verbatim, right, elsewhere=elsewhere)


def _shares(quote: str, gold: str) -> bool:
    """Whether both share at least 20 characters in a row, or the quotation holds the whole."""
    if gold in quote:
        return True
    return any(
        gold[i : i + _SHARED_CHARS] in quote for i in range(max(0, len(gold) - _SHARED_CHARS + 1))
    )


def _summary(results: Sequence[CaseResult]) -> dict[str, float | None]:
    def share(values: Sequence[bool]) -> float | None:
        return sum(values) / len(values) if values else None

    answerable = [r for r in results if r.case.gold]
    quoted = [len(q) for r in results for q in r.quotes]
    figures: dict[str, float | None] = {
        name: share([r.ok[name] for r in answerable if name in r.ok])
        for name in ("record_hit@1", "record_hit@5", "evidence", "quote_overlap")
    }
    figures["verbatim"] = sum(r.verbatim for r in results) / len(quoted) if quoted else None
    figures["right_record"] = sum(r.right_record for r in results) / len(quoted) if quoted else None
    refused = [r for r in results if r.refused]
    unanswerable = [r for r in results if not r.case.gold and not r.elsewhere]
    right = sum(not r.case.gold for r in refused)
    precision = right / len(refused) if refused else None
    recall = right / len(unanswerable) if unanswerable else None
    figures["refusal_precision"] = precision
    figures["refusal_recall"] = recall
    figures["refusal_f1"] = (
        2 * precision * recall / (precision + recall) if precision and recall else None
    )
    per_answer = [sum(map(len, r.quotes)) for r in results if r.quotes]
    figures["quoted_chars"] = statistics.median(per_answer) if per_answer else None
    times = sorted(r.ms for r in results if not r.error)
    figures["latency_ms_p50"] = percentile(times, 50)
    figures["latency_ms_p95"] = percentile(times, 95)
    return figures


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile of an ascending sequence, None when it is empty."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share / 100 * len(ordered)) - 1)]


def commit() -> str:
    """Short commit of the code that runs, with `+` when the tree has changes."""
    folder = Path(__file__).resolve().parent.parent
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty=+"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "未知"
    return done.stdout.strip() or "未知"


def machine() -> str:
    """Processor count, architecture and system, for the record."""
    return f"{os.cpu_count()} 核 {platform.machine()} {platform.system()}"
