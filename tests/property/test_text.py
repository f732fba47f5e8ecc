"""Laws of the search form, for any text."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from index.text import (
    TermFinder,
    _character_by_character,
    lexical_tokens,
    matching_key,
    search_form,
)

ARCHIVAL = st.text(
    st.one_of(
        st.sampled_from(
            "人民代表大会預算執行〔2023〕１２号 \n\t\u3000·—-㈠㎡薴⺠ＡＢab12.,，。…ﬁİẞ"
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)


@given(ARCHIVAL)
def test_search_form_is_idempotent(raw: str) -> None:
    once = search_form(raw).text

    assert search_form(once).text == once


@given(ARCHIVAL)
def test_the_quick_way_gives_what_the_slow_way_gives(raw: str) -> None:
    assert search_form(raw) == _character_by_character(raw, ())


@given(ARCHIVAL)
def test_offsets_rise_and_end_at_the_raw_length(raw: str) -> None:
    twin = search_form(raw)
    offsets = list(twin.offsets)

    assert len(offsets) == len(twin.text) + 1
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(raw)
    assert all(0 <= offset < len(raw) for offset in offsets[:-1])


@given(ARCHIVAL, st.data())
def test_a_found_span_leads_back_to_raw_text_of_the_same_form(
    raw: str, data: st.DataObject
) -> None:
    twin = search_form(raw)
    if not twin.text:
        return
    start = data.draw(st.integers(0, len(twin.text) - 1))
    end = data.draw(st.integers(start + 1, len(twin.text)))
    begin, stop = twin.to_raw(start, end)

    assert 0 <= begin < stop <= len(raw)
    # A character that gives several may be cut in the form, never in raw: hence "in".
    assert twin.text[start:end].strip() in search_form(raw[begin:stop]).text


@given(ARCHIVAL, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=4))
def test_nothing_of_the_furniture_reaches_the_form(raw: str, spans: list[tuple[int, int]]) -> None:
    furniture = [(min(span), max(span)) for span in spans]
    hidden = {i for start, end in furniture for i in range(start, end)}

    assert not hidden & set(search_form(raw, furniture).offsets[:-1])


@given(ARCHIVAL)
def test_matching_key_ignores_spaces_and_is_idempotent(raw: str) -> None:
    key = matching_key(raw)

    assert matching_key(key) == key
    assert matching_key(" ".join(raw)) == key


@given(ARCHIVAL)
def test_every_short_chinese_string_of_a_text_is_among_its_tokens(raw: str) -> None:
    form = search_form(raw).text
    tokens = set(lexical_tokens(form))

    for first, second in pairwise(form):
        if "\u4e00" <= first <= "\u9fff" and "\u4e00" <= second <= "\u9fff":
            assert first + second in tokens


@given(ARCHIVAL, ARCHIVAL)
def test_terms_are_found_as_if_the_text_were_cut(asked: str, raw: str) -> None:
    """This test ensures that looking terms up finds what cutting the text would, no more."""
    terms = set(lexical_tokens(search_form(asked).text))
    form = search_form(raw).text

    for held in (form, form + search_form(asked).text):
        assert TermFinder(terms)(held) == terms & set(lexical_tokens(held))
