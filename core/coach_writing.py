"""Writing answers: drafts, what is looked at before one is saved, and saving it so that nothing is lost."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from core.desk import Desk
from core.errors import NotFoundError
from core.form import QUICK, FormError, article_from, fields, filled_of, from_quick, new_id, quick
from core.likeness import resembling
from core.loop import Draft, Version
from core.model import Person
from core.screens import (
    MAX_ABOUT,
    Asked,
    Button,
    Entry,
    Form,
    Given,
    Line,
    Panel,
    Row,
    Screen,
    Told,
    Tone,
    Work,
    number_of,
)
from core.words import say, say_date, words
from knowledge.amounts import filled
from knowledge.article import Article, Change, Language, Status
from knowledge.lint import lint
from knowledge.moment import Moment
from knowledge.text import escaped

_VERSION = "_version"  # of the article that an edit began from
_AUTHOR = "_author"  # who wrote the message that it was made of
_KEPT = (_VERSION, _AUTHOR)
_MOST = 10


class Writing:
    """One method for each thing to do with an article."""

    def __init__(self, desk: Desk) -> None:
        """The desk knows."""
        self._desk = desk
        self.work: dict[str, Work] = {
            "add": self._add,
            "save": self._save,
            "edit": self._edit,
            "extend": self._extend,
            "point": self._point,
            "write": self._write,
            "full": self._full,
            "keep": self._keep,
            "again": self._again,
            "preview": self._preview,
            "clean": self._clean,
            "publish": self._publish,
            "drop": self._drop,
            "drafts": self._drafts,
            "verify": self._verify,
            "retire": self._retire,
            "retire_now": self._retire_now,
            "history": self._history,
            "restore": self._restore,
            "stale": self._stale,
            "approvals": self._approvals,
            "approve": self._approve,
            "agree": self._agree,
            "refuse": self._refuse,
        }

    # -- forms -------------------------------------------------------------------------------------------------------
    def _add(self, asked: Asked) -> Screen:
        """An answer of its own, to an open question or to none; what was filled in before is still there."""
        draft = self._draft_for(asked, "add", asked.about if asked.about.startswith("question ") else "")
        if not draft.filled.get("wordings") and not draft.filled.get("answer"):
            draft = self._kept(draft, self._wordings(asked))
        return self._form(draft, asked)

    def _wordings(self, asked: Asked) -> dict[str, str]:
        if number := _question_of(asked.about):
            texts = dict.fromkeys(one.answer.question for one in self._desk.store.question(number).requests)
            return {"wordings": "\n".join(list(texts)[:10])}
        return {"wordings": asked.about} if asked.about else {}

    def _save(self, asked: Asked) -> Screen:
        """A message as an answer: its author is credited."""
        given = asked.filled or {}
        draft = self._draft_for(asked, "add", "")
        filled = {"answer": given.get("text", ""), "wordings": "", _AUTHOR: given.get("author", "")}
        return self._form(self._kept(draft, filled), asked)

    def _edit(self, asked: Asked) -> Screen:
        """All of an article; a draft of it that was not saved is gone on with."""
        if not asked.about:
            return Told(say("coach.which", asked.language), asked.language)
        article = self._stored(asked.about)
        draft = self._draft_for(asked, "edit", article.id)
        if _VERSION not in draft.filled:
            now = filled_of(article, self._desk.zone) | {_VERSION: str(article.version)}
            draft = self._kept(draft, now)
        return self._form(draft, asked)

    def _extend(self, asked: Asked) -> Screen:
        """What people asked, or what was just written, into an article that is there."""
        source, _, article_id = asked.about.partition("|")
        article = self._stored(article_id)
        now = filled_of(article, self._desk.zone) | {_VERSION: str(article.version)}
        draft = self._draft_for(asked, "edit", article.id)
        if source.isdecimal():
            texts = [one.answer.question for one in self._desk.store.question(number_of(source)).requests]
            added = {"wordings": "\n".join(texts), _QUESTION: source}
        else:
            written = self._desk.store.draft(source, asked.person.id)
            added = from_quick(written.filled) if "answer" in written.filled else dict(written.filled)
            added["wordings"] = "\n".join((added.get("title", ""), added.get("wordings", "")))
            if number := _question_of(written.about):
                added[_QUESTION] = str(number)
        return self._form(self._kept(draft, _joined(now, added)), asked)

    def _form(self, draft: Draft, asked: Asked, errors: Mapping[str, str] = {}) -> Form:
        language = asked.language
        in_short = draft.kind == "add" and "title" not in draft.filled
        full = Button(say("coach.full", language), "full", draft.id)
        return Form(
            say(f"coach.form.{draft.kind}", language),
            "write",
            draft.id,
            say("coach.check", language),
            language,
            fields(draft.filled, language, quick=in_short, errors=errors),
            others=(full,) if in_short else (),
        )

    def _full(self, asked: Asked) -> Screen:
        """The same, with every field."""
        draft = self._filled(asked, asked.about)
        if "answer" in draft.filled:
            kept = {name: draft.filled[name] for name in _KEPT if name in draft.filled}
            draft = self._desk.store.keep_draft(
                replace(draft, filled=from_quick(draft.filled) | kept), self._desk.now()
            )
        return self._form(draft, asked)

    def _keep(self, asked: Asked) -> Screen:
        """Somebody closed the form: what is in it is still there next time."""
        what, _, draft_id = asked.about.partition("|")
        if what == "write":
            self._filled(asked, draft_id)
        return Told(say("coach.kept", asked.language), asked.language)

    def _again(self, asked: Asked) -> Screen:
        return self._form(self._desk.store.draft(asked.about, asked.person.id), asked)

    def _drop(self, asked: Asked) -> Screen:
        self._desk.store.drop_draft(asked.about, asked.person.id)
        return Told(say("coach.dropped", asked.language), asked.language)

    def _drafts(self, asked: Asked) -> Screen:
        language = asked.language
        entries = tuple(
            Entry(
                self._name(draft),
                say(f"coach.form.{draft.kind}", language),
                (
                    Button(say("coach.go_on", language), "again", draft.id, opens=True),
                    Button(say("button.drop", language), "drop", draft.id),
                ),
            )
            for draft in self._desk.store.drafts(asked.person.id)[:_MOST]
            if draft.kind in {"add", "edit"}
        )
        return Panel(
            say("coach.panel.drafts", language), language, entries or (Line(say("coach.no_drafts", language)),)
        )

    def _name(self, draft: Draft) -> str:
        wordings = (draft.filled.get("wordings") or draft.filled.get("answer") or "").strip().splitlines()
        return draft.filled.get("title") or (wordings[0] if wordings else draft.about) or "…"

    # -- before it is saved ------------------------------------------------------------------------------------------
    def _write(self, asked: Asked) -> Screen:
        """The form was sent: what is wrong stands next to its field, else this is how it will be."""
        draft = self._filled(asked, asked.about)
        try:
            article = self._made(draft, asked)
        except FormError as error:
            return self._form(draft, asked, _of_form(error.errors, draft))
        return self._checked(draft, article, asked)

    def _preview(self, asked: Asked) -> Screen:
        draft_id, _, moment = asked.about.partition("|")
        draft = self._desk.store.draft(draft_id, asked.person.id)
        chosen = Moment(moment) if moment in set(Moment) else None
        return self._checked(draft, self._made(draft, asked), asked, chosen)

    def _checked(self, draft: Draft, article: Article, asked: Asked, moment: Moment | None = None) -> Screen:
        language = asked.language
        found = self._desk.found_in("\n".join(draft.filled.get(name, "") for name in draft.filled if name[0] != "_"))
        items: list[Line | Entry | Row | Given] = []
        items += self._duplicates(draft, article, language)
        items += [Line(f"- {text}", Tone.SMALL) for text in self._remarks(article, language)]
        if found:
            items.append(Line(say("coach.personal", language, what=", ".join(dict.fromkeys(found)))))
        save = [Button(say("coach.publish", language), "publish", draft.id, primary=True)]
        if found:
            clean = Button(say("coach.clean", language), "clean", draft.id, primary=True)
            save = [clean, Button(say("coach.publish_anyway", language), "publish", f"{draft.id}|yes")]
        items.append(Row((*save, Button(say("coach.change_it", language), "again", draft.id, opens=True))))
        shape = self._desk.preview(article, moment or _first_moment(article), language)
        items.append(Given(shape))
        others = tuple(
            Button(say(f"reshape.{one}", language), "preview", f"{draft.id}|{one}")
            for one in (shape.card.moments if shape.card else ())
            if one is not shape.moment
        )
        items += [Line(say("coach.other_shapes", language), Tone.SMALL), Row(others)] if others else []
        return Panel(say("coach.so_it_will_be", language), language, tuple(items))

    def _duplicates(self, draft: Draft, article: Article, language: Language) -> Iterator[Line | Entry]:
        """What it resembles, to be added to instead."""
        if draft.kind != "add":
            return
        found = resembling(self._desk.index(), self._desk.embedder, [article.title, *article.aliases])
        if found:
            key = "dup.found" if len(found) == 1 else "dup.several"
            yield Line(say(key, language, title=escaped(found[0].title)))
        for like in found:
            about = f"{draft.id}|{like.id}"
            buttons = (Button(say("dup.update", language), "extend", about, opens=True),)
            yield Entry(like.title, "", buttons if len(about) <= MAX_ABOUT else ())

    def _remarks(self, article: Article, language: Language) -> list[str]:
        """What makes it hard to read mid-call; not what an answer given in passing lacks."""
        known = words(language)
        amounts = self._desk.store.amounts()
        rules = [finding.rule for finding in lint([filled(article, amounts)], now=self._desk.now())]
        return [known[f"coach.lint.{rule}"] for rule in dict.fromkeys(rules) if f"coach.lint.{rule}" in known]

    def _clean(self, asked: Asked) -> Screen:
        """Take out what was recognised."""
        draft = self._desk.store.draft(asked.about, asked.person.id)
        clean = {name: text if name[0] == "_" else self._desk.scrub_all(text) for name, text in draft.filled.items()}
        draft = self._desk.store.keep_draft(replace(draft, filled=clean), self._desk.now())
        return self._checked(draft, self._made(draft, asked), asked)

    # -- saving ------------------------------------------------------------------------------------------------------
    def _publish(self, asked: Asked) -> Screen:
        """Live at once, and whoever asked is told: one transaction, so that a crash leaves all of it or nothing."""
        draft_id, _, agreed = asked.about.partition("|")
        draft = self._desk.store.draft(draft_id, asked.person.id)
        try:
            article = self._made(draft, asked)
        except FormError as error:
            return self._form(draft, asked, _of_form(error.errors, draft))
        written = "\n".join(text for name, text in draft.filled.items() if name[0] != "_")
        if not agreed and self._desk.found_in(written):
            return self._checked(draft, article, asked)
        what = "edited" if draft.kind == "edit" else "added"
        number = _question_of(draft.about) or int(draft.filled.get(_QUESTION) or 0) or None
        done = self._put(article, what, asked, draft_id=draft.id, question_id=number)
        if done is None:
            return self._overtaken(draft, asked)
        return done

    def _put(
        self, article: Article, what: str, asked: Asked, *, draft_id: str | None = None, question_id: int | None = None
    ) -> Screen | None:
        """Save it, or have a second coach agree first; None when somebody else was faster."""
        language = asked.language
        if article.critical or self._was_critical(article.id):
            others = tuple(one.id for one in self._desk.store.colleagues() if one.id != asked.person.id)
            if not others:
                return Told(say("critical.alone", language), language)
            self._desk.store.propose(article, what, asked.person.id, self._desk.now(), others, draft_id)
            return Told(say("critical.proposed", language), language)
        if not self._desk.publish(article, what, asked.person.id, draft_id=draft_id, question_id=question_id):
            return None
        stored = self._stored(article.id)
        look = Button(say("coach.panel.edit", language), "edit", stored.id, opens=True)
        sentence = say(
            "coach.published" if question_id is None else "coach.published_told", language, title=stored.title
        )
        return Panel(say("coach.saved", language), language, (Line(sentence), Row((look,))))

    def _overtaken(self, draft: Draft, asked: Asked) -> Screen:
        """Two coaches at once: what only one of them changed is joined; the rest stands there twice, to choose from."""
        current = self._stored(draft.about)
        versions = self._desk.store.versions(current.id)
        base = next((one for one in versions if str(one.number) == draft.filled.get(_VERSION)), None)
        theirs = filled_of(current, self._desk.zone)
        before = filled_of(base.article, self._desk.zone) if base else theirs
        mine, errors = dict(draft.filled), {}
        for name, text in theirs.items():
            if mine.get(name, text) == before.get(name):
                mine[name] = text
            elif text not in {before.get(name), mine.get(name)}:
                errors[name] = "both"
                mine[name] = f"{mine[name]}\n\n{say('coach.theirs', asked.language)}\n{text}" if name in _LONG else text
        mine[_VERSION] = str(current.version)
        draft = self._desk.store.keep_draft(replace(draft, filled=mine), self._desk.now())
        return self._form(draft, asked, errors) if errors else self._checked(draft, self._made(draft, asked), asked)

    def _point(self, asked: Asked) -> Screen:
        """It is in that article already: its words are added, so that it is found next time, and the askers told."""
        number, _, article_id = asked.about.partition("|")
        question = self._desk.store.question(number_of(number))
        article = self._stored(article_id)
        asked_as = dict.fromkeys(one.answer.question for one in question.requests)
        known = {text.casefold() for text in (article.title, *article.aliases)}
        fresh = [text for text in asked_as if text.casefold() not in known and not self._desk.found_in(text)]
        aliases = () if article.critical else tuple(fresh[: max(0, 12 - len(article.aliases))])
        changed = replace(article, aliases=(*article.aliases, *aliases))
        if not self._desk.publish(changed, "edited", asked.person.id, question_id=question.id):
            return Told(say("error.busy", asked.language), asked.language)
        return Told(say("coach.published_told", asked.language, title=article.title), asked.language)

    # -- looking after it --------------------------------------------------------------------------------------------
    def _verify(self, asked: Asked) -> Screen:
        """Still right: for as long as was agreed, or half a year."""
        if not asked.about:
            return self._stale(asked)
        article = self._stored(asked.about)
        today = self._desk.today()
        changed = replace(article, verified=today, check_by=None, verify_every=article.verify_every or 180)
        return self._put(changed, "verified", asked) or Told(say("error.busy", asked.language), asked.language)

    def _retire(self, asked: Asked) -> Screen:
        if not asked.about:
            return Told(say("coach.which", asked.language), asked.language)
        article = self._stored(asked.about)
        button = Button(say("coach.retire_now", asked.language), "retire_now", article.id)
        sentence = Line(say("coach.retire_sure", asked.language, title=article.title))
        return Panel(say("coach.retire_now", asked.language), asked.language, (sentence, Row((button,))))

    def _retire_now(self, asked: Asked) -> Screen:
        article = replace(self._stored(asked.about), status=Status.RETIRED)
        return self._put(article, "retired", asked) or Told(say("error.busy", asked.language), asked.language)

    def _history(self, asked: Asked) -> Screen:
        """Who did what and when; any of it can be had back."""
        language = asked.language
        versions = self._desk.store.versions(asked.about)
        if not versions:
            return Told(say("coach.which", language), language)
        entries = tuple(self._version(one, language, restore=place > 0) for place, one in enumerate(versions[:_MOST]))
        return Panel(versions[0].article.title, language, entries)

    def _version(self, version: Version, language: Language, *, restore: bool) -> Entry:
        day = say_date(version.at.astimezone(self._desk.zone).date(), language)
        who = version.name or say("coach.somebody", language)
        about = f"{version.article.id}|{version.number}"
        back = (
            (Button(say("coach.restore", language), "restore", about),) if restore and len(about) <= MAX_ABOUT else ()
        )
        return Entry(f"{version.number} · {say(f'coach.did.{version.what}', language)}", f"{day} · {who}", back)

    def _restore(self, asked: Asked) -> Screen:
        article_id, _, number = asked.about.partition("|")
        old = next((one for one in self._desk.store.versions(article_id) if str(one.number) == number), None)
        if old is None:
            raise NotFoundError(f"There is no version {number[:20]!r} of {article_id[:60]!r}.")
        article = replace(old.article, version=self._version_now(article_id))
        return self._put(article, "restored", asked) or Told(say("error.busy", asked.language), asked.language)

    def _stale(self, asked: Asked) -> Screen:
        """What should have been checked again, by how many answers rest on it."""
        language = asked.language
        found = self._desk.overdue(asked.person)
        entries = tuple(self._overdue(article, count, language) for article, count in found[:5])
        return Panel(
            say("coach.panel.stale", language), language, entries or (Line(say("coach.none_stale", language)),)
        )

    def _overdue(self, article: Article, count: int, language: Language) -> Entry:
        since = article.check_by or article.verified or date.min
        detail = say(
            "coach.stale_since", language, date=say_date(since, language), count=str(count), owner=article.owner
        )
        buttons = (
            Button(say("coach.still_right", language), "verify", article.id, primary=True),
            Button(say("coach.panel.edit", language), "edit", article.id, opens=True),
            Button(say("coach.retire_now", language), "retire", article.id),
        )
        return Entry(article.title, detail, buttons if len(article.id) <= MAX_ABOUT else ())

    # -- critical articles take two ----------------------------------------------------------------------------------
    def _approvals(self, asked: Asked) -> Screen:
        language = asked.language
        entries = tuple(
            Entry(one.article.title, say("critical.by", language, name=one.name or say("coach.a", language)),
                  (Button(say("button.open", language), "approve", str(one.id)),))
            for one in self._desk.store.proposals() if one.by != asked.person.id
        )  # fmt: skip
        return Panel(
            say("coach.panel.approvals", language), language, entries or (Line(say("home.queue_none", language)),)
        )

    def _approve(self, asked: Asked) -> Screen:
        """What it is now and what it would be."""
        proposal = self._desk.store.proposal(number_of(asked.about))
        language = asked.language
        name = proposal.name or say("coach.a", language)
        lines: list[Line | Given | Row] = [Line(say("critical.why", language, name=name))]
        lines += [Line(text) for text in self._differences(proposal.article, language)]
        buttons = (
            Button(say("critical.agree", language), "agree", asked.about, primary=True),
            Button(say("critical.refuse", language), "refuse", asked.about),
        )
        preview = self._desk.preview(proposal.article, _first_moment(proposal.article), language)
        return Panel(proposal.article.title, language, (*lines, Row(buttons), Given(preview)))

    def _differences(self, article: Article, language: Language) -> Iterator[str]:
        """Field by field, the old first."""
        try:
            old = filled_of(self._stored(article.id), self._desk.zone)
        except NotFoundError:
            return
        for name, text in filled_of(article, self._desk.zone).items():
            if text != old[name]:
                label = say(f"coach.field.{name}", language)
                yield say("critical.was", language, what=label, old=old[name] or "–", new=text or "–")

    def _agree(self, asked: Asked) -> Screen:
        proposal = self._desk.store.proposal(number_of(asked.about))
        if proposal.by == asked.person.id:
            return Told(say("critical.not_you", asked.language), asked.language)
        announced = self._announced(proposal.article) if proposal.what == "changed" else None
        if not self._desk.publish(
            proposal.article, proposal.what, proposal.by, proposal_id=proposal.id, announced=announced
        ):
            return Told(say("critical.overtaken", asked.language), asked.language)
        return Told(say("coach.published", asked.language, title=proposal.article.title), asked.language)

    def _announced(self, article: Article) -> tuple[Change, tuple[str, ...]] | None:
        """The change that was to be made known, to whoever may see the article."""
        there = self._stored(article.id).changes
        fresh = [change for change in article.changes if change not in there]
        return (fresh[-1], article.audience) if fresh else None

    def _refuse(self, asked: Asked) -> Screen:
        self._desk.store.refuse(number_of(asked.about))
        return Told(say("critical.refused", asked.language), asked.language)

    # -- pieces ------------------------------------------------------------------------------------------------------
    def _made(self, draft: Draft, asked: Asked) -> Article:
        """The article that a draft makes; `FormError` when it does not."""
        before = None
        filled = draft.filled
        if draft.kind == "edit":
            base = self._base(draft)
            before = replace(base.article, version=base.number)
        elif "title" not in filled:
            if missing := {name: "nothing" for name in QUICK if not filled.get(name, "").strip()}:
                raise FormError(missing)
            filled = from_quick(filled)
        article_id = before.id if before else f"chat-{draft.id}"
        language = filled.get("language") or asked.language
        article = article_from(
            filled, before, article_id=article_id, language="en" if language == "en" else "nl", zone=self._desk.zone
        )
        if before is None:
            author = filled.get(_AUTHOR) or asked.name or self._called(asked.person)
            article = quick(article, author, self._desk.today())
            topic = article.topic or self._desk.topic_of(article)
            article = replace(article, topic=topic, id=self._new_id(article, draft))
        return article

    def _new_id(self, article: Article, draft: Draft) -> str:
        """The same each time for one draft, so that saving it twice makes one article."""
        return new_id(f"{article.title[:40]} {draft.id[:6]}", ())

    def _base(self, draft: Draft) -> Version:
        found = [one for one in self._desk.store.versions(draft.about) if str(one.number) == draft.filled.get(_VERSION)]
        if not found:
            raise NotFoundError(f"The version that this draft began from is not there: {draft.about[:60]!r}.")
        return found[0]

    def _called(self, person: Person) -> str:
        return next((one.name for one in self._desk.store.colleagues() if one.id == person.id), "")

    def _stored(self, article_id: str) -> Article:
        return self._desk.store.article(article_id)

    def _version_now(self, article_id: str) -> int:
        try:
            return self._stored(article_id).version
        except NotFoundError:
            return 0

    def _was_critical(self, article_id: str) -> bool:
        try:
            return self._stored(article_id).critical
        except NotFoundError:
            return False

    def _draft_for(self, asked: Asked, kind: str, about: str) -> Draft:
        """The draft of this form that is there, else a new one."""
        mine = self._desk.store.drafts(asked.person.id)
        there = next((one for one in mine if (one.kind, one.about) == (kind, about)), None)
        return there or self._desk.store.keep_draft(Draft("", asked.person.id, kind, about, {}), self._desk.now())

    def _kept(self, draft: Draft, filled: Mapping[str, str]) -> Draft:
        return self._desk.store.keep_draft(replace(draft, filled=dict(filled)), self._desk.now())

    def _filled(self, asked: Asked, draft_id: str) -> Draft:
        """Somebody's draft with what is filled in now."""
        draft = self._desk.store.draft(draft_id, asked.person.id)
        given = {name: text for name, text in (asked.filled or {}).items() if not name.startswith("_")}
        return self._kept(draft, draft.filled | given)


_QUESTION = "_question"
_LONG = {"verdict", "steps", "say", "trouble", "cannot", "background", "mandate", "wordings"}


def _question_of(about: str) -> int | None:
    """The number in "question 12"."""
    _, _, number = about.partition("question ")
    return number_of(number) if number.isdecimal() else None


def _first_moment(article: Article) -> Moment:
    return article.moments[0] if article.moments else Moment.APPLY


def _of_form(errors: Mapping[str, str], draft: Draft) -> dict[str, str]:
    """In the short form an error of a field that is not there stands next to the answer."""
    if draft.kind != "add" or "title" in draft.filled:
        return dict(errors)
    return {name if name in QUICK else "wordings" if name == "title" else "answer": key for name, key in errors.items()}


def _joined(there: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """What an article says with more below it; of what can be said only once, what it says already."""
    found = dict(there)
    for name, text in added.items():
        if name == "verdict":
            found["background"] = "\n\n".join(filter(None, (found.get("background", ""), text)))
        elif name in _LONG and text.strip() and text.strip() not in found.get(name, ""):
            found[name] = "\n".join(filter(None, (found.get(name, ""), text)))
        elif name.startswith("_") and name != _AUTHOR:
            found[name] = text
    return found
