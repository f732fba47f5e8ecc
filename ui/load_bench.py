"""Many people asking at once, on this machine: through the chat page's own path and the API.

The server runs in a process of its own over the home given, the callers here, all on loopback. What
is measured is what a reader waits for: the first line of the answer, then all of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from index.errors import ArchiveError
from index.settings import Settings
from ui.accounts import Accounts

_HOST: Final = "127.0.0.1"
#: The whole of one round may not take longer, seconds.
_LONGEST_S: Final = 180.0
_START_S: Final = 180.0
_WARM_UP: Final = 3


class BenchError(ArchiveError):
    """The load cannot be put on; the message says why."""


@dataclass(frozen=True, slots=True)
class Waited:
    """What one caller waited for, seconds since all began.

    Attributes:
        status: The line that says the search is on, None where there is none.
        first: The first words of the answer or refusal.
        whole: All of it.
        error: What went wrong, empty when nothing did; the times are 0 then.
    """

    status: float | None
    first: float
    whole: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """All callers of one path at once.

    Attributes:
        name: The path, for people.
        waited: What each caller waited.
        cpu_s: Processor time of the server meanwhile, seconds; None where it cannot be read. Unlike
            the waits it hardly depends on what else the machine does.
    """

    name: str
    waited: tuple[Waited, ...]
    cpu_s: float | None = None

    @property
    def errors(self) -> tuple[str, ...]:
        """What went wrong, one for each caller it went wrong for."""
        return tuple(w.error for w in self.waited if w.error)

    def lines(self) -> list[str]:
        """The figures, for people."""
        good = [w for w in self.waited if not w.error]
        lines = [f"{self.name}：{len(self.waited)} 人同时问，出错 {len(self.errors)}"]
        status = [w.status for w in good if w.status is not None]
        for name, values in (
            ("“正在检索”", status),
            ("答复的第一行", [w.first for w in good]),
            ("全部答复", [w.whole for w in good]),
        ):
            if values:
                lines.append(
                    f"  {name}：p50 {percentile(values, 50):.2f} 秒，"
                    f"p95 {percentile(values, 95):.2f} 秒，最慢 {max(values):.2f} 秒"
                )
        if self.cpu_s is not None:
            each = self.cpu_s / len(self.waited) * 1000
            lines.append(f"  服务进程用了 {self.cpu_s:.1f} CPU 秒，每问 {each:.0f} 毫秒")
        lines += [f"  ✗ {error}" for error in dict.fromkeys(self.errors)]
        return lines


def percentile(values: Sequence[float], share: int) -> float:
    """The smallest value that `share` per cent of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 100)
    return ordered[max(0, rank - 1)]


def run_load(
    settings: Settings, questions: Sequence[str], users: int, say: Callable[[str], None]
) -> list[Round]:
    """Start a server, ask, stop it.

    Args:
        settings: The home to ask. It is asked through a home of its own beside it, so that its use
            register gets no entries and its accounts are not needed.
        questions: At least one; callers take them in turn.
        users: Callers at once in each round.
        say: Receives what goes on, for people.

    Raises:
        BenchError: If the server does not start, or people sign in at this home: without sign-in its
            records would lie open to every program of the machine meanwhile.
    """
    if Accounts(settings).any():
        msg = "这个馆藏启用了登录，不能在这里压测：压测时的服务不用登录。请把馆藏复制一份（不带 accounts.sqlite3）再测。"
        raise BenchError(msg)
    log = settings.home / "cache" / "bench-load.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="chadang-load-") as folder:
        home = Path(folder)
        for name in ("chadang.sqlite3", "index", "models", "chadang.toml", "vocabulary.csv"):
            if (settings.home / name).exists():
                (home / name).symlink_to(settings.home / name)
        return _served(home, log, questions, users, say)


def _served(
    home: Path, log: Path, questions: Sequence[str], users: int, say: Callable[[str], None]
) -> list[Round]:
    port = _free_port()
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                sys.executable, "-m", "ui", "serve", "--home", str(home),
                "--host", _HOST, "--port", str(port), "--set", "api_per_minute=0",
                "--set", "llm_base_url=",
            ],
            stdout=output,
            stderr=output,
        )  # fmt: skip
        try:
            return asyncio.run(_rounds(port, server, log, questions, users, say))
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()


async def _rounds(
    port: int,
    server: subprocess.Popen[bytes],
    log: Path,
    questions: Sequence[str],
    users: int,
    say: Callable[[str], None],
) -> list[Round]:
    began = time.monotonic()
    while not await _ready(port):
        if server.poll() is not None or time.monotonic() - began > _START_S:
            msg = f"网页服务没有起来。原因见 {log}"
            raise BenchError(msg)
        await asyncio.sleep(0.3)
    say(f"网页服务已就绪（{time.monotonic() - began:.1f} 秒）。")
    page = await _Page.open(port)
    # The questions of a round are not asked before it: what a first asker waits is measured.
    rest = list(questions[2 * users :]) or list(questions[-_WARM_UP:])
    for question in rest[:_WARM_UP]:
        await page.ask(question, time.monotonic())
        await _ask_api(port, question, time.monotonic())
    rounds = []
    for number, (name, ask) in enumerate(
        (
            ("问答网页（排队、逐段送出）", page.ask),
            ("接口 /api/v1/ask（事件流）", lambda q, t: _ask_api(port, q, t)),
        )
    ):
        asked = [questions[(number * users + i) % len(questions)] for i in range(users)]
        start, used = time.monotonic(), _cpu_s(server.pid)
        waited = await asyncio.gather(*(_bounded(ask(question, start)) for question in asked))
        after = _cpu_s(server.pid)
        cpu_s = None if used is None or after is None else after - used
        rounds.append(Round(name, tuple(waited), cpu_s))
        for line in rounds[-1].lines():
            say(line)
    return rounds


async def _bounded(asking: Any) -> Waited:
    try:
        async with asyncio.timeout(_LONGEST_S):
            waited = await asking
            assert isinstance(waited, Waited)  # noqa: S101 - for the type checker
            return waited
    except TimeoutError:
        return Waited(None, 0, 0, f"{_LONGEST_S:.0f} 秒内没有答完")
    except (OSError, ValueError, KeyError, asyncio.IncompleteReadError) as error:
        return Waited(None, 0, 0, f"{type(error).__name__}：{error}")


# -- the two paths --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Page:
    """The chat page's steps, as its own script takes them."""

    port: int
    typed: int
    asked: int
    inputs: tuple[Any, ...]

    @staticmethod
    async def open(port: int) -> _Page:
        config = json.loads(await _body(port, "GET", "/app/config"))
        box = next(
            c["id"]
            for c in config["components"]
            if c.get("props", {}).get("elem_id") == "cd-question"
        )
        steps = config["dependencies"]
        typed = next(d["id"] for d in steps if [box, "submit"] in d["targets"])
        asked = next(d for d in steps if d["trigger_after"] == typed)
        values = {c["id"]: _initial(c) for c in config["components"]}
        inputs = tuple(values.get(number) for number in asked["inputs"])
        return _Page(port, typed, asked["id"], inputs)

    async def ask(self, question: str, start: float) -> Waited:
        session = {"session_hash": secrets.token_hex(6)}
        first = {"data": [question], "fn_index": self.typed, **session}
        await _body(self.port, "POST", "/app/gradio_api/run/predict", first)
        join = {"data": list(self.inputs), "fn_index": self.asked, **session}
        await _body(self.port, "POST", "/app/gradio_api/queue/join", join)
        status: float | None = None
        words: float | None = None
        path = f"/app/gradio_api/queue/data?session_hash={session['session_hash']}"
        async for line in _lines(self.port, "GET", path):
            if not line.startswith("data:"):
                continue
            event = json.loads(line[5:])
            now = time.monotonic() - start
            if event["msg"] == "process_generating" and words is None:
                if "cd-pending" in line:
                    status = now
                else:
                    words = now
            if event["msg"] == "process_completed":
                if not event.get("success", True):
                    return Waited(None, 0, 0, "网页报错")
                if "cd-pending" in line:
                    return Waited(None, 0, 0, "没有答复")
                return Waited(status, words if words is not None else now, now)
        return Waited(None, 0, 0, "连接断了")


def _initial(component: Mapping[str, Any]) -> Any:
    """What a component holds on a page just opened; the server keeps its states itself."""
    value = component.get("props", {}).get("value")
    return "" if value is None and component["type"] == "textbox" else value


async def _ask_api(port: int, question: str, start: float) -> Waited:
    status: float | None = None
    words: float | None = None
    body = {"question": question}
    headers = {"Accept": "text/event-stream"}
    async for line in _lines(port, "POST", "/api/v1/ask", body, headers):
        now = time.monotonic() - start
        if line == "event: stage" and status is None:
            status = now
        elif line == "event: answer":
            words = now
        elif line == "event: error":
            return Waited(None, 0, 0, "接口报错")
        elif line == "event: done" and words is not None:
            return Waited(status, words, now)
    return Waited(None, 0, 0, "连接断了")


# -- HTTP, as little of it as is needed -----------------------------------------------------------


async def _ready(port: int) -> bool:
    try:
        await _body(port, "GET", "/readyz")
    except (OSError, ValueError, asyncio.IncompleteReadError):
        return False
    return True


async def _body(port: int, method: str, path: str, body: Mapping[str, Any] | None = None) -> str:
    return "\n".join([line async for line in _lines(port, method, path, body)])


async def _lines(
    port: int,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[str]:
    """The lines of a response as they come; HTTP/1.0, so that they come unwrapped.

    Raises:
        ValueError: If the status is not 200.
        OSError: If the connection fails.
    """
    reader, writer = await asyncio.open_connection(_HOST, port, limit=2**26)
    try:
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        head = {
            "Host": f"{_HOST}:{port}",
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            **(headers or {}),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        writer.write(f"{method} {path} HTTP/1.0\r\n{lines}\r\n".encode() + content)
        await writer.drain()
        status = (await reader.readline()).split()[1:2]
        if status != [b"200"]:
            msg = f"{path.partition('?')[0]} 答 {(status or [b'?'])[0].decode('latin-1')}"
            raise ValueError(msg)
        while (await reader.readline()).strip():
            pass
        while line := await reader.readline():
            yield line.decode().rstrip("\r\n")
    finally:
        writer.close()


def _cpu_s(process: int) -> float | None:
    try:
        fields = (
            Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        )
    except (OSError, ValueError):
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((_HOST, 0))
        return int(free.getsockname()[1])


# -- where it was measured ------------------------------------------------------------------------


def machine() -> str:
    """The machine and what else it did, one line."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
        load = f"，负载 {os.getloadavg()[0]:.1f}"
    except OSError:
        load = ""
    return f"{model}，{os.cpu_count()} 核，Python {platform.python_version()}{load}"


def commit() -> str:
    """The commit the program runs from, or its version."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        done = subprocess.run(
            ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        if done.returncode == 0:
            return f"提交 {done.stdout.strip()}"
    except OSError:
        pass
    try:
        return f"版本 {version('chadang')}"
    except PackageNotFoundError:
        return "版本不明"
