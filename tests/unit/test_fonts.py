"""Where Chinese fonts are looked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from index import fonts
from tests.conftest import font_of_boxes


@pytest.fixture(autouse=True)
def _looked_for_anew() -> Iterator[None]:
    fonts._installed.cache_clear()
    yield
    fonts._installed.cache_clear()


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose only folder of fonts is the user's own, still empty."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folders = fonts._folders()
    monkeypatch.setattr(fonts, "_folders", lambda: [f for f in folders if tmp_path in f.parents])
    return tmp_path / "data" / "fonts"


def test_without_a_chinese_font_there_is_none(nowhere: Path) -> None:
    nowhere.mkdir(parents=True)
    (nowhere / "Vera.ttf").write_bytes(font_of_boxes())

    assert fonts.font_file("SimSun") is None


def test_a_font_in_the_users_own_folder_is_found(nowhere: Path) -> None:
    """This test ensures that a font needs no administrator."""
    nowhere.mkdir(parents=True)
    (nowhere / "SimHei.ttf").write_bytes(font_of_boxes())

    assert fonts.font_file("黑体") == nowhere / "SimHei.ttf"
    assert fonts.font_file("宋体") == nowhere / "SimHei.ttf"
