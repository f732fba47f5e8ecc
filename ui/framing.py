"""Who may put the widget into a page of theirs, and how a request that came that way is marked."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from index.settings import Settings

logger = logging.getLogger(__name__)

#: Where `ui.widget.WidgetPrefix` leaves the `Place` of a request that came through the frame.
PLACE_KEY: Final = "chadang.widget"

_ORIGIN: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.\-]+|\[[0-9a-f:]+\])(?::(?P<port>\d{1,5}))?/?"
)


@dataclass(frozen=True, slots=True)
class Place:
    """How a request came through the frame.

    Attributes:
        kind: `door` for the opening page and everything unknown below the prefix.
        session: Name of the session of kind `session`.
    """

    kind: Literal["door", "cookie", "session"]
    session: str = ""


def widget_origins(settings: Settings) -> tuple[str, ...]:
    """The sites that may frame the widget, as origins a browser would name; no wildcards."""
    origins = []
    for word in settings.text("widget_origins").split():
        found = _ORIGIN.fullmatch(word.lower())
        if found is None:
            logger.warning("widget_origins: %r is not the address of a site, left out", word)
            continue
        usual = {"http": "80", "https": "443"}[found["scheme"]]
        port = "" if found["port"] in (None, usual) else f":{found['port']}"
        origins.append(f"{found['scheme']}://{found['host']}{port}")
    return tuple(dict.fromkeys(origins))


def frame_ancestors(origins: tuple[str, ...]) -> str:
    """The `frame-ancestors` directive of everything in the frame; nobody when the list is empty."""
    return f"frame-ancestors {' '.join(origins) or chr(39) + 'none' + chr(39)}"


def host_names(addresses: str) -> set[str]:
    """Host names in a list of addresses or bare names, separated by spaces."""
    names = set()
    for word in addresses.split():
        try:
            name = urlsplit(word if "//" in word else f"//{word}").hostname
        except ValueError:
            name = None
        if name:
            names.add(name)
        else:
            logger.warning("site_names: %r is not a name or address, left out", word)
    return names
