"""Who is asking: the only place where a request becomes a `Reader`."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from index.domain import Reader, Role
from index.settings import Settings


def current_reader(request: HTTPConnection | None, settings: Settings) -> Reader:
    """The reader behind a request.

    On a single machine this is the one user named in the settings. Every route and every chat
    event asks here, so that sign-in can be added in this place only.

    Args:
        request: The HTTP request; None when Gradio has none to give.
        settings: The settings in force.
    """
    return Reader(
        role=Role(settings.text("role")),
        name=settings.text("user"),
        department=settings.text("department"),
    )
