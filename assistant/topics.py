"""Topics to try on the page of precedents, taken from the titles of proposals and bills."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from index.domain import Record

_PROPOSAL: Final = re.compile(
    r"关于([^《》（）()〔〕]{3,30}?)(?:的问题)?的(?:建议|议案)(?:（[^（）]*）)?"
)
#: What is wanted done; the matter comes after it.
_WISH: Final = re.compile(
    r"^(?:请求|要求|进一步|切实|尽快|抓紧|大力|继续|加强|加快|加大|强化|推进|推动|促进|完善|规范|解决|制定|修改|修订|出台|做好|对)+"
)
_LONGEST: Final = 16
_FEWEST: Final = 3


def proposal_topics(records: Iterable[Record], most: int = 6) -> tuple[str, ...]:
    """Matters that proposals among these records raise, the latest first, each once.

    Args:
        records: What may be named to whoever sees the topics.
        most: How many at most.
    """
    found: dict[str, int] = {}
    for record in records:
        raised = _PROPOSAL.fullmatch(record.title.strip())
        if raised is None:
            continue
        topic = _WISH.sub("", raised[1])
        if _FEWEST <= len(topic) <= _LONGEST:
            found[topic] = max(found.get(topic, 0), record.year or 0)
    return tuple(sorted(found, key=lambda topic: (-found[topic], topic))[:most])
