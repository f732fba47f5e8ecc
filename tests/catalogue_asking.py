"""Questions put to the catalogue of a store, as the assistant puts them."""

from __future__ import annotations

import datetime as dt

from assistant.catalogue_query import CatalogueResult, answers_from_catalogue, query_catalogue
from assistant.catalogue_view import CatalogueView
from assistant.gazetteer import Gazetteer
from assistant.question import read_question
from assistant.vocabulary import NO_VOCABULARY, Vocabulary
from index.access import EVERYTHING, Permitted
from index.settings import load_settings
from index.store import Store


def ask_catalogue(
    store: Store,
    text: str,
    permitted: Permitted = EVERYTHING,
    vocabulary: Vocabulary = NO_VOCABULARY,
) -> CatalogueResult | None:
    """The catalogue's answer, None when the question is not the catalogue's to answer."""
    gazetteer = Gazetteer(store.records())
    today = dt.date(2026, 11, 23)
    asked = read_question(text, gazetteer, today, vocabulary=vocabulary)
    view = CatalogueView(store.records(permitted))
    settings = load_settings(store.path.parent, environment={})
    result = query_catalogue(asked, view, store, permitted, gazetteer, settings, today)
    return result if result is not None and answers_from_catalogue(asked, result) else None
