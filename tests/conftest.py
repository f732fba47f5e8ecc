"""What every test gets: no network, and holdings that are built once and kept between runs."""

from __future__ import annotations

import hashlib
import io
import ipaddress
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from hypothesis import settings as hypothesis_settings

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from index.settings import Settings

# Before any test module imports a heavy library.
os.environ.update(
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    DO_NOT_TRACK="1",
    GRADIO_ANALYTICS_ENABLED="False",
    TOKENIZERS_PARALLELISM="false",
)
for _name in [name for name in os.environ if name.startswith("CHADANG_")]:
    del os.environ[_name]

ROOT = Path(__file__).resolve().parent.parent
#: Kept between runs; `make clean` empties it.
CACHE = ROOT / ".cache" / "tests"

# Shared machines pause; a slow example is no failure.
hypothesis_settings.register_profile("chadang", deadline=None)
hypothesis_settings.load_profile("chadang")


def is_local(address: object) -> bool:
    """Whether a socket address stays on this machine."""
    if not isinstance(address, tuple):
        return True  # a path: AF_UNIX
    host = str(address[0])
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


class NetworkUsedError(AssertionError):
    """A test tried to leave the machine."""


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Refuse every connection and name look-up beyond this machine."""
    patch = pytest.MonkeyPatch()

    def guarded(name: str) -> None:
        original = getattr(socket.socket, name)

        def connect(self: socket.socket, address: Any) -> Any:
            if not is_local(address):
                raise NetworkUsedError(f"connection to {address!r}")
            return original(self, address)

        patch.setattr(socket.socket, name, connect)

    guarded("connect")
    guarded("connect_ex")
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in (None, "0.0.0.0", "::") and not is_local((name,)):
            raise NetworkUsedError(f"name look-up of {name!r}")
        return look_up(host, *rest, **named)

    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _examinations_end() -> Iterator[None]:
    """Wait for what a test left running: it would import modules in the middle of the next one."""
    yield
    for thread in threading.enumerate():
        if thread.name == "doctor":
            thread.join(timeout=60)


@pytest.fixture(scope="session", autouse=True)
def _chinese_font() -> Iterator[None]:
    """A font with Chinese characters, made here where the machine has none.

    Every glyph is the same box: pages can be drawn and places on them told, not read.
    """
    from index import fonts

    if fonts.font_file("") is not None:
        yield
        return
    folder = CACHE / "xdg" / "fonts"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / "font.lock"):
        font = folder / "SimSun-of-boxes.ttf"
        if not font.is_file():
            font.write_bytes(font_of_boxes())
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_DATA_HOME", str(folder.parent))
    fonts._installed.cache_clear()
    yield
    patch.undo()
    fonts._installed.cache_clear()


def font_of_boxes() -> bytes:
    """A TrueType font: a box for every CJK character and every full-width or Latin sign."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 700), (900, 700), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    box, nothing = pen.glyph(), TTGlyphPen(None).glyph()
    shown = (*range(0x21, 0x7F), *range(0x3001, 0x3020), *range(0x4E00, 0xA000),
             *range(0xFF01, 0xFF5F))  # fmt: skip
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "space", "box"])
    builder.setupCharacterMap({0x20: "space", 0x3000: "space", **dict.fromkeys(shown, "box")})
    builder.setupGlyf({".notdef": nothing, "space": nothing, "box": box})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "space": (500, 0), "box": (1000, 100)})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    written = io.BytesIO()
    builder.save(written)
    return written.getvalue()


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """The built-in model, unpacked once and kept between runs."""
    from index.builtin_model import find_data_file, unpack

    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / "models.lock"):
        return unpack(find_data_file(), CACHE / "models")


def _fingerprint() -> str:
    """A hash of everything that decides what ingesting the sample gives."""
    digest = hashlib.sha256()
    code = [p for part in ("index", "ingest") for p in (ROOT / part).rglob("*.py")]
    data = [p for p in (ROOT / "ingest/sample/holdings").rglob("*") if p.is_file()]
    for path in sorted([*code, *data]):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


@pytest.fixture(scope="session")
def sample_home(model_folder: Path) -> Path:
    """A home with the shipped sample taken in and indexed with the built-in model.

    Read it, never change it: it is kept between runs under `.cache/` until code or sample change.
    """
    from index.passage_index import build_index
    from index.settings import load_settings
    from index.store import Store
    from ingest.pipeline import ingest
    from ingest.sample import holdings_dir

    home = CACHE / f"sample-{_fingerprint()}"
    ready = home / "ready"
    with FileLock(CACHE / "sample.lock"):  # several test processes may want it at once
        if ready.is_file():
            return home
        for old in CACHE.glob("sample-*"):
            if old != home:
                shutil.rmtree(old, ignore_errors=True)
        home.mkdir(parents=True, exist_ok=True)
        models = home / "models"
        if not models.exists():
            models.symlink_to(model_folder.parent, target_is_directory=True)
        settings = load_settings(home, environment={})
        shutil.copytree(holdings_dir(), home / "sample", dirs_exist_ok=True)
        store = Store(settings.database_path, create=True)
        ingest(home / "sample", store, settings)
        build_index(store, settings)
        store.close()
        ready.touch()
    return home


@pytest.fixture(scope="session")
def sample_settings(sample_home: Path) -> Settings:
    """Settings of the sample home, all default."""
    from index.settings import load_settings

    return load_settings(sample_home, environment={})


@pytest.fixture(scope="session")
def sample_assistant(sample_settings: Settings) -> Assistant:
    """An assistant over the sample holdings with the built-in model."""
    from assistant.assistant import open_assistant

    return open_assistant(sample_settings)
