"""Version of the recognition, known without loading it: part of restart keys and content hashes."""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec
from typing import Final

#: Raise it when preparation, order or retries change what comes out.
_RECIPE: Final = "2"


def ocr_engine() -> str:
    """The inference engine that will be used: `openvino` when installed, else `onnxruntime`."""
    return "openvino" if find_spec("openvino") is not None else "onnxruntime"


def ocr_name(engine: str) -> str:
    """Engine string stored with every page, e.g. `rapidocr 3.10.0 (onnxruntime 1.32.0)`."""
    return f"rapidocr {_version('rapidocr')} ({engine} {_version(engine)})"


def ocr_reader(dpi: int) -> str:
    """Restart key of recognised pages. The inference engine is left out: results agree."""
    return f"ocr-{_RECIPE}-{_version('rapidocr')}-{dpi}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "?"
