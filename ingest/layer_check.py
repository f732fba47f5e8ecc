"""Whether the hidden text layer of a scan (双层 PDF) says what the picture shows. Pure.

Statistics of characters find wrong encodings, not bad recognition: a layer with 48 % of its
characters wrong looked perfect to them. So two pages are recognised again and compared. A layer
that is replaced stays in the store as the page's reading by the PDF reader (`Store.page_result`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from index.domain import PageChoice, TextSource
from ingest.page_text import PageText
from ingest.quality import SPARSE
from ingest.similarity import similarity

#: From this similarity on a layer is kept; a choice, not a measurement.
AGREEING: Final = 0.93
#: Recognition less sure of itself than this is no witness against a layer.
_WITNESS: Final = 0.85


def hidden_layers(pages: Mapping[int, PageText]) -> dict[int, PageText]:
    """Pages of a file whose text is the hidden layer of a scan."""
    return {n: p for n, p in pages.items() if p.hidden and p.source is TextSource.LAYER}


def sample_pages(layers: Mapping[int, PageText]) -> tuple[int, ...]:
    """The first and the middle page that hold enough text to compare, else any."""
    full = sorted(n for n, p in layers.items() if len("".join(p.raw.split())) >= SPARSE)
    numbers = full or sorted(layers)
    return tuple(sorted({numbers[0], numbers[len(numbers) // 2]})) if numbers else ()


def layer_agreement(
    layers: Mapping[int, PageText], recognised: Mapping[int, PageText]
) -> float | None:
    """The lower similarity of layer and recognition on the pages recognised again, 0..1.

    Returns:
        None when the recognition itself was too unsure to tell.
    """
    found = [
        similarity(layers[n].raw, page.raw)
        for n, page in recognised.items()
        if page.source is TextSource.OCR and (page.confidence or 0.0) >= _WITNESS
    ]
    return min(found) if found else None


def kept_layer(layer: PageText, agreement: float | None) -> PageText:
    """A page whose layer stays."""
    reason = (
        "扫描件自带文字层，重新识别不够清楚，无法核对，仍用原文字层" if agreement is None
        else f"扫描件自带文字层，抽页重新识别，相符 {agreement:.0%}，采用原文字层"
    )  # fmt: skip
    return replace(layer, choice=replace(layer.choice, reason=reason, agreement=agreement))


def replaced_layer(layer: PageText, recognised: PageText, agreement: float) -> PageText:
    """A page that was recognised again because the file's layer is not to be trusted."""
    if recognised.source is not TextSource.OCR:
        return layer  # nothing could be read: the old text is better than none
    reason = f"扫描件自带文字层，抽页重新识别，相符仅 {agreement:.0%}，改用重新识别"
    choice = replace(
        recognised.choice, reason=reason, agreement=agreement,
        bad=layer.choice.bad, common=layer.choice.common,
    )  # fmt: skip
    return replace(recognised, choice=choice)


def with_reason(drawn: PageText | None, recognised: PageText) -> PageText:
    """A recognised page with the reason why its text layer was not used."""
    if drawn is None or drawn.choice == PageChoice():
        return recognised
    choice = replace(drawn.choice, uncovered=recognised.choice.uncovered)
    return replace(recognised, choice=choice)
