"""Train `index/sentence_adapter.safetensors` on question files of your own.

    python -m tests.bench.train_sentence_adapter --home H --questions Q [Q …] --test T --out FILE

The questions are read, searched and their sentences gathered as when asked, over the home's own
index. Of the sentences compared with a question, those that hold one of its `quotes` draw it near,
the likest others push it away; the sentences' vectors stay as they are. What was learnt does best
added to the vector of the model as it is, which takes two passes for a question; so a second change
is taught to give that sum in one. Q and T are in the form of `chadang eval`. What ships was trained
on 3,259 questions over real documents, written for it, and 484 of CMRC 2018 trial
(docs/evaluation.md); both steps, three epochs each, took 21 minutes on two cores.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from assistant.assistant import Assistant, open_assistant
from assistant.evaluation import Case, ids_of, read_cases
from index.domain import Reader, Role
from index.settings import load_settings
from index.text import search_form, simplified
from tests.bench.train_query_adapter import Student, Vectors, train

_EPOCHS = 3
#: Of how many of the likest wrong sentences some are drawn for a question at a time.
_LIKEST = 40
#: The second step: rate, batch, and the factor of the learnt change it begins with, which lies
#: nearest to the sum.
_RATE, _BATCH, _BEGIN = 4e-4, 32, 0.6
#: Steepness of the shares it is to keep: log-odds per unit of cosine, as `assistant.excerpts` has.
_STEEP = 65.0
#: A whole short line inside a quotation, such as a heading, is no answer.
_LEAST = 8


@dataclass(slots=True)
class Example:
    """A question and the sentences compared with it, likest first; rows of one matrix."""

    text: str
    right: list[int]
    wrong: list[int]


def gather(assistant: Assistant, files: Sequence[Path], rows: dict[str, int]) -> list[Example]:
    """Examples of question files: no follow-ups, no counts, none whose answer was not compared.

    Args:
        assistant: Opened on the home.
        files: Question files.
        rows: Sentences as embedded and their rows; new ones are added.
    """
    live = assistant._live
    titles = {r.record_id: search_form(r.title).text for r in assistant.store.records()}
    permitted = assistant.store.permitted(Reader(Role.ARCHIVIST))
    compared: list[str] = []

    def listen(question: str, texts: Sequence[str]) -> list[float]:
        cosines = live.passage_index.similarity(question, texts)
        compared[:] = [texts[i] for i in np.argsort(cosines)[::-1]]
        return cosines

    live.finder._similarity = listen
    examples = []
    for case in [c for file in files for c in read_cases(file)]:
        if case.history or not case.gold or case.kind == "count":
            continue
        asked = assistant._read(live, simplified(case.question), permitted)
        live.finder.find(asked, live.retriever.retrieve(asked, permitted, 40))
        own = {titles[r] for r in ids_of(assistant, case.gold)}
        answers = [t for t in compared if _holds(t, case, own)]
        others = [t for t in compared if t not in set(answers)]
        if answers and others:
            right, wrong = (
                [rows.setdefault(t, len(rows)) for t in dict.fromkeys(texts)]
                for texts in (answers, others)
            )
            examples.append(Example(asked.text, right, wrong[:_LIKEST]))
    return examples


def _holds(embedded: str, case: Case, titles: set[str]) -> bool:
    title, _, sentence = embedded.partition("\n")
    body = re.sub(r"\s", "", sentence)
    quotes = [re.sub(r"\s", "", search_form(q).text) for q in case.quotes]
    return title in titles and any(q in body or (len(body) > _LEAST and body in q) for q in quotes)


def condense(
    student: Student,
    plain: Vectors,
    sentences: Vectors,
    examples: Sequence[Example],
    epochs: int = _EPOCHS,
) -> None:
    """Teach the change to give by itself what it gave added to the model as it is.

    Near as vectors, near in the shares of the sentences compared, and of the same height: cosines
    are compared across questions where a refusal is decided.

    Args:
        student: With the change learnt; changed in place.
        plain: Vectors of the examples by the model as it is, shape (n, d).
        sentences: Vectors of the sentences.
        examples: What was trained on.
        epochs: Times every question is seen.
    """
    sums = plain + student.encode([e.text for e in examples])
    wanted = torch.from_numpy(sums / np.linalg.norm(sums, axis=1, keepdims=True))
    for change in student.changes.values():
        change.dropout.p = 0.0
        with torch.no_grad():
            change.up *= _BEGIN
    weights = [p for c in student.changes.values() for p in (c.down, c.up)]
    learner = torch.optim.AdamW(weights, lr=_RATE, weight_decay=0.0)
    steps = epochs * math.ceil(len(examples) / _BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        learner, lambda step: min((step + 1) / 10, max(0.02, (steps - step) / steps))
    )
    chance = np.random.default_rng(0)
    student.model.eval()
    for _ in range(epochs):
        order = chance.permutation(len(examples))
        for first in range(0, len(order), _BATCH):
            rows = order[first : first + _BATCH]
            found = student.vectors([examples[i].text for i in rows])
            loss = 100 * (1 - (found * wanted[rows]).sum(1)).mean()
            for mine, taught, i in zip(found, wanted[rows], rows, strict=True):
                compared = torch.from_numpy(
                    sentences[examples[i].right + examples[i].wrong].astype(np.float32)
                )
                scores, should = _STEEP * (compared @ mine), _STEEP * (compared @ taught)
                shares = torch.softmax(should, 0)
                lost = torch.log_softmax(should, 0) - torch.log_softmax(scores, 0)
                height = 0.02 * ((scores - should) ** 2).mean()
                loss = loss + ((shares * lost).sum() + height) / len(rows)
            learner.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            learner.step()
            schedule.step()


def first_right(student: Student, vectors: Vectors, examples: Sequence[Example]) -> str:
    """Shares of questions whose answer is among the first 1, 2, 3 and 5 sentences."""
    ranks = []
    for vector, e in zip(student.encode([e.text for e in examples]), examples, strict=True):
        best = max(vectors[e.right] @ vector)
        ranks.append(1 + int((vectors[e.wrong] @ vector > best).sum()))
    shares = [sum(r <= k for r in ranks) / len(ranks) for k in (1, 2, 3, 5)]
    return " / ".join(f"{share:.3f}" for share in shares)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--questions", type=Path, nargs="+", required=True)
    parser.add_argument("--test", type=Path, nargs="*", default=[])
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    assistant = open_assistant(load_settings(options.home))
    rows: dict[str, int] = {}
    examples = gather(assistant, options.questions, rows)
    test = gather(assistant, options.test, rows)
    vectors = assistant._live.passage_index.sentence_vectors(list(rows))
    folder = next(assistant.settings.models_path.glob("built-in-*"))
    student = Student(folder)
    if test:
        print("before:", first_right(student, vectors, test), flush=True)
    asked = [(e.text, e.right) for e in examples]
    plain = student.encode([e.text for e in examples])
    train(student, vectors, asked, epochs=_EPOCHS, wrong=[e.wrong for e in examples])
    if test:
        print("learnt:", first_right(student, vectors, test), flush=True)
    condense(student, plain, vectors, examples)
    if test:
        print("after:", first_right(student, vectors, test), flush=True)
    student.save(options.out, f"{len(examples):,} questions and the sentences that answer them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
