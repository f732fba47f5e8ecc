"""Places the holdings speak of, read from the catalogue: 济宁 and 济宁市 are one place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

from index.domain import Record
from index.text import search_form

_SUFFIX: Final = "省|市|自治区|自治州|自治县|特别行政区|新区|县|区|州|盟|旗|镇|乡"
#: Not 玉石市场, 打招呼市民, 苏念安市长.
_FULL: Final = re.compile(rf"([\u4e00-\u9fff]{{2,4}}?)({_SUFFIX})(?!场|容|域|长(?!江)|民(?!政))")
_LEADING: Final = re.compile(
    rf"^(?:关于|在|对|经)?(?:[0-9]{{4}}年)?([\u4e00-\u9fff]{{2,5}}?)({_SUFFIX})(?!场|政|民|长|容|内|级|区|域|划|直|委|县|乡)"
)
#: Words that end like a place and are none.
_NOT_PLACES: Final = re.compile(
    r"关于|^管|[^图]们[省市县区镇乡]|城市|都市|本市|我市|全市|各市|该市|上市|超市|股市|门市|地市|县市|市县|本省|全省|我省|各省|外省|两省|三省|省市"
    r"|本县|全县|本区|全区|城区|市区|地区|小区|社区|园区|校区|辖区|片区|灾区|山区|库区|景区|街区|郊区|老区|农区|牧区"
    r"|启动区|核心区|先行区|试验区|合作区|保税区|风景区|名胜区|商务区|工业区|中心区|水源区|产区|林区|矿区|厂区|战区|选区|防区|禁区|专区|分区"
    r"|[一二三四五六七八九十几两]个[省市县区乡镇]|开发区|示范区|保护区|管理区|功能区|自治区|自治州|行政区|居民区|住宅区|禁养区|限养区|一般区|重点区|乡镇|城镇|村镇"
    r"|乡村|城乡|家乡|下乡|节省|市州|县区|市区县|公安|国旗|党旗|红旗|区县|哪个|几个|哪些|这个|那个|每个|多个|多少|目录|条例|办法|规定"
)
#: Characters that show that a match ran over a word border: 选的市长, 要求乡镇, 答复里说市里.
_FUNCTION_CHARACTERS: Final = frozenset(
    "的是了在有当选求里说对把让给和与及到从这那某每各着过被叫问请查哪几由讲推篇俺想没就还再种俩归跟我咱你她盲"
)
#: 山东大学, 上海路, 微山湖: what makes a short name part of another. 在东营大街上 is in 东营 all the same.
_GOES_ON: Final = re.compile("大(?:学|厦|酒店|饭店)|学院|学校|路|湖(?![北南])")
#: Where the name of a county may end: 河北区县 and 泰山区域 are none.
_COUNTY_END: Final = re.compile(r"[市县区旗](?![场域划县级])")
#: Provinces, so that a province no record is about is known as a place. Source: GB/T 2260.
_PROVINCES: Final = (
    "北京市 天津市 河北省 山西省 内蒙古自治区 辽宁省 吉林省 黑龙江省 上海市 江苏省 浙江省 安徽省 福建省 江西省 "
    "山东省 河南省 湖北省 湖南省 广东省 广西壮族自治区 海南省 重庆市 四川省 贵州省 云南省 西藏自治区 陕西省 "
    "甘肃省 青海省 宁夏回族自治区 新疆维吾尔自治区 台湾省 香港特别行政区 澳门特别行政区"
).split()
#: How people call some cities whose names are long.
_CALLED: Final = {
    "呼市": "呼和浩特",
    "乌市": "乌鲁木齐",
    "哈市": "哈尔滨",
    "齐市": "齐齐哈尔",
    "石市": "石家庄",
}
#: 砂石市场, 打招呼市民热线: only at the beginning of a clause or behind a small word.
_CALLED_SO: Final = re.compile(
    rf"(?:(?<![\u4e00-\u9fff])|(?<=[在查问和跟与是的]))(?:{'|'.join(_CALLED)})(?![场民容政面])"
)
_SHORT_PROVINCES: Final = {
    "内蒙古自治区": "内蒙古",
    "广西壮族自治区": "广西",
    "西藏自治区": "西藏",
    "宁夏回族自治区": "宁夏",
    "新疆维吾尔自治区": "新疆",
    "香港特别行政区": "香港",
    "澳门特别行政区": "澳门",
}


@cache
def _city_names() -> tuple[str, ...]:
    return _words_of("places.txt")


@cache
def _county_names() -> frozenset[str]:
    return frozenset(_words_of("counties.txt"))


@cache
def _county_lengths() -> tuple[int, ...]:
    return tuple(sorted({len(name) for name in _county_names()}))


def _is_word(name: str) -> bool:
    """Whether a place without its class word is an ordinary word: 和平区, 从化区, 泰山区."""
    return name in _county_names() and (
        any(c in _FUNCTION_CHARACTERS for c in name) or bool(_NOT_PLACES.search(name))
    )


def _words_of(file: str) -> tuple[str, ...]:
    text = Path(__file__).with_name(file).read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return tuple(word for line in lines for word in line.split())


def _is_no_place(name: str) -> bool:
    if name in _county_names():
        return False
    # 邹城市, 聊城市: the word 城市 inside is no sign against a name of one character before it.
    # 支持办第七届市运动会
    if any(c in _FUNCTION_CHARACTERS for c in name) or "届" in name:
        return True
    inner = name[:-2] if len(name) == 3 and name.endswith(("城市", "门市")) else name
    return inner in "大中小各全本我该新旧老" or bool(_NOT_PLACES.search(inner))


class Gazetteer:
    """Places by short and full name."""

    def __init__(self, records: Iterable[Record]) -> None:
        """Collect the places at the head of titles and authors."""
        full: Counter[str] = Counter()
        for record in records:
            for text in (record.title, *re.split(r"[;；、,，]", record.author)):
                match = _LEADING.match(search_form(text).text)
                if match and not _is_no_place(match.group(1) + match.group(2)):
                    full[match.group(1) + match.group(2)] += 1
        self._full: dict[str, str] = {}
        self._in_holdings = set(full)
        for name in _PROVINCES:
            short = _SHORT_PROVINCES.get(name, name[:-1])
            self._full[short] = name
            self._full[name] = name
        for name in _city_names():
            if name.endswith(("市", "州")) and len(name) > 2:
                self._full.setdefault(name, name)
            else:
                self._full.setdefault(name, f"{name}市")
                self._full.setdefault(f"{name}市", f"{name}市")
        for name, _ in full.most_common():
            short = re.sub(rf"(?:{_SUFFIX})$", "", name)
            self._full[name] = name
            if len(short) >= 2 and not self._knows_short(short) and not _is_word(name):
                self._full[short] = name
        self._counties = _county_names() - self._in_holdings
        names = sorted(self._full.keys() - self._counties, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, names)))

    def places_in(self, form: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Places named in a text.

        Args:
            form: Search form.

        Returns:
            Full names of known places in order, and full names as written of places no record's
            title or author begins with.
        """
        known: list[str] = []
        unknown: list[str] = []
        taken: list[tuple[int, int]] = []
        for match in _CALLED_SO.finditer(form):
            known.append(self._full[_CALLED[match.group()]])
            taken.append(match.span())
        named = list(self._named(form))
        known_at = {s: self._full.get(form[s:e], "") for s, e in named}
        cities = {s for s, n in known_at.items() if n[-1:] in "市州盟" and n not in _PROVINCES}
        for start, end in named:
            word = form[start:end]
            name = known_at[start]
            if word == name[:-1] and _GOES_ON.match(form, end):
                continue
            # 江苏无锡: of no other town of that province.
            if name in _PROVINCES and not name.endswith("市") and end in cities:
                taken.append((start, end))
                continue
            (known if name else unknown).append(name or word)
            taken.append((start, end))
        for match in _FULL.finditer(form):
            start, end = match.span()
            name = match.group()
            # 想查柳荫镇: what stands before the name is no part of it.
            begins = max(name.rfind(c) for c in "查问") + 1
            if begins and len(name) - begins > 2:
                name, start = name[begins:], start + begins
            if any(a < end and start < b for a, b in taken) or _is_no_place(name):
                continue
            # 8月1日港区代表
            if name[0] in "年月日号" and form[start - 1 : start].isdigit():
                continue
            # 璧山大兴镇 is 大兴镇 of 璧山区.
            inner = len(name) > 4 and any(name[:2] + c in _county_names() for c in "区县市")
            unknown.append(name[2:] if inner else name)
        return tuple(dict.fromkeys(known)), tuple(dict.fromkeys(unknown))

    def _named(self, form: str) -> Iterator[tuple[int, int]]:
        """Spans of listed names from left to right, the longest at each place.

        朝阳区 is not 朝阳市, 山东省 not 山东. Counties are looked up by where they end: a pattern of
        all 2,400 took a quarter of a second to compile.
        """
        counties = self._county_spans(form)
        at = 0
        while True:
            match = self._pattern.search(form, at)
            spans = [span for span in counties if span[0] >= at]
            if match:
                spans.append(match.span())
            if not spans:
                return
            start, end = min(spans, key=lambda span: (span[0], -span[1]))
            yield start, end
            at = end

    def _county_spans(self, form: str) -> list[tuple[int, int]]:
        return [
            (match.end() - length, match.end())
            for match in _COUNTY_END.finditer(form)
            for length in _county_lengths()
            if length <= match.end() and form[match.end() - length : match.end()] in self._counties
        ]

    def in_holdings(self, place: str) -> bool:
        """Whether some record's title or author begins with the place, given by its full name."""
        return place in self._in_holdings

    def _knows_short(self, short: str) -> bool:
        """Whether a short name already stands for a place of the holdings or a province."""
        known = self._full.get(short)
        return known is not None and (known in self._in_holdings or known in _PROVINCES)

    @staticmethod
    def short(name: str) -> str:
        """A place name without its last class word: 济宁市 → 济宁."""
        return _SHORT_PROVINCES.get(name) or re.sub(rf"(?:{_SUFFIX})$", "", name) or name
