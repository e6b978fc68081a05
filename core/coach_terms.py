"""What words mean here: coaches teach the bot how people talk."""

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

from core.desk import Desk
from core.screens import Asked, Button, Entry, Field, FieldKind, Form, Line, Option, Panel, Row, Screen, Told, Work
from core.words import say
from knowledge.article import Language
from knowledge.glossary import LONGEST, Term

_MOST = 10
_APART = "|"  # a word may hold anything else, a space too


class Terms:
    """One method for each thing to do with words."""

    def __init__(self, desk: Desk) -> None:
        """The desk knows."""
        self._desk = desk
        self.work: dict[str, Work] = {
            "terms": self._terms,
            "term": self._term,
            "term_put": self._put,
            "term_drop": self._drop,
        }

    def _terms(self, asked: Asked) -> Screen:
        """Typed with what it means it is learnt at once; a word alone is looked up, and without one there is a list."""
        said, means, official = asked.about.partition("=")
        if means and said.strip() and official.strip():
            filled = {"said": said, "official": official, "language": asked.language, "kind": "synonym"}
            return self._put(replace(asked, filled=filled))
        wanted, language = asked.about.strip().casefold(), asked.language
        found = [one for one in self._desk.store.terms() if wanted in f"{one.said} {one.official}".casefold()]
        entries = tuple(self._entry(one, language) for one in found[:_MOST])
        about = say("term.none" if not found else "term.what", language, word=asked.about.strip())
        more = say("term.more", language, count=str(len(found) - _MOST)) if len(found) > _MOST else ""
        add = Row((Button(say("term.add", language), "term", asked.about.strip()[:LONGEST], opens=True, primary=True),))
        below = (Line(more),) if more else ()
        return Panel(say("coach.panel.terms", language), language, (Line(about), *entries, *below, add))

    def _entry(self, one: Term, language: Language) -> Entry:
        detail = [one.official, say("web.own_name", one.language)]
        detail += [say("term.short", language)] if one.kind == "abbreviation" else []
        drop = Button(say("term.drop", language), "term_drop", f"{one.language}{_APART}{one.said}")
        return Entry(one.said, " · ".join(detail), (drop,))

    def _term(self, asked: Asked) -> Screen:
        return self._form(asked, {"said": asked.about, "language": asked.language, "kind": "synonym"})

    def _form(self, asked: Asked, filled: Mapping[str, str], errors: Mapping[str, str] = {}) -> Form:
        language = asked.language
        options = {
            "language": tuple(Option(one, say("web.own_name", one)) for one in get_args(Language)),
            "kind": tuple(Option(one, say(f"term.kinds.{one}", language)) for one in ("synonym", "abbreviation")),
        }

        def field(name: str) -> Field:
            kind = FieldKind.ONE if name in options else FieldKind.LINE
            error = say(f"coach.error.{errors[name]}", language) if name in errors else ""
            value, label = filled.get(name, ""), say(f"term.{name}", language)
            return Field(name, label, kind, value, "", error, True, options.get(name, ()), LONGEST)  # noqa: FBT003

        fields = tuple(map(field, ("said", "official", "language", "kind")))
        return Form(say("term.add", language), "term_put", "", say("coach.save", language), language, fields)

    def _put(self, asked: Asked) -> Screen:
        filled = {name: " ".join(text.split()) for name, text in (asked.filled or {}).items()}
        said, official = (filled.get(name, "") for name in ("said", "official"))
        errors = {
            name: "nothing" if not text else "long"
            for name, text in (("said", said), ("official", official))
            if not 0 < len(text) <= LONGEST
        }
        if filled.get("language") not in get_args(Language):
            errors["language"] = "choose"
        if filled.get("kind") not in {"synonym", "abbreviation"}:
            errors["kind"] = "choose"
        if said and said.casefold() == official.casefold():
            errors["official"] = "same"
        if errors:
            return self._form(asked, filled, errors)
        self._desk.store.set_terms([Term(said.casefold(), official, filled["language"], filled["kind"])])  # type: ignore[arg-type]
        return Told(say("term.learnt", asked.language, said=said, official=official), asked.language)

    def _drop(self, asked: Asked) -> Screen:
        spoken, _, said = asked.about.partition(_APART)
        if spoken in get_args(Language):
            self._desk.store.drop_term(said, spoken)  # type: ignore[arg-type] # looked at just now
        return self._terms(replace(asked, about=""))
