"""The HTML frame every page shares: head, our header with the navigation, scripts from `static/`.

A page is a line in `PLACES` and a call of `page_html`; what stands inside is drawn by its own
script. Addresses are relative to the page, so that all of it works below any path of a proxy, and
nothing is inline, as the content security policy wants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from index.access import (
    may_audit,
    may_decide_opening,
    may_edit_vocabulary,
    may_manage,
    may_manage_intake,
    may_operate,
    may_read_anything,
    may_see_feedback,
    may_see_users,
)
from index.domain import Reader
from index.settings import Settings
from ui import strings

#: Address of the chat page below the site's root.
CHAT: Final = "app/"
#: Address of the page about one's own account.
ACCOUNT: Final = "account"


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation.

    Attributes:
        address: Below the site's root, without a leading slash; also names the page.
        name: What is read.
        may: Whether a reader is offered it. Leaving it out is a courtesy: the page's own routes
            decide.
        manage: Stands under 管理 with others of its kind once there are two of them.
        purpose: What it is for, one line; stands below its heading and on the overview.
    """

    address: str
    name: str
    may: Callable[[Reader], bool] = lambda _reader: True
    manage: bool = False
    purpose: str = ""


#: The whole navigation, in the order shown.
PLACES: Final[tuple[Place, ...]] = (
    Place(CHAT, "问答", lambda r: may_read_anything(r).allowed),
    Place("catalogue", "目录", lambda r: may_read_anything(r).allowed),
    Place("precedents", "先例", lambda r: may_read_anything(r).allowed),
    Place("statistics", "统计", lambda r: may_read_anything(r).allowed),
    Place(
        "admin",
        "管理总览",
        lambda r: may_manage(r).allowed,
        manage=True,
        purpose="现在的情况，和您管的各页。",
    ),
    Place(
        "admin/ingest",
        "入库管理",
        lambda r: may_manage_intake(r).allowed,
        manage=True,
        purpose="入库一个文件夹，看进度、失败的文件和待审核的，取入库报告。",
    ),
    Place(
        "admin/opening",
        "开放审核",
        lambda r: may_decide_opening(r).allowed,
        manage=True,
        purpose="登记开放审核结果：开放、控制、延期开放；立即生效，可以撤销。",
    ),
    Place(
        "admin/vocabulary",
        "口语对照表",
        lambda r: may_edit_vocabulary(r).allowed,
        manage=True,
        purpose="平常说法和正式用语的对照；改完立即生效。",
    ),
    Place(
        "admin/users",
        "用户管理",
        lambda r: may_see_users(r).allowed,
        manage=True,
        purpose="账号、身份、停用和解锁。",
    ),
    Place(
        "admin/feedback",
        "反馈",
        lambda r: may_see_feedback(r).allowed,
        manage=True,
        purpose="利用者说对、说错、引文不符的，和没有查到的提问。",
    ),
    Place(
        "admin/register",
        "利用登记",
        lambda r: may_audit(r).allowed,
        manage=True,
        purpose="谁在什么时候查了什么；只增不改，可以导出、核对。",
    ),
    Place(
        "admin/settings",
        "设置",
        lambda r: may_operate(r).allowed,
        manage=True,
        purpose="看全部设置现在的值和来源。",
    ),
    Place(
        "admin/doctor",
        "体检",
        lambda r: may_operate(r).allowed,
        manage=True,
        purpose="检查安装、馆藏、索引、模型和备份是否完好；不影响别人使用。",
    ),
    Place(
        "admin/logs",
        "运行日志",
        lambda r: may_operate(r).allowed,
        manage=True,
        purpose="程序运行中记下的事，不含问题和档案内容。",
    ),
    Place(ACCOUNT, "我的账号", lambda r: bool(r.account)),
)

#: What lets a phone put the pages on its home screen, seen from one folder below the root.
INSTALL: Final = (
    '<link rel="manifest" href="../static/manifest.webmanifest">'
    '<link rel="apple-touch-icon" href="../static/icon-180.png">'
)

_NAVIGATION: Final = "本系统的各页"
_MENU: Final = "菜单"
_MANAGE: Final = "管理"
_SIGN_OUT: Final = "退出"


def page_html(
    settings: Settings,
    reader: Reader | None,
    version: str,
    *,
    address: str,
    title: str,
    main_id: str,
    scripts: Sequence[str] = (),
    styles: Sequence[str] = (),
    body_class: str = "cd-plain",
    data: Mapping[str, str] | None = None,
    content: str = "",
    heading: bool = False,
) -> str:
    """A whole page.

    Args:
        settings: Settings in force.
        reader: Who it is for; decides the navigation. None, as on the sign-in page, for none.
        version: Version of our static files, for their addresses.
        address: Of this page below the site's root, without a leading slash (`admin/ingest`).
        title: Name of the page.
        main_id: Id of its `<main>`, where the script draws.
        scripts: Files of `static/` to run, as modules, after the page is read.
        styles: Files of `static/` besides `app.css`, `frame.css` and `everyone.css`.
        body_class: Class names of the body; `cd-plain` is an ordinary scrolling page.
        data: `data-…` attributes of the body by name; values may be anything.
        content: HTML inside `<main>`, already escaped; by default a line that it is opening.
        heading: Whether `<main>` begins with the page's name and purpose; its script leaves them.
    """
    up = _up(address)
    archive = settings.text("archive_name")
    whole = " · ".join(filter(None, (title, strings.PRODUCT, archive)))
    sheets = "".join(
        f'<link rel="stylesheet" href="{up}static/{name}?v={version}">\n'
        for name in ("app.css", "frame.css", "everyone.css", *styles)
    )
    modules = "".join(
        f'<script type="module" src="{up}static/{name}?v={version}"></script>\n' for name in scripts
    )
    attributes = "".join(
        f' data-{name}="{escape(value)}"' for name, value in (data or {}).items()
    )  # fmt: skip
    inside = content or f'<p class="cd-wait" role="status">{strings.OPENING_PAGE}</p>'
    if heading:
        inside = heading_html(address) + inside
    return f"""<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light"><meta name="theme-color" content="#a6192e">
<title>{escape(whole)}</title>
<link rel="icon" href="{up}static/icon.svg" type="image/svg+xml">
<script src="{up}static/frame.js?v={version}"></script>
<script src="{up}static/session.js?v={version}"></script>
<script src="{up}static/everyone.js?v={version}"></script>
{sheets}{modules}</head>
<body class="{escape(body_class)}"{attributes}>
{header_html(settings, reader, address)}
<noscript><div class="cd-noscript">{strings.NO_SCRIPT}</div></noscript>
<main id="{escape(main_id)}">{inside}</main>
</body></html>"""


def heading_html(address: str, title: str = "") -> str:
    """Name and purpose of a page of `PLACES`, as a heading; another title replaces the name."""
    place = next(place for place in PLACES if place.address == address)
    return (
        f'<div class="cd-title"><h1>{escape(title or place.name)}</h1>'
        f"<p>{escape(place.purpose)}</p></div>"
    )


def header_html(settings: Settings, reader: Reader | None, address: str) -> str:
    """The header with the navigation.

    Args:
        settings: Settings in force.
        reader: Who it is for; None for a header without navigation.
        address: Of the page it stands on, below the site's root.
    """
    name = settings.text("archive_name")
    archive = f'<span class="cd-archive">{escape(name)}</span>' if name else ""
    return (
        '<header class="cd-header"><div class="cd-header-in">'
        f'<span class="cd-brand">{strings.PRODUCT}</span>{archive}'
        f'<span class="cd-subtitle">{strings.SUBTITLE}</span>'
        '<span class="cd-status" id="cd-status"></span>'
        f"{'' if reader is None else _navigation(reader, address)}</div></header>"
    )


def _navigation(reader: Reader, address: str) -> str:
    """The places a reader is offered; those to manage folded under one word when several."""
    offered = [place for place in PLACES if place.may(reader)]
    managed = [place for place in offered if place.manage]
    if len(managed) < 2:
        managed = []
    links = "".join(
        _link(place, address)
        for place in offered
        if place not in managed and place.address != ACCOUNT
    )
    if managed:
        inside = "".join(_link(place, address) for place in managed)
        here = " cd-here" if any(place.address == address for place in managed) else ""
        links += (
            f'<details class="cd-manage{here}"><summary>{_MANAGE}</summary>'
            f"<div>{inside}</div></details>"
        )
    # What is one's own stands together, after what is everybody's.
    links += "".join(_link(place, address) for place in offered if place.address == ACCOUNT)
    if reader.account:  # session.js signs out at once; without a script the page has a button
        links += f'<a class="cd-sign-out" href="{_up(address)}{ACCOUNT}">{_SIGN_OUT}</a>'
    return (
        f'<button class="cd-menu" type="button" aria-expanded="false" aria-controls="cd-nav">'
        f"{_MENU}</button>"
        f'<nav class="cd-nav" id="cd-nav" aria-label="{_NAVIGATION}">{links}</nav>'
    )


def _link(place: Place, address: str) -> str:
    here = ' aria-current="page"' if place.address == address else ""
    return f'<a href="{_up(address)}{place.address}"{here}>{escape(place.name)}</a>'


def _up(address: str) -> str:
    """What leads from a page to the site's root."""
    return "../" * address.count("/")
