"""What the page of opening marks shows and does, apart from HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from index.access import opened
from index.domain import Reader
from index.opening import REASONS, Result
from index.opening_decisions import (
    PRESETS,
    Candidate,
    Grounds,
    OpeningDecisions,
    OpeningError,
    batch_json,
    selection_of,
)
from index.store import Store

#: Rows of each list the page shows; a decision is about all of them.
_ROWS: Final = 500
_MOST_LEFT_OUT: Final = 5_000

Body = dict[str, Any]


class OpeningPage:
    """Opening decisions of one home as the page sees them. Safe between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._decisions = OpeningDecisions(store)
        self.actions: Final[dict[str, Callable[[Body, Reader, str], Body]]] = {
            "preview": self._preview,
            "decide": self._decide,
            "undo": self._undo,
        }

    def state(self) -> dict[str, Any]:
        """Choices, decisions so far, conflicts with the catalogue."""
        records = self._store.records()
        types = Counter(record.doc_type.strip() for record in records)
        conflicts = self._decisions.conflicts()
        return {
            "presets": [{"name": p.name, "law": p.law} for p in PRESETS],
            "types": sorted(name for name in types if name),
            "reasons": {result.value: list(reasons) for result, reasons in REASONS.items()},
            "records": len(records),
            "open": sum(1 for record in records if opened(record)),
            "batches": [batch_json(b) for b in self._decisions.batches()[:_ROWS]],
            "conflicts": {
                "total": len(conflicts),
                "rows": [
                    {
                        "record": c.record.record_id, "title": c.record.title, "batch": c.batch,
                        "result": c.result, "why": c.why,
                    }
                    for c in conflicts[:_ROWS]
                ],
            },
        }  # fmt: skip

    def batch(self, number: int) -> dict[str, Any] | None:
        """The records of one decision, None when there is no such decision."""
        if not any(b.number == number for b in self._decisions.batches()):
            return None
        rows = self._decisions.records_of(number)
        return {
            "total": len(rows),
            "rows": [
                {
                    "record": record_id,
                    "title": "" if (r := self._store.record(record_id)) is None else r.title,
                    "result": result,
                    "in_force": in_force,
                }
                for record_id, result, in_force in rows[:_ROWS]
            ],
        }

    def _preview(self, body: Body, reader: Reader, now: str) -> Body:
        del reader, now
        preview = self._decisions.preview(selection_of(body), _left_out(body))
        return {
            "total": len(preview.candidates),
            "stamp": preview.stamp,
            "open": sum(1 for c in preview.candidates if c.open),
            "warned": sum(1 for c in preview.candidates if c.warnings),
            "unknown": list(preview.unknown[:_ROWS]),
            "rows": [_candidate_json(c) for c in preview.candidates[:_ROWS]],
        }

    def _decide(self, body: Body, reader: Reader, now: str) -> Body:
        if not (stamp := _text(body, "stamp")):
            msg = "请先预览，再登记。"
            raise OpeningError(msg)
        batch = self._decisions.decide(
            selection_of(body), _grounds(body), entered_by=reader.account or reader.name, now=now,
            stamp=stamp, without=_left_out(body),
        )  # fmt: skip
        return {
            "said": f"已登记第 {batch.number} 号：{batch.count} 件定为{batch.result}，立即生效。"
        }

    def _undo(self, body: Body, reader: Reader, now: str) -> Body:
        number = body.get("number")
        if not isinstance(number, int):
            msg = "请写明撤销第几号。"
            raise OpeningError(msg)
        batch = self._decisions.undo(
            number, decided_by=_text(body, "by"), note=_text(body, "note"),
            entered_by=reader.account or reader.name, now=now,
        )  # fmt: skip
        return {
            "said": f"已撤销第 {number} 号，{batch.count} 件恢复原状（记为第 {batch.number} 号）。"
        }


def _candidate_json(candidate: Candidate) -> dict[str, Any]:
    record = candidate.record
    return {
        "record": record.record_id,
        "title": record.title,
        "type": record.doc_type,
        "year": record.year,
        "open": candidate.open,
        "opening": record.opening.strip() or "未审核",
        "catalogue": candidate.catalogue,
        "batch": record.opening_decision,
        "warnings": list(candidate.warnings),
    }


def _grounds(body: Body) -> Grounds:
    result = _text(body, "result")
    if result not in set(Result):
        msg = f"请选审核结果：{'、'.join(Result)}。"
        raise OpeningError(msg)
    return Grounds(
        Result(result), _text(body, "reason"), _text(body, "by"), _text(body, "on"),
        _text(body, "note"),
    )  # fmt: skip


def _text(body: Body, name: str) -> str:
    value = body.get(name, "")
    return value if isinstance(value, str) else ""


def _left_out(body: Body) -> frozenset[str]:
    value = body.get("without", [])
    if not isinstance(value, list) or len(value) > _MOST_LEFT_OUT:
        msg = "去掉的件太多，请把条件写窄一些。"
        raise OpeningError(msg)
    return frozenset(item for item in value if isinstance(item, str))
