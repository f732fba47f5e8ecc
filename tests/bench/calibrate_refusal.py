"""Fit the refusal weights again: `python -m tests.bench.calibrate_refusal --home H --questions Q`.

Every question is read, searched and cut into excerpts as when asked. Answerable questions are also
asked with one name changed and with their records left out (`assistant.swaps`); those must be refused. What the rules refuse by
themselves is left out. A logistic regression over `assistant.refusal.FEATURES` is fitted, its ten-fold
precision and recall on the questions as written are printed for several thresholds, and then the
weights to paste into `assistant/refusal.py`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.assistant import Assistant, open_assistant
from assistant.evaluation import ids_of, read_cases
from assistant.excerpts import choose
from assistant.question import Question, read_question
from assistant.refusal import FEATURES, Nearby, fitting, refusal_features, subjects_elsewhere
from assistant.swaps import hidden, swapped
from index.access import Permitted
from index.domain import Reader, Role
from index.settings import load_settings
from index.text import search_form

_FOLDS = 10


@dataclass(frozen=True, slots=True)
class Example:
    """One question with whether the holdings answer it."""

    case_id: str
    as_written: bool
    answerable: bool
    features: tuple[float, ...]


def features_of(
    assistant: Assistant, asked: Question, permitted: Permitted, must: Sequence[str] = ()
) -> tuple[float, ...] | None:
    """Features of the answer the assistant would weigh.

    None when the rules refuse before, or when what would be quoted holds all of `must`.
    """
    live = assistant._live
    evidence = live.retriever.retrieve(asked, permitted, 40)
    rarity = live.passage_index.rarity
    elsewhere = subjects_elsewhere(asked, assistant._view(permitted), rarity)
    nearby = Nearby(evidence, elsewhere, assistant.store.pages)
    excerpts = fitting(asked, live.finder.find(asked, evidence), nearby, rarity)
    if not excerpts:
        return None
    quoted = search_form("".join(e.form for e in choose(excerpts))).text
    if must and all(search_form(words).text in quoted for words in must):
        return None
    return refusal_features(asked, evidence, excerpts, rarity, nearby)


def collect(assistant: Assistant, questions: Path) -> list[Example]:
    """Examples of a question file as written, changed and with its records left out.

    No follow-ups, no counts.
    """
    gazetteer, today = assistant._live.gazetteer, dt.datetime.now().astimezone().date()
    cases = [c for c in read_cases(questions) if not c.history and c.kind != "count"]
    written = {c.case_id for c in cases}
    made = [*swapped(cases, gazetteer), *hidden(cases)]
    examples: list[Example] = []
    for case in [*cases, *(c for c in made if c.case_id not in written)]:
        gone = ids_of(assistant, case.absent) if case.absent else ()
        asked = read_question(
            case.question, gazetteer, today, vocabulary=assistant._vocabulary.vocabulary
        )
        permitted = assistant._permitted(Reader(Role.ARCHIVIST), gone)
        features = features_of(assistant, asked, permitted, case.must if case.absent else ())
        if features is not None:
            origin = case.case_id.partition("/")[0]
            examples.append(Example(origin, case.case_id in written, bool(case.gold), features))
    return examples


def fit(examples: list[Example], strength: float) -> tuple[Any, np.ndarray]:
    """A model on all examples and its ten-fold log-odds, folds by question."""
    from sklearn.linear_model import LogisticRegression

    values = np.array([e.features for e in examples])
    values_scaled = values / (values.std(0) + 1e-6)
    wanted = np.array([e.answerable for e in examples])
    # The questions as written weigh double against the made ones.
    weight = np.array([2.0 if e.as_written and not e.answerable else 1.0 for e in examples])
    fold = np.array([zlib.crc32(e.case_id.encode()) % _FOLDS for e in examples])
    odds = np.zeros(len(examples))
    for k in range(_FOLDS):
        train, test = fold != k, fold == k
        if test.any():
            model = LogisticRegression(C=strength, max_iter=3000)
            model.fit(values_scaled[train], wanted[train], sample_weight=weight[train])
            odds[test] = model.decision_function(values_scaled[test])
    model = LogisticRegression(C=strength, max_iter=3000)
    model.fit(values_scaled, wanted, sample_weight=weight)
    return (model.coef_[0] / (values.std(0) + 1e-6), model.intercept_[0]), odds


def main() -> None:
    """Collect, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--strength", type=float, default=0.1, help="inverse regularisation C")
    options = parser.parse_args()
    examples = collect(open_assistant(load_settings(options.home)), options.questions)
    (weights, intercept), odds = fit(examples, options.strength)
    written = np.array([e.as_written for e in examples])
    absent = np.array([not e.answerable for e in examples])
    for threshold in (-2.0, -1.0, -0.5, 0.0, 0.5):
        refused = (odds < threshold) & written
        right = int((refused & absent).sum())
        precision = right / max(1, int(refused.sum()))
        recall = right / max(1, int((absent & written).sum()))
        made = (odds < threshold)[~written].mean() if (~written).any() else 0.0
        sys.stdout.write(f"{threshold:5.1f} P {precision:.2f} R {recall:.2f} made {made:.2f}\n")
    for name, weight in zip(FEATURES, weights, strict=True):
        sys.stdout.write(f"{name:20s}{weight:9.3f}\n")
    sys.stdout.write(f"{'intercept':20s}{intercept:9.3f}\n")


if __name__ == "__main__":
    main()
