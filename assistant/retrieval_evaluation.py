"""Measure search alone on passages and judged questions (`chadang eval --retrieval-only`)."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from assistant.domain import AssistantError
from assistant.evaluation import _json_lines, commit, machine, percentile
from assistant.gazetteer import Gazetteer
from assistant.question import read_question
from assistant.retrieval import dense_weight
from index.access import EVERYTHING
from index.domain import Page, Passage, Record
from index.encoder import Encoder, open_encoder
from index.passage_index import PassageIndex, SearchRequest, build_index
from index.settings import Settings, load_settings
from index.store import Store, passage_id

METRICS: Final = ("hit@1", "hit@5", "hit@10", "recall@10", "recall@100", "mrr@10", "ndcg@10")


@dataclass(slots=True)
class RetrievalReport:
    """Figures of a retrieval run."""

    meta: dict[str, Any]
    overall: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """The form `--json` writes."""
        return {"meta": self.meta, "overall": self.overall}

    def to_text(self) -> str:
        """A table for people."""
        head = (
            f"提交 {self.meta['commit']}　模型 {self.meta['model']}　段落 {self.meta['passages']} 个　"
            f"问题 {self.meta['questions']} 个"
        )
        rows = [f"{name.ljust(14)}{value:10.3f}" for name, value in self.overall.items()]
        return "\n".join([head, "", *rows])


def evaluate_retrieval(
    questions: Path,
    passages: Path,
    settings: Settings,
    *,
    limit: int | None = None,
    encoder: Encoder | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> RetrievalReport:
    """Rank a passage file for every judged question with the product's own search.

    The pool is kept in a home of its own below `settings.home`, so a second run starts at once
    and an interrupted one continues.

    Args:
        questions: JSONL with `question` and `gold` (passage ids).
        passages: JSONL with `id`, `text` and optionally `title`.
        settings: Model, weights and home.
        limit: Only the first so many questions.
        encoder: Model; None opens the one the settings name.
        progress: Called with (stage, done, total).

    Raises:
        AssistantError: If a file cannot be read.
    """
    encoder = encoder or open_encoder(settings)
    pool = _pool_settings(passages, settings)
    store = Store(pool.database_path, create=True)
    _fill(store, passages)

    def encoding(done: int, total: int) -> None:
        if progress is not None:
            progress("编码", done, total)

    build_index(store, pool, encoding, encoder, sentences=False)
    searcher = PassageIndex(store, pool, encoder)
    rows = [body for _, body in _json_lines(questions)][:limit]
    gazetteer = Gazetteer(())
    from datetime import datetime

    today = datetime.now().astimezone().date()
    vectors = encoder.encode_queries([(str(row["question"]), "passages") for row in rows])
    totals = dict.fromkeys(METRICS, 0.0)
    times: list[float] = []
    for done, (row, vector) in enumerate(zip(rows, vectors, strict=True), start=1):
        asked = read_question(str(row["question"]), gazetteer, today)
        request = SearchRequest(
            asked.text, asked.terms, dense_weight(asked), settings.number("candidates"), 0.0
        )
        began = time.perf_counter()
        hits = searcher.search_vector(vector, request, EVERYTHING, 100)
        times.append((time.perf_counter() - began) * 1000)
        ranked = [hit.passage.record_id for hit in hits]
        for name, value in ranking_metrics(ranked, {str(g) for g in row["gold"]}).items():
            totals[name] += value
        if progress is not None:
            progress("检索", done, len(rows))
    overall = {name: value / max(1, len(rows)) for name, value in totals.items()}
    times.sort()
    overall["latency_ms_p50"] = percentile(times, 50) or 0.0
    overall["latency_ms_p95"] = percentile(times, 95) or 0.0
    meta = {
        "commit": commit(),
        "model": encoder.name,
        "records": store.counts()["records"],
        "passages": len(searcher),
        "questions": len(rows),
        "machine": machine(),
    }
    return RetrievalReport(meta, overall)


def ranking_metrics(ranked: Sequence[str], gold: set[str]) -> dict[str, float]:
    """Measures of one ranking, binary relevance.

    Args:
        ranked: Ids, best first, without repeats.
        gold: Relevant ids, at least one.

    Source:
        ranx 0.3: hit rate, recall, mrr and ndcg (Järvelin and Kekäläinen, 2002) at a cut-off.
    """
    found = [item in gold for item in ranked]
    gains = sum(1 / math.log2(i + 2) for i, hit in enumerate(found[:10]) if hit)
    ideal = sum(1 / math.log2(i + 2) for i in range(min(10, len(gold))))
    first = next((i for i, hit in enumerate(found[:10]) if hit), None)
    return {
        "hit@1": float(any(found[:1])),
        "hit@5": float(any(found[:5])),
        "hit@10": float(any(found[:10])),
        "recall@10": sum(found[:10]) / len(gold),
        "recall@100": sum(found[:100]) / len(gold),
        "mrr@10": 0.0 if first is None else 1 / (first + 1),
        "ndcg@10": gains / ideal,
    }


def _pool_settings(passages: Path, settings: Settings) -> Settings:
    try:
        digest = hashlib.sha256(passages.read_bytes()).hexdigest()[:12]
    except OSError as error:
        msg = f"读不了段落文件 {passages}：{error}。请用 --passages 指明。"
        raise AssistantError(msg) from error
    flags = {name: settings.values[name] for name in settings.values}
    flags["builtin_model_file"] = settings.values["builtin_model_file"]
    return load_settings(settings.home / "retrieval" / digest, flags, environment={})


def _fill(store: Store, passages: Path) -> None:
    rows = _json_lines(passages)
    if store.counts()["records"] == len(rows):
        return
    records = []
    for number, body in rows:
        try:
            record_id, text = str(body["id"]), str(body["text"])
        except KeyError as error:
            msg = f"{passages} 第 {number} 行缺少字段 {error}。"
            raise AssistantError(msg) from error
        text = text.strip() or "（空）"
        record = Record(record_id=record_id, title=str(body.get("title", "")))
        page = Page(record_id, 1, text)
        passage = Passage(passage_id(record_id, 0, text), record_id, 0, len(text), text)
        records.append((record, (page,), (passage,), "passage"))
    store.replace_records(records)
