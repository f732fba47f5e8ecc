"""Documentation that names code is checked against the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
NAMES = sorted(set(re.findall(r"`((?:index|ingest|assistant|ui)\.[\w.]+)`", GLOSSARY)))


def resolve(name: str) -> Any:
    """The module, class, function or field behind a dotted name."""
    parts = name.split(".")
    found: Any = importlib.import_module(".".join(parts[:2]))
    for part in parts[2:]:
        fields = getattr(found, "__dataclass_fields__", {})
        found = fields[part] if part in fields else getattr(found, part)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_code_word_of_the_glossary_exists(name: str) -> None:
    assert resolve(name) is not None


def test_the_glossary_covers_every_noun_of_the_domain() -> None:
    for module in ("index.domain", "assistant.domain"):
        domain = importlib.import_module(module)
        nouns = {
            name
            for name, value in vars(domain).items()
            if isinstance(value, type)
            and value.__module__ == module
            and not issubclass(value, Exception)
        }
        missing = {n for n in nouns if f"{module}.{n}" not in GLOSSARY} - {"TextSource"}

        assert missing == set()


def test_the_changelog_describes_this_version() -> None:
    version = re.search(r'(?m)^version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert version
    assert f"## [{version[1]}]" in changelog or "## [未发布]" in changelog


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs/decisions").glob("*.md")), ids=lambda p: p.name
)
def test_every_decision_has_its_four_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
    for part in ("Status", "Context", "Decision", "Consequences"):
        assert re.search(rf"(?m)^(## )?{part}\b", text), part


def test_every_page_stands_in_a_manual_by_its_name() -> None:
    from ui.frame import ACCOUNT, CHAT, PLACES

    manuals = "".join(f.read_text("utf-8") for f in sorted((ROOT / "docs/manual").glob("*.md")))

    missing = [p.name for p in PLACES if p.address not in (ACCOUNT, CHAT) and p.name not in manuals]
    assert missing == []


def test_pictures_are_shown_somewhere_and_small() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs/manual").glob("*.md")]
    shown = set(re.findall(r"images/([\w-]+\.png)", "".join(p.read_text("utf-8") for p in pages)))
    pictures = {f.name: f.stat().st_size for f in (ROOT / "docs/images").glob("*.png")}

    assert shown == set(pictures)
    assert max(pictures.values()) < 200_000
