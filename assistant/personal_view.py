"""An answer as its reader may see it: quotations cut again where the reader has the right.

Everything before this works on masked text (`index.personal`): search, choice of quotations, time
lines, the language model. So nobody without the right can learn from an answer, nor from its
absence, whether a number stands in a record.
"""

from __future__ import annotations

from dataclasses import replace

from assistant.domain import Answer, Citation, Refusal
from index.access import may_see_personal
from index.domain import Reader
from index.personal import MASK
from index.store import Store


def as_seen(result: Answer | Refusal, store: Store, reader: Reader) -> Answer | Refusal:
    """The result with personal data unmasked in the quotations, for readers with the right."""
    if isinstance(result, Refusal):
        return result
    if MASK in result.direct:
        result = replace(result, direct="")
    if not may_see_personal(reader).allowed:
        return result
    citations = tuple(_clear(citation, store) for citation in result.citations)
    return result if citations == result.citations else replace(result, citations=citations)


def _clear(citation: Citation, store: Store) -> Citation:
    if MASK not in citation.quote:
        return citation
    page = store.page(citation.record.record_id, citation.page, clear=True)
    if page is None:
        return citation
    return replace(citation, quote=page.raw[citation.start : citation.end])
