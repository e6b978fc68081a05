"""Telling Dutch from English."""

import re
from functools import cache
from typing import Any

from knowledge.article import Language

_SURE = 0.6
_SURE_TO_KEEP = 0.9  # as the language of a person
_SURE_OF_A_FEW_WORDS = 0.97  # "incasso", "comelder piept" and "boiler E4" say next to nothing about a language
_FEW_WORDS = 2
_ENOUGH_WORDS = 4  # to tell somebody's language by; "bewindvoerder" has no English word, and "app login issue" no Dutch
# What only Dutch colleagues write, however English the rest: "klnt wil contract cancellen".
_DUTCH = frozenset(
    "klnt klant mw mnr mevr ivm nt ff wil een niet het ik hoe wat mag geen van voor incasso mislukt".split()
)
_A_WORD = re.compile(r"[^\W\d_]{3}")  # "F28" and "123" are in no language


@cache
def _identifier() -> Any:  # noqa: ANN401 - py3langid ships no types
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(["nl", "en"])
    return identifier


def told_language(text: str, *, to_keep: bool = False) -> Language | None:
    """The language a text is in; None when it is too short to tell, or too mixed to keep it as somebody's own."""
    if not _A_WORD.search(text):
        return None
    code, confidence = _identifier().classify(text[:1000])
    said = text[:1000].casefold().split()
    few = len(said) <= _FEW_WORDS
    if to_keep and len(said) < _ENOUGH_WORDS:
        return None
    if confidence < (_SURE_OF_A_FEW_WORDS if few else _SURE_TO_KEEP if to_keep else _SURE):
        return None
    if code == "en" and (to_keep or confidence < _SURE_OF_A_FEW_WORDS) and _DUTCH.intersection(said):
        return None
    return "nl" if code == "nl" else "en"


def language_of(text: str, *, otherwise: Language) -> Language:
    """The language a text is in, or `otherwise` when it is too short to tell."""
    return told_language(text) or otherwise


def language_of_locale(locale: str) -> Language | None:
    """`nl-NL` and `nl_BE` are Dutch, `en…` is English; anything else says nothing."""
    match locale[:2].lower():
        case "nl":
            return "nl"
        case "en":
            return "en"
    return None
