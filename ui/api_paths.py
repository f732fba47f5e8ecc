"""Where programs call, and how a request says that it is a program's."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

#: Nowhere else is a token looked for.
API_PATHS: Final = ("/api/v1", "/v1", "/mcp")


def site_path(scope: Scope) -> str:
    """The path of a request below the site's own root."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if root and path.startswith(f"{root}/") else path


def is_api_path(path: str) -> bool:
    """Whether programs call here."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in API_PATHS)


def bears_token(headers: Headers) -> bool:
    """Whether a request says who it is by a bearer token, be it good or not."""
    return headers.get("authorization", "")[:7].lower() == "bearer "
