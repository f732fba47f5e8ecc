"""Records whose 档号 or 文号 stands in a question."""

from __future__ import annotations

import re
from typing import Final

from index.access import Permitted
from index.codes import find_doc_numbers, find_reference_codes, reference_key
from index.domain import Record
from index.store import Store
from index.text import matching_key, search_form


def look_up_codes(question: str, store: Store, permitted: Permitted) -> tuple[list[Record], bool]:
    """Records whose 档号 or 文号 stands in the question.

    Returns:
        The records found, in order of mention, and whether the question names any code at all.
    """
    found: list[Record] = []
    named = False
    numbers = find_doc_numbers(question)
    for number in numbers:
        named = True
        for candidate in number.candidates:
            records = store.find_by_key("doc_no", matching_key(candidate), permitted)
            if records:
                found += records
                break
    keys = {}
    for code in find_reference_codes(question):
        if any(n.start < code.end and code.start < n.end for n in numbers):
            continue
        named = True
        keys[code.key] = code.text
    if keys:
        for record in store.records(permitted):
            if record.reference_code and reference_key(record.reference_code) in keys:
                found.append(record)
        volumes = [
            record
            for record in store.records(permitted)
            if record.reference_code
            and any(reference_key(record.reference_code).startswith(key + "-") for key in keys)
        ]
        found += volumes
    if not numbers:
        said, loose = _loose_doc_numbers(question, store, permitted)
        named = named or said
        found += loose
    unique = {record.record_id: record for record in found}
    return list(unique.values()), named


_YEAR: Final = r"(?:19|20)?[0-9]{2}"
_HAN: Final = r"[\u4e00-\u9fff]"
#: 2005年的国办函第69号, 国办函2005年69号, 国办函2005-69.
_LOOSE: Final = re.compile(
    rf"(?<![0-9])(?P<y1>{_YEAR})年度?的?(?P<a1>{_HAN}{{2,10}}?)第?(?P<n1>[0-9]{{1,4}})号"
    rf"|(?P<a2>{_HAN}{{2,12}})(?P<y2>{_YEAR})(?:年[第,， ]*|[第,， ]+)(?P<n2>[0-9]{{1,4}})号"
    rf"|(?P<a3>{_HAN}{{2,12}})(?P<y3>{_YEAR})-(?P<n3>[0-9]{{1,4}})(?![0-9])"
)
_PLACES: Final = tuple(tuple(f"{kind}{i}" for i in (1, 2, 3)) for kind in "ayn")


def _loose_doc_numbers(
    question: str, store: Store, permitted: Permitted
) -> tuple[bool, list[Record]]:
    """Records by agency word, year and number as people say them.

    Returns:
        Whether such a number is named, and its records. Where the agency word begins is found by
        looking up every ending of what stands before the year or the number.
    """
    found: list[Record] = []
    named = False
    for match in _LOOSE.finditer(search_form(question).text):
        words, said, number = (next(filter(None, match.group(*x))) for x in _PLACES)
        year = int(said) + (0 if len(said) == 4 else 1900 if int(said) >= 49 else 2000)
        words = words.removesuffix("字")
        for start in range(len(words) - 1):
            key = matching_key(f"{words[start:]}〔{year}〕{int(number)}号")
            if records := store.find_by_key("doc_no", key, permitted):
                found += records
                break
        named = named or bool(found) or words.endswith(("发", "函"))
    return named, found
