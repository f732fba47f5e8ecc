"""Train `index/sentence_adapter.safetensors` on question files of your own.

    python -m tests.bench.train_sentence_adapter --home H --questions Q [Q …] --test T --out FILE

The questions are read, searched and their sentences gathered as when asked, over the home's own
index. Of the sentences compared with a question, those that hold one of its `quotes` draw it near,
the likest others push it away; the sentences' vectors stay as they are. Q and T are in the form
of `chadang eval`. What ships was trained on 3,259 questions over real documents, written for it,
and 484 of CMRC 2018 trial (docs/evaluation.md); three epochs took 14 minutes on two cores.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.assistant import Assistant, open_assistant
from assistant.evaluation import Case, ids_of, read_cases
from index.domain import Reader, Role
from index.settings import load_settings
from index.text import search_form, simplified
from tests.bench.train_query_adapter import Student, Vectors, train

_EPOCHS = 3
#: Of how many of the likest wrong sentences some are drawn for a question at a time.
_LIKEST = 40
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
    train(student, vectors, asked, epochs=_EPOCHS, wrong=[e.wrong for e in examples])
    if test:
        print("after:", first_right(student, vectors, test), flush=True)
    student.save(options.out, f"{len(examples):,} questions and the sentences that answer them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
