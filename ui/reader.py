"""Who is asking: the only place where a request becomes a `Reader`."""

from __future__ import annotations

from typing import Final

from starlette.requests import HTTPConnection

from index.domain import Reader, Role
from index.settings import Settings

#: Where a layer that has identified the caller (sign-in, API token, widget) leaves the `Reader`.
READER_KEY: Final = "chadang.reader"
#: Where the sign-in layer says whether the caller is the machine's own user, who needs no sign-in.
LOCAL_KEY: Final = "chadang.local"


#: Set where the sign-in layer let somebody through to an open page whom it cannot name.
NOBODY_KEY: Final = "chadang.nobody"


def current_reader(request: HTTPConnection | None, settings: Settings) -> Reader:
    """The reader behind a request.

    Whoever a layer in front has identified; otherwise, on a single machine, the one user named in
    the settings. Every route and every chat event asks here and nowhere else.

    Args:
        request: The HTTP request; None when Gradio has none to give.
        settings: The settings in force.

    Raises:
        RuntimeError: If nobody has signed in where people must: an open page has no reader, and
            must not take a stranger for the user of this machine.
    """
    if request is not None:
        identified = request.scope.get(READER_KEY)
        if isinstance(identified, Reader):
            return identified
        if request.scope.get(NOBODY_KEY):
            msg = "an open page asked for its reader"
            raise RuntimeError(msg)
    return Reader(
        role=Role(settings.text("role")),
        name=settings.text("user"),
        department=settings.text("department"),
    )


def history_owner(request: HTTPConnection | None, settings: Settings) -> str | None:
    """Whose conversations a request may see, None when it has none of its own.

    Whoever has signed in has their own; the one user of a machine without sign-in has one
    history; whoever was let in without a name (the public, an API client) has none.
    """
    identified = None if request is None else request.scope.get(READER_KEY)
    if isinstance(identified, Reader):
        return f"account:{identified.account}" if identified.account else None
    return "machine"
