"""The pages of sign-in: /login, /setup, /account and /admin/users. Plain forms, no script needed.

Every form carries a token bound to the browser (and, once signed in, to the session). One-time
passwords are shown in the answer to the request that made them and nowhere else.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from assistant.register import Action
from index.access import ADMINISTRATORS, may_grant_roles, may_manage_users, may_see_users
from index.domain import Reader, Role
from index.errors import ArchiveError
from index.settings import Settings
from ui.accounts import Account, AccountError, SignedIn, SignInRefusedError, checked_account
from ui.api import not_available
from ui.frame import heading_html, page_html
from ui.gate import local_path
from ui.passwords import LONGEST, RULE, check_password, new_password
from ui.reader import READER_KEY, current_reader
from ui.sign_in import (
    ADDRESS_KEY,
    COOKIE,
    PRIVATE,
    SESSION_KEY,
    Doorkeeper,
    Mode,
    cookie,
    cookie_path,
    home_of,
    is_https,
    safe_next,
    session_token,
)
from ui.small_body import small_bytes
from ui.usage import Channel, Use, UseLog

logger = logging.getLogger(__name__)

_FORM_COOKIE: Final = "chadang_form"
_LONGEST_BODY: Final = 10_000

STALE: Final = "页面放得太久了，请再提交一次。"
BY_PROXY: Final = "本系统由单位的统一身份认证登录，请从单位门户进入。"
SIGNED_OUT: Final = "已退出登录。"
SETUP_WRONG: Final = "启用码不对。启用码显示在启动查档服务的那个终端里，每次启动都不同。"
SETUP_SPENT: Final = "启用码试错太多，已经作废。请重新启动查档服务，用新的启用码。"
SETUP_CLOSED: Final = (
    "还没有可用的系统管理员。请在服务器上运行 chadang users add 登录名 --role 系统管理员 --name 姓名，"
    "或把设置 sign_in 改成 accounts 后重新启动服务，按终端里的启用码开通。"
)
NO_SECURITY_ADMIN: Final = "现在没有可用的安全管理员，身份无人授予。请在服务器上运行 chadang users add 登录名 --role 安全管理员 --name 姓名。"
_DONE: Final = {
    "password": "密码已修改，其他地方的登录都已退出。",
    "elsewhere": "其他地方的登录都已退出。",
    "session": "那一处登录已退出。",
    "disabled": "账号已停用，登录都已退出。",
    "enabled": "账号已启用。",
    "unlocked": "已解除锁定。",
    "granted": "身份已授予。",
    "signed-out": "该账号的登录都已退出。",
}


class Forms:
    """Tokens of our own forms, so that another site cannot send one in a reader's name."""

    def __init__(self) -> None:
        """Make a key; tokens are good until the server stops."""
        self._key = secrets.token_bytes(32)

    def token(self, bound_to: str) -> str:
        """A new token; differs each time, so that compression gives nothing away."""
        nonce = secrets.token_hex(8)
        return f"{nonce}.{self._mac(nonce, bound_to)}"

    def fits(self, token: str, bound_to: str) -> bool:
        """Whether a token was made for this browser."""
        nonce, _, mac = token.partition(".")
        return bool(bound_to) and hmac.compare_digest(
            mac.encode(), self._mac(nonce, bound_to).encode()
        )

    def _mac(self, nonce: str, bound_to: str) -> str:
        return hmac.new(self._key, f"{nonce}:{bound_to}".encode(), hashlib.sha256).hexdigest()


def build_account_router(
    door: Doorkeeper, settings: Settings, version: str, uses: UseLog | None = None
) -> APIRouter:
    """The routes of sign-in and of the accounts.

    Args:
        door: Knows the accounts and how people come in.
        settings: Settings in force.
        version: Version of our static files, for their addresses.
        uses: Writes the use register; nothing is registered when None.
    """
    router = APIRouter()
    accounts = door.accounts
    forms = Forms()

    def noted(
        what: str, account: Account | None, detail: str, address: str, by: Reader | None = None
    ) -> None:
        _note(what, account, detail, address)
        if uses is not None:
            _register(uses, what, account, detail, address, by)

    def page(
        request: Request, title: str, body: str, *, status: int = 200, reader: Reader | None = None
    ) -> Response:
        content = page_html(
            settings, reader, version, address=local_path(request.scope).lstrip("/"), title=title,
            main_id="ac-main", scripts=("account.js",), styles=("account.css",), content=body,
        )  # fmt: skip
        response = HTMLResponse(content, status, headers=PRIVATE)
        if not cookie(request, _FORM_COOKIE):
            _set_cookie(response, request.scope, _FORM_COOKIE, _browser_id(request))
        return response

    def token(request: Request) -> str:
        return _hidden("form", forms.token(_bound(request)))

    def is_ours(request: Request, form: Mapping[str, str]) -> bool:
        return forms.fits(form.get("form", ""), _bound(request))

    def opened(request: Request, made: str, target: str) -> Response:
        response = RedirectResponse(target, 303, headers=PRIVATE)
        _set_cookie(response, request.scope, COOKIE, made)
        return response

    # -- signing in -------------------------------------------------------------------------

    def login_page(
        request: Request, *, said: str = "", account: str = "", wanted: str = "", status: int = 200
    ) -> Response:
        return page(request, "登录", _login(token(request), said, account, wanted), status=status)

    @router.get("/login")
    def login(request: Request, next: str = "", out: str = "") -> Response:  # noqa: A002
        mode = door.mode(request.scope)
        reader = _reader(request)
        if mode is Mode.LOCAL or reader is not None:
            home = "app/" if reader is None else home_of(reader.role)
            return RedirectResponse(safe_next(next) or home, 303, headers=PRIVATE)
        if mode is Mode.PROXY:
            return page(request, "登录", f"<h1>登录</h1><p>{BY_PROXY}</p>", status=403)
        if not accounts.any():
            return RedirectResponse("setup", 303, headers=PRIVATE)
        return login_page(request, said=SIGNED_OUT if out else "", wanted=safe_next(next))

    @router.post("/login")
    async def sign_in(request: Request) -> Response:
        form = await _form(request)
        if door.mode(request.scope) is not Mode.ACCOUNTS or form is None:
            return not_available()
        account, wanted = form.get("account", ""), safe_next(form.get("next", ""))
        if not is_ours(request, form):
            return login_page(request, said=STALE, account=account, wanted=wanted, status=403)
        address = _address(request)
        try:
            made = await run_in_threadpool(
                accounts.sign_in,
                account,
                form.get("password", ""),
                address,
                request.headers.get("user-agent", ""),
                session_token(request.scope),
            )
        except SignInRefusedError as error:
            await run_in_threadpool(noted, "sign-in failed", accounts.find(account), "", address)
            status = 429 if error.retry_s else 401
            return login_page(
                request, said=str(error), account=account, wanted=wanted, status=status
            )
        session = accounts.session(made)
        if session is None:  # disabled between the two
            return login_page(request, account=account, status=401)
        await run_in_threadpool(noted, "sign-in", session.account, "", address)
        role = session.account.role
        if session.must_change:
            target = "account"
        elif wanted and not (role in ADMINISTRATORS and wanted.startswith("app/")):
            target = wanted
        else:
            target = home_of(role)
        return opened(request, made, target)

    @router.post("/logout")
    async def sign_out(request: Request) -> Response:
        # Another site can neither read our token nor send JSON without asking the gate first.
        as_json = _media_type(request) == "application/json"
        form = {} if as_json else await _form(request)
        session = _session(request)
        if form is None or (session is not None and not as_json and not is_ours(request, form)):
            return not_available()
        if session is not None:
            await run_in_threadpool(accounts.sign_out, session_token(request.scope))
            await run_in_threadpool(noted, "sign-out", session.account, "", _address(request))
        response: Response = (
            JSONResponse({"next": "login?out=1"}, headers=PRIVATE)
            if as_json
            else RedirectResponse("login?out=1", 303, headers=PRIVATE)
        )
        response.delete_cookie(COOKIE, path=cookie_path(request.scope))
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    @router.get("/api/session")
    def alive(request: Request) -> Response:
        reader = current_reader(request, settings)
        signed_in = _session(request) is not None
        return JSONResponse({"name": reader.name, "signed_in": signed_in}, headers=PRIVATE)

    # -- the first start ----------------------------------------------------------------------

    def setup_page(
        request: Request,
        *,
        said: str = "",
        form: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        if door.setup is None:
            body = f"<h1>开通</h1><p>{escape(SETUP_CLOSED)}</p>"
            return page(request, "开通", body, status=403)
        if door.setup.spent:
            body = f"<h1>开通</h1><p>{escape(SETUP_SPENT)}</p>"
            return page(request, "开通", body, status=403)
        return page(request, "开通", _setup(token(request), said, form or {}), status=status)

    def is_set_up() -> bool:
        return accounts.has_active(Role.SYSTEM_ADMIN)

    @router.get("/setup")
    def setup(request: Request) -> Response:
        if door.mode(request.scope) is Mode.LOCAL:
            return RedirectResponse("app/", 303, headers=PRIVATE)
        if is_set_up():
            return RedirectResponse("login", 303, headers=PRIVATE)
        return setup_page(request)

    @router.post("/setup")
    async def first_accounts(request: Request) -> Response:
        form = await _form(request)
        if form is None or door.mode(request.scope) is Mode.LOCAL:
            return not_available()
        if is_set_up() or door.setup is None:
            return RedirectResponse("login", 303, headers=PRIVATE)
        if not is_ours(request, form):
            return setup_page(request, said=STALE, form=form, status=403)
        if not door.setup.matches(form.get("code", "")):
            logger.warning("a wrong setup code was tried from %s", _address(request))
            return setup_page(request, said=SETUP_WRONG, form=form, status=403)
        if not door.setup.use_up():
            return RedirectResponse("login", 303, headers=PRIVATE)
        try:
            made = await run_in_threadpool(_make_first, door, form)
        except ArchiveError as error:
            door.setup.give_back()
            return setup_page(request, said=str(error), form=form, status=422)
        for account, _ in made:
            await run_in_threadpool(
                noted, "account added at setup", account, account.role.value, _address(request)
            )
        return page(request, "开通", _set_up(made))

    # -- one's own account --------------------------------------------------------------------

    def account_page(
        request: Request, session: SignedIn, *, said: str = "", wrong: str = "", status: int = 200
    ) -> Response:
        up = "" if request.method == "GET" else "../"
        sessions = accounts.sessions(session.account.account)
        body = _account_page(session, sessions, token(request), said, wrong, up)
        reader = None if session.must_change else session.account.reader
        return page(request, "我的账号", body, status=status, reader=reader)

    @router.get("/account")
    def own(request: Request, done: str = "") -> Response:
        session = _session(request)
        if session is not None:
            return account_page(request, session, said=_DONE.get(done, ""))
        reader = _reader(request)
        if reader is None or not reader.account:
            return not_available()
        return page(request, "我的账号", _sso_page(reader), reader=reader)

    @router.post("/account/{action}")
    async def change(request: Request, action: str) -> Response:
        session = _session(request)
        form = await _form(request)
        if session is None or form is None or action not in ("password", "elsewhere", "session"):
            return not_available()
        if not is_ours(request, form):
            return account_page(request, session, wrong=STALE, status=403)
        account, address = session.account.account, _address(request)
        agent = request.headers.get("user-agent", "")
        if action == "session":
            await run_in_threadpool(accounts.end_session, account, form.get("session", ""))
            await run_in_threadpool(noted, "session ended", session.account, "", address)
            return RedirectResponse("../account?done=session", 303, headers=PRIVATE)
        if action == "elsewhere":
            await run_in_threadpool(accounts.end_other_sessions, account, session.session_id)
            await run_in_threadpool(noted, "signed out elsewhere", session.account, "", address)
            return RedirectResponse("../account?done=elsewhere", 303, headers=PRIVATE)
        if form.get("new", "") != form.get("again", ""):
            return account_page(request, session, wrong="两次输入的新密码不一样。", status=422)
        try:
            made = await run_in_threadpool(
                accounts.change_password, account, form.get("old", ""), form.get("new", ""),
                address, agent,
            )  # fmt: skip
        except SignInRefusedError as error:
            await run_in_threadpool(noted, "password change failed", session.account, "", address)
            wrong = str(error) if error.retry_s else "原密码不对。"
            return account_page(request, session, wrong=wrong, status=401)
        except ArchiveError as error:
            return account_page(request, session, wrong=str(error), status=422)
        await run_in_threadpool(noted, "password changed", session.account, "", address)
        return opened(request, made, "../account?done=password")

    # -- everybody's accounts -----------------------------------------------------------------

    def users_page(
        request: Request,
        reader: Reader,
        *,
        said: str = "",
        wrong: str = "",
        form: Mapping[str, str] | None = None,
        status: int = 200,
        up: str = "../",
    ) -> Response:
        people = accounts.people()
        locked = {person.account for person in people if accounts.locked(person.account)}
        body = _users(reader, people, locked, settings, token(request), said, wrong, form or {}, up)
        return page(request, "用户管理", body, status=status, reader=reader)

    @router.get("/admin/users")
    def users(request: Request, done: str = "") -> Response:
        reader = current_reader(request, settings)
        if not may_see_users(reader).allowed:
            return not_available()
        return users_page(request, reader, said=_DONE.get(done, ""))

    actions: dict[str, Callable[[Reader, Mapping[str, str]], str | tuple[str, str]]] = {
        "add": lambda reader, form: _add(door, reader, form),
        "reset": lambda reader, form: _reset(door, reader, form),
        "disable": lambda reader, form: _disable(door, reader, form),
        "enable": lambda reader, form: _enable(door, reader, form),
        "sign-out": lambda reader, form: _sign_out(door, reader, form),
        "grant": lambda reader, form: _grant(door, reader, form),
        "unlock": lambda reader, form: _unlock(door, reader, form),
    }

    @router.post("/admin/users/{action}")
    async def act(request: Request, action: str) -> Response:
        reader = current_reader(request, settings)
        granting = action in ("grant", "unlock")
        right = may_grant_roles(reader) if granting else may_manage_users(reader)
        if action not in actions or not right.allowed:
            return not_available()
        form = await _form(request)
        if form is None:
            return not_available()
        if not is_ours(request, form):
            return users_page(request, reader, wrong=STALE, form=form, status=403, up="../../")
        try:
            result = await run_in_threadpool(actions[action], reader, form)
        except ArchiveError as error:
            return users_page(request, reader, wrong=str(error), form=form, status=422, up="../../")
        await run_in_threadpool(
            noted,
            action,
            accounts.find(form.get("account", "")),
            "",
            _address(request),
            reader,
        )
        if isinstance(result, tuple):
            account, password = result
            body = _new_password(account, password, reset=action == "reset")
            return page(request, "用户管理", body, reader=reader)
        return RedirectResponse(f"../users?done={result}", 303, headers=PRIVATE)

    return router


# -- what is done to accounts ---------------------------------------------------------------------


def _add(door: Doorkeeper, reader: Reader, form: Mapping[str, str]) -> tuple[str, str]:
    password = new_password()
    person = door.accounts.add(
        form.get("account", ""),
        form.get("name", ""),
        _role(form.get("role", "")),
        password,
        department=form.get("department", ""),
    )
    return person.account, password


def _reset(door: Doorkeeper, reader: Reader, form: Mapping[str, str]) -> tuple[str, str]:
    _keep_one(door, reader, form.get("account", ""), "重置")
    password = new_password()
    person = door.accounts.reset(form.get("account", ""), password, approved=False)
    return person.account, password


def _disable(door: Doorkeeper, reader: Reader, form: Mapping[str, str]) -> str:
    _keep_one(door, reader, form.get("account", ""), "停用")
    door.accounts.set_disabled(form.get("account", ""), disabled=True)
    return "disabled"


def _enable(door: Doorkeeper, reader: Reader, form: Mapping[str, str]) -> str:
    door.accounts.set_disabled(form.get("account", ""), disabled=False)
    return "enabled"


def _sign_out(door: Doorkeeper, reader: Reader, form: Mapping[str, str]) -> str:
    door.accounts.sign_out_everywhere(form.get("account", ""))
    return "signed-out"


def _grant(door: Doorkeeper, reader: Reader, form: Mapping[str, str]) -> str:
    account, role = form.get("account", ""), _role(form.get("role", ""))
    person = door.accounts.find(account)
    if person is None or person.role is not role or person.account == reader.account:
        _keep_one(door, reader, account, "改身份")
    door.accounts.grant(
        account, role, name=form.get("name", ""), department=form.get("department", "")
    )
    return "granted"


def _unlock(door: Doorkeeper, reader: Reader, form: Mapping[str, str]) -> str:
    door.accounts.unlock(form.get("account", ""))
    return "unlocked"


def _keep_one(door: Doorkeeper, reader: Reader, account: str, what: str) -> None:
    """Nobody changes their own account here, and there stays somebody to run the system."""
    person = door.accounts.find(account)
    if person is None:
        return
    if person.account == reader.account:
        msg = f"不能{what}自己的账号，请另一位管理员来办。"
        raise AccountError(msg)
    keys = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)
    is_needed = person.role in keys and person.active
    if is_needed and not door.accounts.has_active(person.role, besides=person.account):
        msg = (
            f"{person.account} 是唯一可用的{person.role.value}，{what}之后就没有人能管了。"
            f"请先增加一位{person.role.value}，或在服务器上用 chadang users 办理。"
        )
        raise AccountError(msg)


def _make_first(door: Doorkeeper, form: Mapping[str, str]) -> list[tuple[Account, str]]:
    """The accounts of the first start, each with the password to show, '' for the one typed."""
    if form.get("password", "") != form.get("again", ""):
        msg = "两次输入的密码不一样。"
        raise AccountError(msg)
    wanted = [
        (role, form.get(f"account-{key}", "").strip(), form.get(f"name-{key}", "").strip())
        for key, role in _FIRST
    ]
    # everything is looked at before anything is made
    keys = [checked_account(account) for _, account, _ in wanted if account]
    if not wanted[0][1] or len(set(keys)) < len(keys):
        msg = "请填写系统管理员；各个登录名不能相同。"
        raise AccountError(msg)
    check_password(form.get("password", ""), keys[0])
    names = [name for role, account, name in wanted if account and role in ADMINISTRATORS]
    if len(set(names)) < len(names):
        msg = "系统、安全、审计管理员不得由同一人兼任，请填写不同的人。"
        raise AccountError(msg)
    if any(account and not name for _, account, name in wanted):
        msg = "填了登录名的，请一并填写姓名。"
        raise AccountError(msg)
    made = []
    # the system administrator last: until then an interrupted setup can be done again
    for number, (role, account, name) in reversed(list(enumerate(wanted))):
        if not account:
            continue
        password = form.get("password", "") if number == 0 else new_password()
        if door.accounts.find(account) is not None:
            door.accounts.grant(account, role, name=name)
            door.accounts.reset(account, password, approved=True)
            person = door.accounts.set_disabled(account, disabled=False)
        else:
            person = door.accounts.add(
                account, name, role, password, approved=True, must_change=number > 0
            )
        made.append((person, "" if number == 0 else password))
    return made[::-1]


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        msg = f"请选定身份：{'、'.join(Role)}。"
        raise AccountError(msg) from error


# -- requests -------------------------------------------------------------------------------------


def _session(request: Request) -> SignedIn | None:
    found = request.scope.get(SESSION_KEY)
    return found if isinstance(found, SignedIn) else None


def _reader(request: Request) -> Reader | None:
    found = request.scope.get(READER_KEY)
    return found if isinstance(found, Reader) else None


def _address(request: Request) -> str:
    return str(request.scope.get(ADDRESS_KEY, ""))


def _bound(request: Request) -> str:
    """What the tokens of a browser's forms are bound to."""
    session, reader = _session(request), _reader(request)
    if session is not None:
        return f"session:{session.session_id}"
    if reader is not None:
        return f"account:{reader.account}"
    return f"browser:{_browser_id(request)}"


def _browser_id(request: Request) -> str:
    """The cookie that tells browsers apart before sign-in; a new one where there is none."""
    key = "chadang.form"
    if key not in request.scope:
        request.scope[key] = cookie(request, _FORM_COOKIE) or secrets.token_urlsafe(16)
    return str(request.scope[key])


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of a small form; None for anything else."""
    if _media_type(request) != "application/x-www-form-urlencoded":
        return None
    content = await small_bytes(request, _LONGEST_BODY)
    if content is None:
        return None
    try:
        return dict(
            parse_qsl(
                content.decode(), keep_blank_values=True, max_num_fields=60, errors="strict"
            )
        )  # fmt: skip
    except ValueError:
        return None


def _set_cookie(response: Response, scope: Scope, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        path=cookie_path(scope),
        httponly=True,
        samesite="lax",
        secure=is_https(scope),
    )


def _note(what: str, account: Account | None, detail: str, address: str) -> None:
    """The one place that learns of sign-ins and of changes to accounts."""
    who = "(no such account)" if account is None else account.account
    logger.info("accounts: %s: %s %s from %s", what, who, detail, address)


def _register(
    uses: UseLog, what: str, account: Account | None, detail: str, address: str, by: Reader | None
) -> None:
    """The same in the use register; what was typed for no account may be a password: not kept."""
    own = Reader(Role.PUBLIC) if account is None else account.reader
    action, said = _EVENTS.get(what, (Action.USER, what))
    if by is not None and action is not Action.USER:
        action, said = Action.USER, "退出其登录"
    if account is None:
        said = f"{said}：没有这个账号"
    elif by is not None:
        said = f"{said}：{account.account}"
        detail = f"{account.name}（{account.role.value}）{detail}"
    uses.did(Use(by or own, Channel.WEB, address), action, said, detail)


_EVENTS: Final = {
    "sign-in": (Action.SIGN_IN, "登录"),
    "sign-in failed": (Action.SIGN_IN_FAILED, "密码不对或账号不能用"),
    "sign-out": (Action.SIGN_OUT, "退出"),
    "account added at setup": (Action.USER, "开通时建立账号"),
    "session ended": (Action.USER, "退出自己的一处登录"),
    "signed out elsewhere": (Action.USER, "退出自己在别处的登录"),
    "password change failed": (Action.USER, "改密码没有成功"),
    "password changed": (Action.USER, "改了自己的密码"),
    "add": (Action.USER, "增加账号"),
    "reset": (Action.USER, "重置密码"),
    "disable": (Action.USER, "停用账号"),
    "enable": (Action.USER, "启用账号"),
    "grant": (Action.USER, "授予身份"),
    "unlock": (Action.USER, "解除锁定"),
}


# -- HTML -----------------------------------------------------------------------------------------

_FIRST: Final = (
    ("system", Role.SYSTEM_ADMIN),
    ("security", Role.SECURITY_ADMIN),
    ("audit", Role.AUDITOR),
    ("archivist", Role.ARCHIVIST),
)
_DUTIES: Final = {
    Role.SYSTEM_ADMIN: "开账号、停账号、重置密码、看设置",
    Role.SECURITY_ADMIN: "授予身份、解除锁定",
    Role.AUDITOR: "看利用登记",
    Role.ARCHIVIST: "入库、查阅全部档案、审核开放",
}


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _field(
    label: str,
    name: str,
    *,
    kind: str = "text",
    value: str = "",
    complete: str = "off",
    required: bool = True,
    hint: str = "",
    focus: bool = False,
    longest: int = 64,
) -> str:
    more = "".join((" required" if required else "", " autofocus" if focus else ""))
    told = f"<small>{escape(hint)}</small>" if hint else ""
    return (
        f'<label><span>{escape(label)}</span><input type="{kind}" name="{name}"'
        f' value="{escape(value)}" autocomplete="{complete}" maxlength="{longest}"'
        f' autocapitalize="none" spellcheck="false"{more}>{told}</label>'
    )


def _pair(fields: str) -> str:
    """Fields side by side where there is room."""
    return f'<div class="ac-pair">{fields}</div>'


def _secret(label: str, name: str, complete: str, hint: str = "") -> str:
    return _field(
        label, name, kind="password", complete=complete, hint=hint, longest=LONGEST
    )  # fmt: skip


def _form_html(
    action: str, token: str, fields: str, button: str, *, quiet: bool = False, ask: str = ""
) -> str:
    style = "ac-quiet" if quiet else "ac-do"
    confirm = f' data-ask="{escape(ask)}"' if ask else ""
    return (
        f'<form method="post" action="{action}"{confirm}>{token}{fields}'
        f'<button class="{style}" type="submit">{escape(button)}</button></form>'
    )


def _said(said: str, wrong: str = "") -> str:
    if wrong:
        return f'<p class="ac-wrong" role="alert">{escape(wrong)}</p>'
    return f'<p class="ac-said" role="status">{escape(said)}</p>' if said else ""


def _login(token: str, said: str, account: str, wanted: str) -> str:
    fields = (
        _field("登录名", "account", value=account[:64], complete="username", focus=not account)
        + _secret("密码", "password", "current-password")
        + (_hidden("next", wanted) if wanted else "")
    )
    told = _said(said) if said == SIGNED_OUT else _said("", said)
    return (
        f'<section class="ac-card ac-small"><h1>登录</h1>{told}'
        f"{_form_html('login', token, fields, '登录')}"
        '<p class="ac-soft">没有账号，或忘了密码，请找本单位的系统管理员。查阅会留下利用登记。</p></section>'
    )


def _setup(token: str, said: str, form: Mapping[str, str]) -> str:
    groups = []
    for key, role in _FIRST:
        first = role is Role.SYSTEM_ADMIN
        named = _field(
            "登录名", f"account-{key}", value=form.get(f"account-{key}", ""), required=first
        ) + _field("姓名", f"name-{key}", value=form.get(f"name-{key}", ""), required=first)
        fields = _pair(named)
        if first:
            fields += _secret("密码", "password", "new-password", RULE) + _secret(
                "再输一次密码", "again", "new-password"
            )
        optional = "" if first else "（可以以后再设）"
        groups.append(
            f"<fieldset><legend>{role.value}{optional}</legend>"
            f'<p class="ac-soft">{_DUTIES[role]}</p>{fields}</fieldset>'
        )
    code = _field(
        "启用码", "code", value=form.get("code", ""), focus=True,
        hint="显示在启动查档服务的那个终端里，用一次就作废。",
    )  # fmt: skip
    return (
        f'<section class="ac-card"><h1>第一次使用：开通账号</h1>{_said("", said)}'
        '<p class="ac-soft">系统、安全、审计三种管理员由不同的人担任，都不查阅档案内容；'
        "查档、管档的是档案管理员。除系统管理员外，初始密码由系统生成，只显示一次。</p>"
        f"{_form_html('setup', token, code + ''.join(groups), '开通')}</section>"
    )


def _set_up(made: Sequence[tuple[Account, str]]) -> str:
    rows = "".join(
        f"<tr><td>{person.role.value}</td><td>{escape(person.name)}</td>"
        f"<td><code>{escape(person.account)}</code></td>"
        f"<td>{f'<code>{escape(password)}</code>' if password else '您刚才设的密码'}</td></tr>"
        for person, password in made
    )
    missing = "" if any(p.role is Role.SECURITY_ADMIN for p, _ in made) else NO_SECURITY_ADMIN
    return (
        '<section class="ac-card"><h1>已开通</h1>'
        "<p><strong>初始密码只显示这一次，</strong>请现在抄下，分别交给本人；本人第一次登录时要改掉。</p>"
        '<div class="ac-scroll"><table><thead><tr><th>身份</th><th>姓名</th><th>登录名</th>'
        f"<th>初始密码</th></tr></thead><tbody>{rows}</tbody></table></div>"
        f'{_said("", missing)}<p><a class="ac-link" href="login">去登录</a></p></section>'
    )


def _account_page(
    session: SignedIn, sessions: Sequence[SignedIn], token: str, said: str, wrong: str, up: str
) -> str:
    person = session.account
    if session.must_change and not wrong:
        why = (
            "密码已到更换期限，请改成新密码。"
            if session.password_expired and not person.must_change
            else "这是别人替您设的初始密码，请先改成只有您自己知道的密码。"
        )
        said = said or why
    fields = (
        f'<input type="text" name="username" value="{escape(person.account)}"'
        ' autocomplete="username" hidden>'
        + _secret("原密码", "old", "current-password")
        + _secret("新密码", "new", "new-password", RULE)
        + _secret("再输一次新密码", "again", "new-password")
    )
    parts = [
        f'<section class="ac-card"><h1>我的账号</h1>{_said(said, wrong)}<dl class="ac-facts">'
        f"<dt>姓名</dt><dd>{escape(person.name)}</dd>"
        f"<dt>登录名</dt><dd>{escape(person.account)}</dd>"
        f"<dt>身份</dt><dd>{person.role.value}</dd>"
        + (f"<dt>部门</dt><dd>{escape(person.department)}</dd>" if person.department else "")
        + f"</dl>{_form_html(f'{up}logout', token, '', '退出登录', quiet=True)}</section>",
        f'<section class="ac-card"><h2>修改密码</h2>'
        f"{_form_html(f'{up}account/password', token, fields, '修改密码')}</section>",
    ]
    if not session.must_change:
        rows = "".join(_session_row(one, session, token, up) for one in sessions)
        others = (
            _form_html(f"{up}account/elsewhere", token, "", "退出其他地方的登录", quiet=True)
            if len(sessions) > 1
            else ""
        )
        parts.append(
            '<section class="ac-card"><h2>登录在哪里</h2>'
            f'<ul class="ac-list">{rows}</ul>{others}</section>'
        )
    return "".join(parts)


def _session_row(one: SignedIn, current: SignedIn, token: str, up: str) -> str:
    here = one.session_id == current.session_id
    end = (
        '<span class="ac-tag">这里</span>'
        if here
        else _form_html(
            f"{up}account/session",
            token,
            _hidden("session", one.session_id),
            "退出这一处",
            quiet=True,
        )
    )
    return (
        f"<li><div><strong>{escape(_browser(one.agent))}</strong><br>"
        f'<span class="ac-soft">{escape(one.address)} · {_time(one.created_at)} 登录 · '
        f"{_time(one.seen_at)} 用过</span></div>{end}</li>"
    )


def _sso_page(reader: Reader) -> str:
    return (
        '<section class="ac-card"><h1>我的账号</h1><dl class="ac-facts">'
        f"<dt>姓名</dt><dd>{escape(reader.name)}</dd><dt>登录名</dt><dd>{escape(reader.account)}</dd>"
        f"<dt>身份</dt><dd>{reader.role.value}</dd></dl>"
        f'<p class="ac-soft">{BY_PROXY}退出也在门户里办理。</p></section>'
    )


def _users(
    reader: Reader,
    people: Sequence[Account],
    locked: set[str],
    settings: Settings,
    token: str,
    said: str,
    wrong: str,
    form: Mapping[str, str],
    up: str,
) -> str:
    manages = may_manage_users(reader).allowed
    grants = may_grant_roles(reader).allowed
    base = f"{up}admin/users"
    parts = [heading_html("admin/users") + _said(said, wrong)]
    if manages and not any(p.role is Role.SECURITY_ADMIN and p.active for p in people):
        parts.append(_said("", NO_SECURITY_ADMIN))
    if manages:
        fields = _pair(
            _field("登录名", "account", value=form.get("account", ""))
            + _field("姓名", "name", value=form.get("name", ""),
                     hint="真实姓名；代表按姓名查阅本人提出的建议。")
            + _field("部门", "department", value=form.get("department", ""), required=False,
                     hint="机关工作人员查阅本部门的工作秘密时用，与目录“机构（问题）”写法一致。")
            + _roles("拟授身份", form.get("role", Role.STAFF.value))
        )  # fmt: skip
        opened = " open" if wrong and "role" in form else ""
        parts.append(
            f'<details class="ac-card"{opened}><summary>增加账号</summary><p class="ac-soft">'
            "初始密码由系统生成，只显示一次。安全管理员核准身份以后，账号才能登录。</p>"
            f"{_form_html(f'{base}/add', token, fields, '增加')}</details>"
        )
    waiting = [p for p in people if not p.approved and not p.disabled]
    if grants and waiting:
        parts.append(_said(f"有 {len(waiting)} 个账号等您核准身份。"))
    rows = "".join(
        _user_row(p, reader, p.account in locked, settings, token, base, manages, grants)
        for p in sorted(people, key=lambda p: (p.approved, p.disabled, p.account))
    )
    parts.append(
        f'<section class="ac-card"><h2>账号 {len(people)} 个</h2><ul class="ac-list">{rows}</ul></section>'
    )
    return "".join(parts)


def _user_row(
    person: Account,
    reader: Reader,
    locked: bool,
    settings: Settings,
    token: str,
    base: str,
    manages: bool,
    grants: bool,
) -> str:
    who = token + _hidden("account", person.account)
    tags = [
        ("您自己", person.account == reader.account),
        ("已停用", person.disabled),
        ("待核准", not person.approved and not person.disabled),
        ("已锁定", locked),
        ("未改初始密码", person.must_change and person.active),
        ("公众暂不开放", person.role is Role.PUBLIC and not settings.values["public_access"]),
    ]
    shown = "".join(f'<span class="ac-tag">{tag}</span>' for tag, on in tags if on)
    last = f"{_time(person.signed_in_at)} 登录过" if person.signed_in_at else "没有登录过"
    told = " · ".join(filter(None, (person.role.value, person.department, last)))
    forms = []
    if manages and person.account != reader.account:
        if person.disabled:
            forms.append(_form_html(f"{base}/enable", who, "", "启用", quiet=True))
        else:
            forms.append(
                _form_html(f"{base}/disable", who, "", "停用", quiet=True,
                           ask=f"停用 {person.account}？正在使用的会立即退出。")
            )  # fmt: skip
        forms.append(
            _form_html(f"{base}/reset", who, "", "重置密码", quiet=True,
                       ask=f"重置 {person.account} 的密码？重置后须由安全管理员再核准一次。")
        )  # fmt: skip
        forms.append(_form_html(f"{base}/sign-out", who, "", "退出全部登录", quiet=True))
    if grants and locked:
        forms.append(_form_html(f"{base}/unlock", who, "", "解除锁定", quiet=True))
    grant = ""
    if grants and person.account != reader.account:
        fields = _pair(
            _roles("身份", person.role.value)
            + _field("姓名", "name", value=person.name)
            + _field("部门", "department", value=person.department, required=False)
        )
        opened = "" if person.approved or person.disabled else " open"
        grant = (
            f"<details{opened}><summary>{'改身份' if person.approved else '核准身份'}</summary>"
            f"{_form_html(f'{base}/grant', who, fields, '授予')}</details>"
        )
    return (
        f"<li><div><strong>{escape(person.name)}</strong> <code>{escape(person.account)}</code>{shown}<br>"
        f'<span class="ac-soft">{escape(told)}</span></div>'
        f'<div class="ac-row">{"".join(forms)}</div>{grant}</li>'
    )


def _roles(label: str, chosen: str) -> str:
    options = "".join(
        f"<option{' selected' if role.value == chosen else ''}>{role.value}</option>"
        for role in Role
    )
    return f'<label><span>{label}</span><select name="role">{options}</select></label>'


def _new_password(account: str, password: str, *, reset: bool) -> str:
    head = "密码已重置" if reset else "账号已增加"
    return (
        f'<section class="ac-card"><h1>{head}</h1>'
        "<p><strong>密码只显示这一次，</strong>请现在抄下交给本人；本人第一次登录时要改掉。</p>"
        f'<dl class="ac-facts"><dt>登录名</dt><dd><code>{escape(account)}</code></dd>'
        f"<dt>初始密码</dt><dd><code>{escape(password)}</code></dd></dl>"
        '<p class="ac-soft">还须安全管理员在“用户管理”里核准身份，才能登录。</p>'
        '<p><a class="ac-link" href="../../admin/users">返回用户管理</a></p></section>'
    )


def _time(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M}"


_SYSTEMS: Final = (
    ("HarmonyOS", "鸿蒙"), ("Android", "安卓手机"), ("iPhone", "苹果手机"), ("iPad", "苹果平板"),
    ("Windows", "Windows 电脑"), ("Mac OS", "苹果电脑"), ("Linux", "Linux 电脑"),
)  # fmt: skip
_BROWSERS: Final = (
    ("MicroMessenger", "微信"), ("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip


def _browser(agent: str) -> str:
    names = [
        next((said for part, said in table if part in agent), "") for table in (_SYSTEMS, _BROWSERS)
    ]
    return "，".join(filter(None, names)) or "其他程序"
