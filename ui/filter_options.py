"""The conditions of `chadang ask`: years, types, sittings, fonds, departments."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from assistant.filters import Filters

_VALUES: Final = (
    ("--type", "types", "文种", "只查这个文种，如 建议；可写多次"),
    ("--session", "sessions", "届次", "只查这一届或这次会议，如 十五届人大二次会议；可写多次"),
    ("--fonds", "fonds", "全宗号", "只查这个全宗，如 J001；可写多次"),
    ("--organ", "departments", "机构", "只查这个机构（问题）形成的，照目录写法；可写多次"),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the conditions to a command."""
    group = parser.add_argument_group("检索条件")
    group.add_argument(
        "--year",
        metavar="年度",
        default="",
        help="只查这些年度：2018、2018-2020、2018-（以后）、-2020（以前）",
    )
    for flag, name, metavar, text in _VALUES:
        group.add_argument(flag, action="append", default=[], dest=name, metavar=metavar, help=text)


def filters_of(options: argparse.Namespace) -> Filters:
    """The conditions given on the command line.

    Raises:
        FilterError: If a year cannot be read or a value is too long.
    """
    from assistant.filters import read_filters, read_years  # heavy: not for `--help`

    first, last = read_years(options.year) if options.year else (None, None)
    body = {"first_year": first, "last_year": last}
    return read_filters(body | {name: getattr(options, name) for _, name, _, _ in _VALUES})
