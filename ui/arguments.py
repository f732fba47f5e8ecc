"""argparse that speaks Chinese: headings, usage line and error messages."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any, Final, NoReturn

#: What argparse says, in the order to try; groups are values to keep.
_MESSAGES: Final = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"the following arguments are required: (.*)", r"缺少参数：\1"),
        (r"unrecognized arguments: (.*)", r"不认识的参数：\1"),
        (
            r"argument (.*?): invalid choice: (.*) \(choose from (.*)\)",
            r"\1 的值 \2 不可用，可选：\3",
        ),
        (r"argument (.*?): invalid \w+ value: (.*)", r"\1 的值 \2 类型不对"),
        (r"argument (.*?): expected one argument", r"\1 后面要跟一个值"),
        (r"argument (.*?): expected at least one argument", r"\1 后面至少要跟一个值"),
        (r"argument (.*?): expected \d+ arguments?", r"\1 后面的值个数不对"),
        (r"argument (.*?): not allowed with argument (.*)", r"\1 不能与 \2 同时使用"),
        (r"argument (.*?): ignored explicit argument (.*)", r"\1 后面不跟值，多了 \2"),
        (r"ambiguous option: (.*?) could match (.*)", r"\1 不明确，可能是 \2"),
        (r"one of the arguments (.*) is required", r"必须给出其中之一：\1"),
        (r"argument (.*?): (.*)", r"\1：\2"),
    )
)


def in_chinese(message: str) -> str:
    """The Chinese of an argparse message; an unknown one stays as it is, introduced in Chinese."""
    for pattern, said in _MESSAGES:
        if match := pattern.fullmatch(message):
            return match.expand(said)
    return f"参数有误：{message}"


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def add_usage(
        self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None
    ) -> None:
        super().add_usage(usage, actions, groups, "用法：" if prefix is None else prefix)

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        if action.nargs == argparse.PARSER and isinstance(action.choices, dict):
            # argparse forgets that commands stand further in, and breaks the longest one's line.
            longest = max(map(len, action.choices))
            self._action_max_length = max(
                self._action_max_length, longest + self._current_indent + self._indent_increment
            )

    def _format_action(self, action: argparse.Action) -> str:
        text = super()._format_action(action)
        # The list of commands has its heading already; its own line would say it twice.
        return text.partition("\n")[2] if action.nargs == argparse.PARSER else text


class ChineseParser(argparse.ArgumentParser):
    """A parser whose every word to the user is Chinese.

    Positional arguments go into `.positionals`, options into `.options`: argparse's own groups
    have English headings.
    """

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", _Formatter)
        settings["add_help"] = False
        settings["allow_abbrev"] = False
        super().__init__(**settings)
        self.positionals = self.add_argument_group("参数")
        self.options = self.add_argument_group("选项")
        self.options.add_argument("-h", "--help", action="help", help="显示本说明并退出")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how to get help; exit with 2."""
        sys.stderr.write(f"{in_chinese(message)}。查看用法：{self.prog} --help\n")
        sys.exit(2)
