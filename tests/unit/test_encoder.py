"""Questions encoded one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.encoder import (
    _ADAPTER_FILE,
    _SENTENCE_ADAPTER_FILE,
    Compared,
    SentenceTransformerEncoder,
)

QUESTIONS = ("犬", "示例市养犬一户限养几只？", "GB/T 9704-2012", "老旧小区加装电梯" * 80)


@pytest.fixture(scope="module")
def encoder(model_folder: Path) -> SentenceTransformerEncoder:
    """The built-in model with its adapter for questions."""
    return SentenceTransformerEncoder(
        model_folder,
        "test",
        query_adapter=_ADAPTER_FILE,
        sentence_adapter=_SENTENCE_ADAPTER_FILE,
    )


@pytest.mark.parametrize("compared_with", ["passages", "sentences", "topics"])
def test_the_recorded_computation_is_that_of_the_model(
    encoder: SentenceTransformerEncoder, compared_with: Compared
) -> None:
    """This test ensures that one question gets the vector it gets among others.

    Of whatever length: a length built into the record would show here. The longest is cut alike.
    """
    assert all(encoder._single.values())
    alone = np.vstack([encoder.encode_queries([q], compared_with) for q in QUESTIONS])
    together = encoder.encode_queries(QUESTIONS, compared_with)

    assert np.allclose(np.linalg.norm(alone, axis=1), 1, atol=1e-5)
    assert (alone * together).sum(axis=1).min() > 0.999


@pytest.mark.parametrize("fails", ["raises", "differs"])
def test_a_model_that_cannot_be_recorded_is_used_as_it_is(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """This test ensures that a folder with modules of its own still answers."""
    import torch

    def refuse(*_: Any, **__: Any) -> Callable[..., Any]:
        if fails == "raises":
            msg = "no"
            raise RuntimeError(msg)
        return lambda features: torch.zeros(1, 384)

    monkeypatch.setattr(torch.jit, "trace", refuse)
    plain = SentenceTransformerEncoder(model_folder, "test")

    assert not any(plain._single.values())
    vector = plain.encode_queries(["示例市养犬一户限养几只？"])
    assert vector.shape == (1, plain.dim)
    assert np.isclose(np.linalg.norm(vector), 1, atol=1e-5)
