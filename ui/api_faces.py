"""Puts the faces for programs on the application: /api/v1, /v1, /mcp and their gate."""

from __future__ import annotations

from fastapi import FastAPI

from index.domain import Reader
from index.settings import Settings
from ui.accounts import Accounts
from ui.api_gate import BearerToken
from ui.api_service import ApiService
from ui.api_tokens import ApiToken, ApiTokens
from ui.api_v1 import build_api_router
from ui.mcp import build_mcp_router
from ui.openai_api import build_openai_router
from ui.page_images import PageImages
from ui.rate_limit import RateLimit
from ui.session import Asker
from ui.usage import UseLog


def add_api(app: FastAPI, assistant: Asker, images: PageImages, uses: UseLog, version: str) -> None:
    """Add the routes; all of them call one `ApiService`."""
    service = ApiService(assistant, images, uses)
    app.include_router(build_api_router(service, version))
    app.include_router(build_openai_router(service))
    app.include_router(build_mcp_router(service))


def add_api_gate(app: FastAPI, settings: Settings, accounts: Accounts) -> None:
    """Add the layer that reads tokens. Added after (outside) any layer that knows sessions."""
    limit = RateLimit(settings.number("api_per_minute"), settings.number("api_burst"))

    def acted_for(token: ApiToken) -> Reader | None:
        """The reader of a token: its own, or its account's as long as that is what it was."""
        if not token.account or not accounts.any():
            return token.reader
        account = accounts.find(token.account)
        if account is None or not accounts.usable(account) or account.role is not token.role:
            return None
        return account.reader

    app.add_middleware(
        BearerToken, tokens=ApiTokens(settings.home), limit=limit, acted_for=acted_for
    )
