"""Train `index/query_adapter.safetensors` again, or measure it by cross-validation.

    python -m tests.bench.train_query_adapter --questions Q --passages P --home H --out FILE
    python -m tests.bench.train_query_adapter --questions Q --passages P --home H --folds 3

`chadang eval --retrieval-only --home H --questions Q --passages P` must have been run before: it
keeps the vectors of the passages in the home, and they stay as they are. Only the encoder of
questions learns, by low-rank changes to its weights. Q has `question` and `gold` (passage ids).
Seven epochs over 1,235 questions took 12 minutes on one core.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from torch import nn

from assistant.evaluation import _json_lines
from assistant.retrieval_evaluation import _pool_settings, ranking_metrics
from index.builtin_model import DATA_SHA256, MODEL_NAME, find_data_file, unpack
from index.encoder import _use_bfloat16, open_encoder
from index.passage_index import _text_hash, embedded_text
from index.settings import load_settings
from index.store import Store

Vectors = npt.NDArray[np.float32]
Asked = tuple[str, list[int]]

_RANK, _ALPHA, _DROPOUT = 16, 32, 0.05
_EPOCHS, _BATCH, _HARD, _TEMPERATURE = 7, 32, 8, 0.02
#: At 2e-4 the questions it was trained on were found no better than others: it had not learnt yet.
_RATE = 6e-4
#: Longest question in tokens while training.
_TOKENS = 64


class Changed(nn.Module):
    """A linear layer with a low-rank change: W x + up (down x) alpha / rank.

    Source:
        LoRA (Hu et al., 2021).
    """

    def __init__(self, layer: nn.Linear) -> None:
        """Freeze the layer; the change begins as nothing."""
        super().__init__()
        self.layer = layer
        width = layer.in_features
        self.down = nn.Parameter(torch.randn(_RANK, width) / math.sqrt(width))
        self.up = nn.Parameter(torch.zeros(layer.out_features, _RANK))
        self.dropout = nn.Dropout(_DROPOUT)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Values of shape (…, in) to (…, out)."""
        change = self.dropout(values) @ self.down.T @ self.up.T
        result: torch.Tensor = self.layer(values) + change * (_ALPHA / _RANK)
        return result


class Student:
    """The encoder of questions with its changes."""

    def __init__(self, folder: Path) -> None:
        """Load the built-in model and put a change beside every linear layer."""
        self.model: Any = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        self.model.max_seq_length = _TOKENS
        self.model.requires_grad_(False)
        transformer = self.model[0].auto_model
        self.changes: dict[str, Changed] = {}
        for name, layer in list(transformer.named_modules()):
            if isinstance(layer, nn.Linear) and name.startswith("encoder."):
                parent, _, last = name.rpartition(".")
                self.changes[name] = Changed(layer)
                setattr(transformer.get_submodule(parent), last, self.changes[name])

    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors of questions, shape (n, d)."""
        features = self.model.preprocess([f"query: {text}" for text in texts])
        tensors = {name: value for name, value in features.items() if torch.is_tensor(value)}
        # Where the processor does not compute it, bfloat16 is imitated: five times slower.
        with torch.autocast("cpu", torch.bfloat16, enabled=_use_bfloat16("auto")):
            vectors = self.model(tensors)["sentence_embedding"]
        return nn.functional.normalize(vectors.float(), dim=1)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of any number of questions, without learning."""
        self.model.eval()
        with torch.inference_mode():
            parts = [self.vectors(texts[i : i + 64]) for i in range(0, len(texts), 64)]
        return torch.cat(parts).numpy()

    def save(self, path: Path, trained_on: str) -> None:
        """Write the changes as `index.encoder` reads them."""
        tensors = {}
        for name, change in self.changes.items():
            tensors[f"{name}.down"] = change.down.detach().half().contiguous()
            tensors[f"{name}.up"] = change.up.detach().half().contiguous()
        notes = {
            "format": "chadang-query-adapter-1", "base": f"{MODEL_NAME}:{DATA_SHA256[:12]}",
            "rank": str(_RANK), "alpha": str(_ALPHA), "trained_on": trained_on,
        }  # fmt: skip
        save_file(tensors, path, metadata=notes)


def train(
    student: Student,
    pool_vectors: Vectors,
    asked: Sequence[Asked],
    seed: int = 0,
    *,
    epochs: int = _EPOCHS,
    wrong: Sequence[Sequence[int]] | None = None,
) -> None:
    """Draw questions to their texts and away from the likest wrong ones.

    Args:
        student: Changed in place.
        pool_vectors: Vectors of the texts, shape (n, d).
        asked: Questions with the rows of the texts that answer them.
        seed: Of the order and the choices.
        epochs: Times every question is seen.
        wrong: Rows of likely wrong texts of each question; None looks for them every other epoch.
    """
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    weights = [p for c in student.changes.values() for p in (c.down, c.up)]
    learner = torch.optim.AdamW(weights, lr=_RATE, weight_decay=0.01)
    steps = epochs * math.ceil(len(asked) / _BATCH)
    warm = max(1, steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        learner, lambda s: min((s + 1) / warm, (steps - s) / max(1, steps - warm))
    )
    pool = torch.from_numpy(pool_vectors)
    hard = wrong
    for epoch in range(epochs):
        if wrong is None and epoch % 2 == 0:
            hard = _hardest(student.encode([text for text, _ in asked]), pool_vectors, asked)
        assert hard is not None
        student.model.train()
        order = chance.permutation(len(asked)).tolist()
        total = 0.0
        for at in range(0, len(order), _BATCH):
            rows = order[at : at + _BATCH]
            candidates = [int(chance.choice(asked[i][1])) for i in rows]
            for i in rows:
                drawn = chance.choice(hard[i], min(_HARD, len(hard[i])), replace=False)
                candidates += drawn.tolist()
            found = student.vectors([asked[i][0] for i in rows])
            scores = found @ pool[torch.tensor(candidates)].T / _TEMPERATURE
            # Another text that answers too is no wrong one.
            also = [
                [c != r and x in asked[i][1] for c, x in enumerate(candidates)]
                for r, i in enumerate(rows)
            ]
            scores = scores.masked_fill(torch.tensor(also), -1e4)
            loss = nn.functional.cross_entropy(scores, torch.arange(len(rows)))
            learner.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(weights, 1.0)
            learner.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        print(f"epoch {epoch + 1} of {epochs}, loss {total / len(asked):.3f}", flush=True)


def _hardest(vectors: Vectors, passages: Vectors, asked: Sequence[Asked]) -> list[list[int]]:
    """The hundred likest passages of each question that do not answer it."""
    rows = []
    for vector, (_, right) in zip(vectors, asked, strict=True):
        likest = np.argsort(-(passages @ vector), kind="stable")[: 100 + len(right)]
        rows.append([int(x) for x in likest if x not in right])
    return rows


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--passages", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    pool = _pool_settings(options.passages, load_settings(options.home, environment={}))
    store, encoder = Store(pool.database_path), open_encoder(pool)
    titles = {r.record_id: r.title for r in store.records()}
    hashes = {
        p.record_id: _text_hash(embedded_text(titles[p.record_id], p))
        for p, _ in store.iterate_passages()
    }
    kept = store.embeddings(list(hashes.values()), encoder.name)
    passages = np.stack([kept[h] for h in hashes.values()]).astype(np.float32)
    row = {record_id: n for n, record_id in enumerate(hashes)}
    bodies = [body for _, body in _json_lines(options.questions)]
    asked = [(str(b["question"]), [row[g] for g in b["gold"]]) for b in bodies]
    folder = unpack(find_data_file(None), pool.models_path)
    results: list[dict[str, float]] = []
    for fold in range(options.folds):
        student = Student(folder)
        train(student, passages, [a for n, a in enumerate(asked) if n % options.folds != fold])
        unseen = asked[fold :: options.folds]
        for vector, (_, right) in zip(student.encode([t for t, _ in unseen]), unseen, strict=True):
            likest = np.argsort(-(passages @ vector), kind="stable")[:100]
            results.append(ranking_metrics([str(x) for x in likest], {str(x) for x in right}))
        means = {name: sum(r[name] for r in results) / len(results) for name in results[0]}
        print(
            f"fold {fold + 1}:",
            {name: round(value, 4) for name, value in means.items()},
            flush=True,
        )
    if options.out:
        student = Student(folder)
        train(student, passages, asked)
        student.save(
            options.out, f"the {len(asked):,} questions of {options.questions.parent.name}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
