"""Questions encoded one by one and together."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from index.encoder import (
    _ADAPTER_FILE,
    _SENTENCE_ADAPTER_FILE,
    Ask,
    Compared,
    SentenceTransformerEncoder,
    _alike,
)
from index.errors import EncoderError

QUESTIONS = ("犬", "示例市养犬一户限养几只？", "GB/T 9704-2012", "老旧小区加装电梯" * 80)
WAYS: tuple[Compared, ...] = ("passages", "sentences", "topics")


@pytest.fixture(scope="module")
def encoder(model_folder: Path) -> SentenceTransformerEncoder:
    """The built-in model with its adapters for questions."""
    return SentenceTransformerEncoder(
        model_folder,
        "test",
        query_adapter=_ADAPTER_FILE,
        sentence_adapter=_SENTENCE_ADAPTER_FILE,
    )


@pytest.fixture(scope="module")
def merged(encoder: SentenceTransformerEncoder) -> dict[Compared, Any]:
    """For each way a model with its change written into its weights."""
    plain = encoder._model
    passages, sentences = (_merged(plain, f) for f in (_ADAPTER_FILE, _SENTENCE_ADAPTER_FILE))
    return {"passages": passages, "sentences": sentences, "topics": plain}


def _merged(plain: Any, adapter: Path) -> Any:
    model = copy.deepcopy(plain)
    with safe_open(str(adapter), "pt") as stored, torch.no_grad():
        scale = float(stored.metadata()["alpha"]) / float(stored.metadata()["rank"])
        for key in stored.keys():  # noqa: SIM118 - not a mapping
            if key.endswith(".down"):
                name = key.removesuffix(".down")
                up = stored.get_tensor(f"{name}.up").float()
                change = scale * up @ stored.get_tensor(key).float()
                model[0].auto_model.get_submodule(name).weight += change
    return model


def test_every_question_gets_the_vector_of_its_own_change(
    encoder: SentenceTransformerEncoder, merged: dict[Compared, Any]
) -> None:
    """This test ensures that rows encoded together are changed each in its own way.

    Of whatever length: a length built into the recorded computation would show here.
    """
    asks: list[Ask] = [(question, way) for question in QUESTIONS for way in WAYS]
    alone = np.vstack([encoder.encode_queries([ask]) for ask in asks])
    encoder.get_ready()
    together = encoder.encode_queries(asks)

    prompt = "query: "
    for row, (question, way) in enumerate(asks):
        model = merged[way]
        expected = model.encode([prompt + question], prompt="", normalize_embeddings=True)[0]
        assert together[row] @ expected > 0.9999, (question, way)
        assert alone[row] @ expected > 0.9999, (question, way)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert encoder._questions._run is not None


def test_the_ways_of_comparing_differ(encoder: SentenceTransformerEncoder) -> None:
    """This test ensures that the changes change something."""
    asks: list[Ask] = [(QUESTIONS[1], way) for way in WAYS]
    vectors = encoder.encode_queries(asks)

    assert (vectors @ vectors.T)[np.triu_indices(3, 1)].max() < 0.99


def test_the_layers_are_those_of_the_model(encoder: SentenceTransformerEncoder) -> None:
    """This test ensures that the changes cost no second copy of the weights."""
    own = {p.data_ptr() for p in encoder._model.parameters()}
    beside = [p for p in encoder._questions._whole.parameters() if p.data_ptr() not in own]

    assert not beside


@pytest.mark.parametrize("fails", ["raises", "differs"])
def test_a_model_that_cannot_be_recorded_is_used_as_it_is(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """This test ensures that a folder with modules of its own still answers."""

    def refuse(*_: Any, **__: Any) -> Callable[..., Any]:
        if fails == "raises":
            msg = "no"
            raise RuntimeError(msg)
        return lambda *_: torch.zeros(2, 384)

    monkeypatch.setattr(torch.jit, "trace", refuse)
    plain = SentenceTransformerEncoder(model_folder, "test")
    plain.get_ready()

    vectors = plain.encode_queries([(QUESTIONS[1], way) for way in WAYS])

    assert plain._questions._run is None
    assert vectors.shape == (3, plain.dim)
    # Without adapters all three are the model as it is.
    assert (vectors @ vectors.T).min() > 0.9999


def test_an_adapter_of_other_layers_is_refused(model_folder: Path, tmp_path: Path) -> None:
    """This test ensures that one adapter's change is never taken for another's."""
    half = tmp_path / "half.safetensors"
    with safe_open(str(_ADAPTER_FILE), "pt") as stored:
        tensors = {k: stored.get_tensor(k) for k in stored.keys() if "layer.0." in k}  # noqa: SIM118
        save_file(tensors, half, stored.metadata())

    with pytest.raises(EncoderError, match="same layers"):
        SentenceTransformerEncoder(
            model_folder, "test", query_adapter=_ADAPTER_FILE, sentence_adapter=half
        )


def test_short_texts_are_not_padded_to_long_ones() -> None:
    """This test ensures that a pass has texts of about one length, and every text is in one."""
    texts = ["犬" * n for n in (28, 4, 25, 5, 6, 8, 400)]

    assert [sorted(len(texts[i]) for i in group) for group in _alike(texts)] == [
        [4, 5, 6, 8],
        [25, 28],
        [400],
    ]
    assert [len(group) for group in _alike(["犬"] * 70)] == [32, 32, 6]
    assert _alike([]) == []
