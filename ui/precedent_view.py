"""Precedents as people read them: a time line for the terminal, the chat page and programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from assistant.domain import Answer, Citation, Listing, mark, record_reference
from assistant.matter import Basis, Matter, Step
from ui import strings
from ui.escaping import fold_quote, is_unreliable, md_escape, one_line

#: Matters whose steps stand open on the page; those after are folded, still in full.
_OPEN_MATTERS: Final = 3

Shown = Mapping[int, Citation | Listing]


def _shown(answer: Answer) -> Shown:
    both: dict[int, Citation | Listing] = {c.marker: c for c in answer.citations}
    return both | {row.marker: row for row in answer.listings}


def _grouped(matter: Matter) -> Iterator[Step | tuple[Step, ...]]:
    """Steps in order, those not found that stand together in one group."""
    missing: list[Step] = []
    for step in matter.steps:
        if step.missing:
            missing.append(step)
            continue
        if missing:
            yield tuple(missing)
            missing = []
        yield step
    if missing:
        yield tuple(missing)


def _missing_words(steps: tuple[Step, ...]) -> str:
    kinds = "、".join(step.kind.value for step in steps)
    return strings.step_missing(kinds, steps[0].searched)


def step_date(step: Step) -> str:
    """The date as printed; a bare run of digits (20180118) with its parts apart."""
    same = step.iso.replace("-", "") == step.date
    return step.iso if same else step.date


def _basis_words(step: Step) -> str:
    if step.basis is Basis.OWN:
        return ""
    return strings.step_basis(step.basis.value, step.evidence)


def _label(matter: Matter) -> str:
    parts = [matter.kind.value]
    if matter.label and matter.label != matter.title:
        parts.insert(0, matter.label)
    if matter.years and matter.years not in matter.label:
        parts.insert(0, matter.years)
    if matter.shared:
        parts.append(strings.SHARED_WORDS + "、".join(f"“{word}”" for word in matter.shared))
    return " · ".join(parts)


def _source(shown: Citation | Listing, step: Step) -> str:
    if isinstance(shown, Citation):
        return f"{_title(shown)}，{shown.place}"
    return f"{record_reference(shown.record)}，{strings.CATALOGUE_ONLY}"


def _title(citation: Citation) -> str:
    title = citation.record.title
    named = title if title.startswith("《") and title.endswith("》") else f"《{title}》"
    number = citation.record.marked("doc_no")
    return f"{named}，{number}" if number else named


# -- terminal -------------------------------------------------------------------------------------


def precedent_text(answer: Answer) -> str:
    """The matters as a time line in plain text, each step with its mark and reference."""
    shown = _shown(answer)
    return "\n\n".join(
        _matter_text(number, matter, shown)
        for number, matter in enumerate(answer.precedents, start=1)
    )


def _matter_text(number: int, matter: Matter, shown: Shown) -> str:
    lines = [f"【{number}】{one_line(matter.title)}", f"     {_label(matter)}"]
    first = True
    for item in _grouped(matter):
        if not first:
            lines.append("  ↓")
        first = False
        if isinstance(item, tuple):
            lines.append(f"  ○ {_missing_words(item)}")
        else:
            lines += _step_text(item, shown)
    return "\n".join(lines)


def _step_text(step: Step, shown: Shown) -> list[str]:
    guess = f"〔{Basis.GUESS.value}〕" if step.guessed else ""
    date = f"{step_date(step)}　" if step.date else ""
    found = shown[step.marker]
    lines = [f"  ● {date}{step.kind.value}{guess} {mark(step.marker)}"]
    if isinstance(found, Citation):
        quote = fold_quote(found.quote).replace("\n", "\n      ")
        lines[0] += f"「{quote}」"
    for marker in step.more:
        more = shown[marker]
        if isinstance(more, Citation):
            quote = fold_quote(more.quote).replace("\n", "\n      ")
            lines.append(f"      {mark(marker)}「{quote}」")
    for marker in step.results:
        result = shown[marker]
        if isinstance(result, Citation):
            lines.append(f"      {strings.RESULT}{mark(marker)}「{fold_quote(result.quote)}」")
    reference = found.reference if isinstance(found, Citation) else _source(found, step)
    lines.append(f"      —— {reference}")
    basis = _basis_words(step)
    if basis:
        evidence = f" {mark(step.evidence_marker)}" if step.evidence_marker else ""
        lines.append(f"      {basis}{evidence}")
    if step.also:
        lines.append(f"      {strings.handled_together(step.also)}")
    if isinstance(found, Citation) and is_unreliable(found.confidence):
        lines.append(f"      {strings.LOW_CONFIDENCE}")
    return lines


# -- the chat page --------------------------------------------------------------------------------


def precedent_blocks(answer: Answer, link: Callable[[int], str]) -> list[str]:
    """The matters as Markdown blocks, one each.

    Args:
        answer: The answer.
        link: Markdown of the button of a mark.
    """
    shown = _shown(answer)
    blocks = []
    for number, matter in enumerate(answer.precedents, start=1):
        head = (
            f"**{number}．{md_escape(one_line(matter.title))}**\n\n"
            f'<small class="cd-facts">{md_escape(one_line(_label(matter)))}</small>'
        )
        steps = "\n".join(
            _missing_item(item) if isinstance(item, tuple) else _step_item(item, shown, link)
            for item in _grouped(matter)
        )
        if number > _OPEN_MATTERS:
            found = sum(not step.missing for step in matter.steps)
            steps = (
                f"<details><summary>{strings.SHOW_STEPS.format(count=found)}</summary>"
                f"\n\n{steps}\n\n</details>"
            )
        blocks.append(f'<div class="cd-matter">\n\n{head}\n\n{steps}\n\n</div>')
    return blocks


def _missing_item(steps: tuple[Step, ...]) -> str:
    return f'- <small class="cd-missing">{md_escape(_missing_words(steps))}</small>'


def _step_item(step: Step, shown: Shown, link: Callable[[int], str]) -> str:
    found = shown[step.marker]
    guess = f' <small class="cd-guess">{Basis.GUESS.value}</small>' if step.guessed else ""
    date = f"{md_escape(step_date(step))}　" if step.date else ""
    lines = [f"**{step.kind.value}**{guess}　{date}{link(step.marker)}"]
    if isinstance(found, Citation):
        lines.append(f"「{_quote(found)}」")
    lines += [
        f"「{_quote(c)}」 {link(m)}" for m in step.more if isinstance(c := shown[m], Citation)
    ]
    results = [
        f"「{_quote(c)}」 {link(m)}" for m in step.results if isinstance(c := shown[m], Citation)
    ]
    if results:
        lines.append(f'<small class="cd-result">{strings.RESULT}</small>{"　".join(results)}')
    small = [_source(found, step), _basis_words(step)]
    if step.also:
        small.append(strings.handled_together(step.also))
    if isinstance(found, Citation) and is_unreliable(found.confidence):
        small.append(strings.LOW_CONFIDENCE)
    words = "　".join(md_escape(one_line(part)) for part in small if part)
    evidence = f" {link(step.evidence_marker)}" if step.evidence_marker else ""
    lines.append(f'<small class="cd-source">{words}</small>{evidence}')
    return "- " + "\n\n  ".join(lines) + "\n"


def _quote(citation: Citation) -> str:
    return md_escape(fold_quote(citation.quote)).replace("\n", "\n  ")


# -- programs -------------------------------------------------------------------------------------


def precedent_json(answer: Answer) -> list[dict[str, Any]]:
    """The matters for programs; `marker` numbers refer to the answer's citations and listings."""
    return [
        {
            "kind": matter.kind.value,
            "title": matter.title,
            "label": matter.label,
            "years": matter.years,
            "shared": list(matter.shared),
            "steps": [
                {
                    "step": step.kind.value,
                    "found": not step.missing,
                    "date": step.date,
                    "iso": step.iso,
                    "meeting": step.record.marked("meeting") if step.record else "",
                    "record_id": step.record.record_id if step.record else "",
                    "title": step.record.title if step.record else "",
                    "marker": step.marker,
                    "more": list(step.more),
                    "results": list(step.results),
                    "basis": "" if step.missing else step.basis.value,
                    "guessed": step.guessed,
                    "evidence": step.evidence,
                    "evidence_marker": step.evidence_marker,
                    "also": list(step.also),
                    "searched": step.searched,
                }
                for step in matter.steps
            ],
        }
        for matter in answer.precedents
    ]
