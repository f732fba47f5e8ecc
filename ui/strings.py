"""Every Chinese sentence the pages show; what the command line says is in its own module."""

from __future__ import annotations

from typing import Final

from index.domain import SubDocument

PRODUCT: Final = "查档"
TITLE: Final = "查档 · 人大档案问答"
SUBTITLE: Final = "人大档案问答"

# -- the chat ---------------------------------------------------------------------------------
SEARCHING: Final = "正在检索馆藏…"
STOPPED: Final = "已停止。您可以换个问法再问。"
FAILED: Final = "这一次没有查成，系统已记下原因。请稍后再问一次；若一直如此，请联系管理员。"
QUESTION_LABEL: Final = "您的问题"
QUESTION_HINT: Final = "请输入要查的内容"
SEND: Final = "发送"
STOP: Final = "停止"
NEW_CONVERSATION: Final = "新对话"
CHAT_LABEL: Final = "问答"
WELCOME: Final = (
    "## 您想查什么？\n\n"
    "用平常的话提问即可。每一条回答都是档案原文，点 ① 这样的编号就能打开原件那一页核对。"
)
EXAMPLE_QUESTIONS: Final = (
    "馆藏里有哪些关于预算的决议？",
    "最近一次人民代表大会是什么时候召开的？",
    "有没有代表提过关于养老服务的建议？",
    "馆藏一共有多少件档案？",
)

# -- how a question was read --------------------------------------------------------------------
TAKE_OFF: Final = "不想这样理解的，可去掉其中一项再问："
READ_AS: Final = "我这样理解（点一下可去掉）："
WITHOUT_LABEL: Final = "去掉一项理解"
PURPOSE_LABEL: Final = "随提问带上的目的"


def take_off(sentence: str) -> str:
    """What pressing a chip does, for people who listen to the page."""
    return f"去掉这一项再问：{sentence}"


def asked_without(sentences: str) -> str:
    """Said under a question that is asked again."""
    return f"（去掉：{sentences}）"


# -- the history --------------------------------------------------------------------------------
HISTORY: Final = "历史"
FILTERS_LABEL: Final = "检索条件"
TOOLS: Final = "答复到此为止"
#: Stands for what a reopened conversation may not show any more; hidden and absent read the same.
NOT_AVAILABLE_NOW: Final = "其中有的档案现在没有，或您无权查阅，相关内容不再显示。"
UNKNOWN_CONVERSATION: Final = "没有这次对话，可能已经删除或过了保留期。"


def quotes_changed(count: int) -> str:
    """Quotations of a reopened conversation whose pages were read anew."""
    return f"有 {count} 条引文所在的页已重新入库，文字有变，不再显示；请重新提问。"


def asked_at(when: str) -> str:
    """When a question of a reopened conversation was asked."""
    return f"{when} 提问"


# -- an answer --------------------------------------------------------------------------------
OPEN_SOURCE: Final = "查看原页"
LOW_CONFIDENCE: Final = "此处识别不可靠，请以影像为准。"
NO_VOUCHER: Final = "检索参考件，不作凭证。"
LISTING_REST: Final = "其余 {count} 件"
LISTINGS: Final = "目录条目 {count} 件"
LISTING_CUT: Final = "这里只列前 {shown} 件，共 {count} 件；要全部请导出。"
ROW_NUMBER: Final = "编号"
GROUP_ROWS: Final = "目录条目"
GROUP_MORE: Final = "等 {count} 件"
EXPORT_FILE: Final = "目录清单"
RELATED: Final = "其他可能有关的档案 {count} 件（未引用）"
NOTE: Final = "提示："
#: Stands in the empty side of a comparison.
SIDE_EMPTY: Final = "在可查阅的范围内未检得这一方的记录。"
NAMED_RECORDS: Final = "馆藏中与此有关的记录（只说明当时的情况，是否仍然有效请另行查证）："
AI_LABEL: Final = "AI 生成，请核对档案原件"
COMPOSING: Final = "正在写连接语；下面的原文已可核对。"
COVERAGE_HEADING: Final = "检索范围"


# -- precedents -------------------------------------------------------------------------------
PRECEDENTS: Final = "查先例"
RESULT: Final = "结果原文："
CATALOGUE_ONLY: Final = "只有目录，没有挂接原文"
SHOW_STEPS: Final = "展开 {count} 步"
SHARED_WORDS: Final = "与主题共有："


def step_missing(kinds: str, searched: str) -> str:
    """Steps of a chain that were not found, and what was looked for."""
    return f"{kinds}：未检得（已按{searched}查题名和正文）"


def step_basis(basis: str, evidence: str) -> str:
    """What ties a record to its matter."""
    return f"依据：{basis}" + (f"（{evidence}）" if evidence else "")


def handled_together(numbers: tuple[str, ...]) -> str:
    """Other proposals the same paper answers."""
    return f"并案办理：{'、'.join(numbers)}"


def coverage_line(records: int, pages: int, unreadable_pages: int) -> str:
    """How much was searched."""
    line = f"{COVERAGE_HEADING}：{records} 件、{pages} 页"
    return (
        f"{line}；另有 {unreadable_pages} 页无法识别，未能检索。"
        if unreadable_pages
        else f"{line}。"
    )


TEXT_ORIGIN: Final = "本页文字"
TEXT_FIGURES: Final = "识别情况"
_ORIGINS: Final = {
    "layer": "文件自带的文字层",
    "ocr": "由影像识别",
    "file": "文本文件",
    "none": "没有可读的文字",
}


def text_origin(source: str, engine: str, reason: str) -> str:
    """Where the text of a page comes from and why."""
    by = f"（{engine}）" if engine and source != "none" else ""
    return f"{_ORIGINS[source]}{by}" + (f"；{reason}" if reason else "")


def text_figures(confidence: float | None, uncovered: float | None, turn: int) -> str:
    """How sure the recognition of a page is, what it left over, and how the page lay."""
    parts = []
    if confidence is not None:
        parts.append(f"平均把握 {confidence:.0%}")
    if uncovered is not None:
        parts.append(f"未识别的墨迹 {uncovered:.1%}")
    if turn:
        parts.append(f"原件顺时针转 {turn}° 后摆正")
    return "，".join(parts)


#: What to try after a refusal, by the value of its reason.
NEXT_STEPS: Final[dict[str, tuple[str, ...]]] = {
    "未检索到": (
        "换一个说法，或只留下最要紧的词，例如事项、地名、会议名称；",
        "加上年份、届次或文号再问；",
        "请档案管理员核对是否尚未入库，或页面无法识别。",
    ),
    "超出范围": ("请改问档案里写明的事，例如哪一年、哪次会议、怎样决定。",),
    "出证": ("如需盖章的档案证明或复制件，请持有效证件到档案部门办理。",),
    "不予办理": ("请改问档案内容本身的问题。",),
    "没有馆藏": ("请管理员先把档案目录和文件入库，再来提问。",),
}

# -- routes -----------------------------------------------------------------------------------
NOT_AVAILABLE: Final = "没有这份档案，或您无权查阅。"
#: The same for a wrong address, a page for others and a record that is hidden.
PAGE_NOT_FOUND: Final = "没有可以打开的内容"
PAGE_MISSING: Final = "没有这个页面或这份档案，或者您无权查阅。"
PAGE_MISSING_NEXT: Final = (
    "请核对网址，或从上面的菜单进入；从答复里点开的，请回到问答页重新提问。"
    "需要查阅未开放的档案，请按程序向档案室申请。"
)
PAGE_NOT_OPENED: Final = "这一页没有打开"
PAGE_FAILED: Final = "这一页没有打开，系统已记下原因。"
PAGE_TRY_AGAIN: Final = "请稍后再试；一直如此，请联系管理员。"
PAGE_HOME: Final = "回到首页"
IMAGE_BROKEN: Final = "这一页的影像打不开，原文件可能已被移动。"
FORBIDDEN: Final = "不提供此功能。"
BAD_REQUEST: Final = "请求不完整，请刷新页面再试。"
WRONG_ORIGIN: Final = "请求来自别的站点，已拒绝。"
UNKNOWN_HOST: Final = (
    "不认识请求的主机名，已拒绝。本机使用请打开 http://127.0.0.1；"
    "经反向代理使用时，请把本站对外的主机名写进设置 site_names。"
)


def page_way_on(name: str) -> str:
    """The link on a page that has nothing to show."""
    return f"去“{name}”"


OPENING_PAGE: Final = "正在打开…"
NO_SCRIPT: Final = "本页面需要启用浏览器的 JavaScript。"

# -- headings of the catalogue fields ---------------------------------------------------------
FIELD_HEADINGS: Final = (
    ("title", "题名"),
    ("author", "责任者"),
    ("doc_no", "文号"),
    ("date", "日期"),
    ("reference_code", "档号"),
)
MORE_FIELD_HEADINGS: Final = (
    ("doc_type", "文种"),
    ("meeting", "届次"),
    ("department", "机构（问题）"),
    ("retention", "保管期限"),
    ("secrecy", "密级"),
    ("opening", "开放标识"),
    ("publicity", "公开属性"),
    ("note", "备注"),
)
CATALOGUE_SOURCE: Final = "目录来源"
RECORD_ID: Final = "编号"
PROPOSERS: Final = "提出人"
PAGE_COUNT: Final = "页数"
ADOPTION_NOTE: Final = "题注"
PARTS: Final = "本件内"


def derived_heading(heading: str, page: int) -> str:
    """Heading of a field that no catalogue gives: read from a page, or with 0 the file name."""
    return f"{heading}（推得自{f'第{page}页' if page else '文件名'}）"


def parts_line(parts: tuple[SubDocument, ...]) -> str:
    """The papers inside a record and their pages."""
    said = []
    for part in parts:
        pages = f"{part.page}–{part.last_page}" if part.last_page > part.page else str(part.page)
        title = f"《{part.title}》" if part.title else ""
        said.append(f"{part.kind}{title}第{pages}页")
    return "；".join(said)


def catalogue_source(file: str, row: int) -> str:
    """Which catalogue row a record came from."""
    return f"{file}，第 {row} 行" if row else file


# -- serving ----------------------------------------------------------------------------------


def port_taken(host: str, port: int) -> str:
    """The port is in use."""
    return (
        f"{host}:{port} 已被占用。请换一个端口，例如 --port {port + 1 if port < 65535 else 7860}。"
    )


def cannot_listen(host: str, port: int, reason: str) -> str:
    """The address cannot be listened on."""
    return f"不能在 {host}:{port} 上提供网页：{reason}。请检查 --host 和 --port。"


def ready_lines(address: str, examples: tuple[str, ...]) -> tuple[str, ...]:
    """What to open and what to ask, one line each."""
    return (
        f"查档已就绪，请用浏览器打开：{address}",
        "可以这样问：",
        *(f"  · {question}" for question in examples),
        "按 Ctrl+C 停止。",
    )


def setup_lines(address: str, code: str) -> tuple[str, ...]:
    """What to do at the first start on a network, one line each."""
    return (
        "还没有系统管理员。请打开下面的地址开通账号，启用码只用一次，重新启动会换新的：",
        f"  {address}setup",
        f"  启用码：{code}",
    )
