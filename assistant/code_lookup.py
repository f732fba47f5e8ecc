"""Records whose 档号 or 文号 stands in a question."""

from __future__ import annotations

import re
from collections.abc import Iterable

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
        for record in _loose_doc_numbers(question, store, permitted):
            named = True
            found.append(record)
    unique = {record.record_id: record for record in found}
    return list(unique.values()), named


def _loose_doc_numbers(question: str, store: Store, permitted: Permitted) -> Iterable[Record]:
    """国办函2005年69号: agency word, year and number without brackets."""
    form = search_form(question).text
    for match in re.finditer(r"((?:19|20)[0-9]{2})年?[第,， ]*([0-9]{1,4})号", form):
        left = form[max(0, match.start() - 12) : match.start()]
        for record in store.records(permitted):
            for number in find_doc_numbers(record.doc_no):
                if (
                    number.year == int(match.group(1))
                    and number.number == int(match.group(2))
                    and number.agency
                    and left.endswith(search_form(number.agency).text)
                ):
                    yield record
