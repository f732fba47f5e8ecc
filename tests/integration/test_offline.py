"""Zero egress: the commands themselves, watched from inside every process they start."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]

#: Runs at the start of every Python process below: writes down each attempt to leave the machine.
WATCHER = """
import ipaddress, os, socket

def _tell(what, address):
    with open(os.environ["EGRESS_LOG"], "a", encoding="utf-8") as log:
        log.write(f"{what} {address!r}\\n")

def _local(host):
    if host in (None, "", b"", "localhost", b"localhost", "0.0.0.0", "::"):
        return True
    try:
        text = host.decode() if isinstance(host, bytes) else host
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False

def _watch(name):
    original = getattr(socket.socket, name)
    def watched(self, *arguments):
        address = arguments[-1]
        if isinstance(address, tuple) and not _local(address[0]):
            _tell(name, address)
            raise OSError("no network in this test")
        return original(self, *arguments)
    setattr(socket.socket, name, watched)

for name in ("connect", "connect_ex", "sendto"):
    _watch(name)

def _watch_names(name):
    original = getattr(socket, name)
    def watched(host, *rest, **named):
        if not _local(host):
            _tell(name, host)
            raise socket.gaierror("no network in this test")
        return original(host, *rest, **named)
    setattr(socket, name, watched)

for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
    _watch_names(name)
_tell("watching", os.getpid())
"""


class Watched:
    """Starts commands under the watcher and reads what it wrote down."""

    def __init__(self, folder: Path) -> None:
        hook = folder / "hook"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(WATCHER, encoding="utf-8")
        self.log = folder / "egress.log"
        # Nothing of ours that switches the network off: the product has to do that itself.
        ours = ("HF_", "TRANSFORMERS_", "GRADIO_", "DO_NOT_TRACK", "CHADANG_")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        path = os.pathsep.join([str(hook), str(ROOT)])
        self.environment = {**kept, "PYTHONPATH": path, "EGRESS_LOG": str(self.log)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "ui", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    def run(self, *arguments: str) -> str:
        process = self.start(*arguments)
        out, errors = process.communicate(timeout=400)
        assert process.returncode == 0, errors
        return out

    def attempts(self) -> list[str]:
        lines = self.log.read_text(encoding="utf-8").splitlines()
        assert any(line.startswith("watching") for line in lines), "the watcher did not run"
        return [line for line in lines if not line.startswith("watching")]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_the_watcher_sees_an_attempt(watched: Watched) -> None:
    program = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=watched.environment, capture_output=True, check=False
    )

    assert done.returncode != 0
    assert watched.attempts()


def test_ask_connects_to_nothing(watched: Watched, sample_home: Path) -> None:
    out = watched.run(
        "ask", "市人大常委会会议作出了哪些决定？", "--json", "--home", str(sample_home)
    )

    assert json.loads(out)["question"]
    assert watched.attempts() == []


def test_ingest_with_recognition_connects_to_nothing(watched: Watched, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    picture = Image.new("L", (1240, 600), 255)
    ImageDraw.Draw(picture).text((80, 80), "BUDGET 2023 REPORT 128.6", fill=0, font_size=60)
    picture.save(folder / "scan.png", dpi=(150, 150))
    (folder / "text.txt").write_text("会议决定批准预算。\n", encoding="utf-8")

    out = watched.run("ingest", str(folder), "--no-index", "--home", str(tmp_path / "home"))

    assert "新增 2 件" in out
    assert "识别 1 页" in out
    assert watched.attempts() == []


@pytest.mark.slow
def test_serve_connects_to_nothing(watched: Watched, sample_home: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = watched.start("serve", "--port", str(port), "--home", str(sample_home))
    try:
        page = b""
        for _ in range(240):
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
                    page = answer.read()
                break
            except OSError:
                time.sleep(0.5)

        assert "查档" in page.decode()
    finally:
        process.terminate()
        process.communicate(timeout=60)

    assert watched.attempts() == []
