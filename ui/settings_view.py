"""All settings with where each value comes from; secrets never leave."""

from __future__ import annotations

import re
from typing import Any, Final

from index.settings import SETTINGS_FILE, TABLE, Setting, Settings

_SET: Final = "（已设置，不显示）"
_UNSET: Final = "（未设置）"
_USER_INFO: Final = re.compile(r"(?<=://)[^/@\s]+@")


def shown_value(setting: Setting, settings: Settings) -> str:
    """The value as anybody may see it who may see settings at all."""
    value = settings.values[setting.name]
    if setting.secret:
        return _SET if value else _UNSET
    if isinstance(value, bool):
        return "是" if value else "否"
    return _USER_INFO.sub("***@", str(value))


def bounds(setting: Setting) -> str:
    """The allowed values in words, empty where anything goes."""
    if setting.choices:
        return "、".join(setting.choices)
    if setting.lowest is not None and setting.highest is not None:
        return f"{setting.lowest:g}–{setting.highest:g}"
    return ""


def settings_json(settings: Settings) -> dict[str, Any]:
    """The table for the page."""
    return {
        "home": str(settings.home),
        "file": str(settings.home / SETTINGS_FILE),
        "rows": [
            {
                "name": setting.name,
                "value": shown_value(setting, settings),
                "source": settings.sources[setting.name],
                "help": setting.help,
                "bounds": bounds(setting),
            }
            for setting in TABLE
        ],
    }
