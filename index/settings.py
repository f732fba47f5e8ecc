"""Settings of the whole product: flag > environment > ``chadang.toml`` in home > default."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from index.errors import SettingsError

SETTINGS_FILE: Final = "chadang.toml"
ENVIRONMENT_PREFIX: Final = "CHADANG_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the settings table.

    Attributes:
        name: Key in ``chadang.toml``; in the environment `CHADANG_` + upper case.
        default: Value when nothing is said; its type is the setting's type.
        help: One Chinese line for people.
        lowest: Smallest allowed number, None for no bound.
        highest: Largest allowed number, None for no bound.
        choices: Allowed words, empty for any.
        secret: Whether the value is kept out of listings and logs.
    """

    name: str
    default: str | int | float | bool
    help: str
    lowest: float | None = None
    highest: float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False


TABLE: Final[tuple[Setting, ...]] = (
    Setting("model", "built-in", "检索模型：built-in（内置）或一个 sentence-transformers 模型文件夹"),
    Setting("builtin_model_file", "", "内置模型数据文件的位置；空 = 从已安装的依赖里找"),
    Setting("query_adapter", True, "内置模型理解口语提问的增补参数；否 = 用原模型"),
    Setting("precision", "auto", "模型计算精度", choices=("auto", "float32", "bfloat16")),
    Setting("threads", 0, "计算线程数；0 = 本机核数", 0, 256),
    Setting("passage_chars", 320, "段落的目标长度（字）", 80, 1000),
    Setting("ocr_dpi", 200, "识别时的扫描分辨率（每英寸点数）", 100, 400),
    Setting("ocr_engine", "auto", "识别引擎；auto = 装有 OpenVINO 就用它，否则 onnxruntime",
            choices=("auto", "openvino", "onnxruntime")),
    Setting("layer_check", True, "扫描件自带隐藏文字层时，抽两页重新识别核对；否 = 直接采用"),
    Setting("candidates", 200, "每路检索取回的候选段落数", 20, 2000),
    Setting("host", "127.0.0.1", "网页监听地址"),
    Setting("port", 7860, "网页端口", 1, 65535),
    Setting("root_path", "", "经反向代理放在子路径下时的路径，如 /archive；空 = 网站的根"),
    Setting("user", "本机用户", "单机使用时的用户名"),
    Setting("role", "档案管理员", "单机使用时的身份",
            choices=("档案管理员", "机关工作人员", "代表", "公众")),
    Setting("department", "", "单机使用时所在的部门"),
    Setting("sign_in", "auto", "登录方式：auto（有账号或对网络开放就要登录）、local（只供本机，不登录）、accounts（账号密码）、"
            "proxy（由单位的单点登录代理认定）", choices=("auto", "local", "accounts", "proxy")),
    Setting("public_access", False, "公众（只看开放档案）可否使用：身份为公众的账号可以登录，查档小窗不登录也可查；否 = 都不行"),
    Setting("session_idle_minutes", 30, "登录后多少分钟不操作要重新登录", 1, 720),
    Setting("session_hours", 12, "登录一次最长管多少小时", 1, 72),
    Setting("password_days", 0, "密码用多少天必须换；0 = 不强制", 0, 3650),
    Setting("questions_per_minute", 30, "每个账号每分钟最多提问几次", 1, 600),
    Setting("proxy_user_header", "X-Remote-User", "sign_in=proxy 时，代理用哪个请求头送来登录名"),
    Setting("trusted_proxies", "", "可信的反向代理的地址或网段，空格分隔；只信它们送来的登录名和来访地址"),
    Setting("archive_name", "", "本馆（室）名称，显示在页面顶部"),
    Setting("local_body", "", "本级人大的地名，如“示例市”；问题里说“我市”“本市”时按它理解"),
    Setting("transfer_years", 20, "形成满多少年应移交档案馆（设区的市 20，县 10）", 1, 100),
    Setting("transfer_retention", "永久 Y 长期", "哪些保管期限的档案要移交，照目录写法，空格分隔"),
    Setting("short_term_years", 15, "“短期”按多少年算到期", 1, 50),
    Setting("long_term_years", 50, "“长期”按多少年算到期", 1, 100),
    Setting("ingest_roots", "", "网页上可以选来入库的文件夹（连同其下各级），用英文分号 ; 隔开；空 = 只能重新入库命令行入过的"),
    Setting("ask_purpose", "auto", "何时要先说明利用目的：auto = 要登录时每次对话都问；always 都问；restricted 只在涉及未开放档案时；never 不问",
            choices=("auto", "always", "restricted", "never")),
    Setting("register_years", 10.0, "利用登记保存年数，到期由 chadang register purge 清理；不少于半年", 0.5, 100),
    Setting("mcp", False, "开放 MCP 端点 /mcp，供内网智能体检索、看页、提问"),
    Setting("api_per_minute", 120, "每个接口调用方每分钟最多调用几次；0 = 不限", 0, 100_000),
    Setting("api_burst", 30, "每个接口调用方停顿之后一次最多连着调用几次", 1, 10_000),
    Setting("site_names", "", "本站对外的主机名或地址（经反向代理使用时），空格分隔"),
    Setting("widget_origins", "", "允许嵌入查档小窗的内网站点，如 http://oa.example.gov.cn，空格分隔；空 = 都不许"),
    Setting("history_days", 365, "网页上的对话历史保留多少天；0 = 不保留", 0, 36500),
    Setting("llm_base_url", "", "内网语言模型的地址（OpenAI 兼容），如 http://10.0.0.8:8000/v1；空 = 不用"),
    Setting("llm_model", "", "语言模型名称，照模型服务上的写"),
    Setting("llm_api_key", "", "语言模型的密钥；请写在环境变量或 chadang.toml，不要写在命令行", secret=True),
    Setting("llm_ca_file", "", "内网 https 证书的签发机构文件（PEM）；空 = 用系统自带的"),
    Setting("llm_timeout_s", 30.0, "等语言模型写完的总时限（秒），到时只用原文摘录", 0.1, 600),
    Setting("llm_silence_s", 10.0, "语言模型多少秒没有动静就不再等", 0.1, 600),
    Setting("llm_concurrency", 4, "同时请语言模型写几份，多出的只用原文摘录", 1, 64),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force; made by `load_settings` only.

    Attributes:
        home: Folder that holds everything the product writes.
        values: Setting name to value, one entry for each row of `TABLE`.
        sources: Setting name to where the value came from (默认 / 文件 / 环境变量 / 命令行).
    """

    home: Path
    values: Mapping[str, str | int | float | bool]
    sources: Mapping[str, str]

    def text(self, name: str) -> str:
        """A setting whose type is text."""
        return str(self.values[name])

    def number(self, name: str) -> int:
        """A setting whose type is a whole number."""
        return int(self.values[name])

    def decimal(self, name: str) -> float:
        """A setting whose type is a number with decimals."""
        return float(self.values[name])

    @property
    def database_path(self) -> Path:
        """The SQLite file that is the truth."""
        return self.home / "chadang.sqlite3"

    @property
    def index_path(self) -> Path:
        """Folder of the derived, rebuildable index generations."""
        return self.home / "index"

    @property
    def models_path(self) -> Path:
        """Folder into which the built-in model is unpacked."""
        return self.home / "models"

    @property
    def cache_path(self) -> Path:
        """Folder of rendered page images; may be deleted at any time."""
        return self.home / "cache"

    @property
    def threads(self) -> int:
        """Number of computing threads, at least 1."""
        return self.number("threads") or os.cpu_count() or 1


def load_settings(
    home: Path | None = None,
    flags: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Gather the settings.

    Args:
        home: Folder from the command line; None for `CHADANG_HOME` or ``./data``.
        flags: Values from the command line by setting name; None values are ignored.
        environment: Environment variables; None for the process's own.

    Raises:
        SettingsError: If a name is unknown or a value has the wrong type or is out of range. The
            message names the setting, the value and the allowed range.
    """
    env = os.environ if environment is None else environment
    if home is None:
        home = Path(env.get(ENVIRONMENT_PREFIX + "HOME") or "data")
    home = home.expanduser().resolve()
    known = {setting.name: setting for setting in TABLE}
    values: dict[str, str | int | float | bool] = {s.name: s.default for s in TABLE}
    sources = dict.fromkeys(values, "默认")

    def take(name: str, value: object, source: str) -> None:
        if name not in known:
            msg = f"没有名为 {name} 的设置（来自{source}）。可用的设置：{'、'.join(known)}。"
            raise SettingsError(msg)
        values[name] = _checked(known[name], value, source)
        sources[name] = source

    file = home / SETTINGS_FILE
    if file.is_file():
        try:
            stored = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            msg = f"设置文件 {file} 读不懂：{error}。请改正后再试。"
            raise SettingsError(msg) from error
        for name, value in stored.items():
            take(name, value, f"文件 {file.name}")
    for variable, value in env.items():
        if variable.startswith(ENVIRONMENT_PREFIX) and variable != ENVIRONMENT_PREFIX + "HOME":
            take(variable.removeprefix(ENVIRONMENT_PREFIX).lower(), value, "环境变量")
    for name, flag in (flags or {}).items():
        if flag is not None:
            take(name, flag, "命令行")
    return Settings(home, values, sources)


def _checked(setting: Setting, value: object, source: str) -> str | int | float | bool:
    converted: Any
    try:
        if isinstance(value, (dict, list)):
            raise ValueError(value)
        if isinstance(setting.default, bool):
            converted = _as_bool(value)
        elif isinstance(setting.default, int):
            converted = int(str(value))
        elif isinstance(setting.default, float):
            converted = float(str(value))
        else:
            converted = str(value)
    except ValueError as error:
        shown = "（不显示）" if setting.secret else f"“{value}”"
        msg = f"设置 {setting.name} 的值{shown}（来自{source}）类型不对：{setting.help}。"
        raise SettingsError(msg) from error
    if setting.choices and converted not in setting.choices:
        msg = f"设置 {setting.name} 的值“{value}”（来自{source}）不在可选范围：{'、'.join(setting.choices)}。"
        raise SettingsError(msg)
    low, high = setting.lowest, setting.highest
    if (low is not None and converted < low) or (high is not None and converted > high):
        msg = f"设置 {setting.name} 的值 {value}（来自{source}）超出范围 {low:g}–{high:g}。"
        raise SettingsError(msg)
    return converted  # type: ignore[no-any-return]


def _as_bool(value: object) -> bool:
    words = {"1": True, "true": True, "是": True, "0": False, "false": False, "否": False}
    word = str(value).strip().lower()
    if word not in words:
        raise ValueError(word)
    return words[word]
