"""Serves the web application: one uvicorn process, Chinese messages."""

from __future__ import annotations

import errno
import logging
import os
import re
import socket
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Final

from index.errors import ArchiveError
from index.settings import Settings
from ui import strings
from ui.session import Asker

logger = logging.getLogger(__name__)

_ROOT_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_\-]+)+")


class ServeError(ArchiveError):
    """The web server cannot start; the message says what to do."""


def prepare_environment(settings: Settings) -> None:
    """Shut every door to the outside; must run before gradio is imported."""
    temporary = settings.home / "tmp" / "gradio"
    temporary.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        GRADIO_ANALYTICS_ENABLED="False",
        GRADIO_TEMP_DIR=str(temporary),
        HF_HUB_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        DO_NOT_TRACK="1",
    )
    # Gradio tries to import it around every step of a handler. Searching for what is not installed
    # took 25 ms of processor time for every question; told so, Python does not search.
    if find_spec("matplotlib") is None:
        sys.modules["matplotlib"] = None  # type: ignore[assignment]


def serve(
    settings: Settings,
    assistant: Asker | None = None,
    say: Callable[[str], None] = logger.info,
    examples: Sequence[str] = strings.EXAMPLE_QUESTIONS,
) -> None:
    """Serve the pages until interrupted.

    Args:
        settings: Settings in force; `host` and `port` say where.
        assistant: Answers the questions; opened from the settings when None.
        say: Receives the Chinese lines for the terminal (what to open, what to ask).
        examples: Questions suggested on the empty page and in the terminal.

    Raises:
        ServeError: If the address cannot be listened on, or `root_path` is no path; says what to do.
        SettingsError: If the settings contradict one another about who may come in.
        ArchiveError: If the holdings cannot be opened.
    """
    from ui.accounts import Accounts
    from ui.sign_in import Doorkeeper

    prepare_environment(settings)
    door = Doorkeeper(Accounts(settings), settings)
    # before the slow imports, so that a taken port is told at once
    listening = _listen(settings.text("host"), settings.number("port"))
    try:
        if assistant is None:
            from assistant.assistant import open_assistant

            opened = open_assistant(settings)
            opened.get_ready()
            assistant = opened

        import uvicorn

        from ui.app import build_app
        from ui.log_file import start_log_file

        start_log_file(settings)
        app = build_app(assistant, settings, examples, door)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who is behind a proxy is for `ui.sign_in` to judge
            root_path=_root_path(settings),
            timeout_graceful_shutdown=3,
        )
        for line in strings.ready_lines(_address(listening), tuple(examples)):
            say(line)
        if code := door.open_setup():
            for line in strings.setup_lines(_address(listening), code):
                say(line)
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


def _root_path(settings: Settings) -> str:
    """The path below which a reverse proxy shows the site, as ASGI has it.

    Raises:
        ServeError: If it is no path.
    """
    path = settings.text("root_path").strip().rstrip("/")
    if path and not _ROOT_PATH.fullmatch(path):
        msg = f"设置 root_path 的值“{path}”不是子路径。请写成 /archive 这样，以 / 开头，用字母、数字、- 和 _。"
        raise ServeError(msg)
    return path


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise ServeError(strings.port_taken(host, port)) from error
        raise ServeError(strings.cannot_listen(host, port, str(error))) from error
    return listening


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}/"
