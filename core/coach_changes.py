"""What changes, what is so for some hours, and what works for colleagues: made known by coaches."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import get_args

from core.desk import Desk
from core.errors import NotFoundError
from core.loop import Announcement
from core.screens import (
    Asked,
    Button,
    Entry,
    Field,
    FieldKind,
    Form,
    Line,
    Option,
    Panel,
    Row,
    Screen,
    Told,
    Work,
    number_of,
)
from core.words import say, say_date
from knowledge.article import Change, Language, Loudness

ENOUGH = 5  # people: how far a change landed among fewer would tell who read it
_MOST = 10
_UNTIL = re.compile(r"\s+(?:tot|until|till)\s+(\d{1,2})[:.](\d{2})(?:\s+(.+))?$", re.IGNORECASE)
_LONGEST = timedelta(hours=24)


class Changes:
    """One method for each thing to make known."""

    def __init__(self, desk: Desk) -> None:
        """The desk knows."""
        self._desk = desk
        self.work: dict[str, Work] = {
            "change": self._change,
            "announce": self._announce,
            "changes": self._changes,
            "notice": self._notice,
            "notice_put": self._notice_put,
            "notice_end": self._notice_end,
            "tips": self._tips,
            "tip_show": self._tip_show,
            "tip_hide": self._tip_hide,
        }

    # -- a change ----------------------------------------------------------------------------------------------------
    def _change(self, asked: Asked) -> Screen:
        """Old and new, since when, for whom, and how loud."""
        if not asked.about:
            return Told(say("coach.which", asked.language), asked.language)
        self._desk.store.article(asked.about)
        return self._change_form(asked, {"since": self._desk.today().isoformat(), "loudness": "quiet"})

    def _change_form(self, asked: Asked, filled: Mapping[str, str], errors: Mapping[str, str] = {}) -> Form:
        language = asked.language
        loud = tuple(Option(one, say(f"change.{one}", language)) for one in get_args(Loudness))

        def field(name: str, kind: FieldKind = FieldKind.LINE, *, required: bool = False) -> Field:
            label, error = say(f"change.field.{name}", language), errors.get(name, "")
            said = say(f"coach.error.{error}", language) if error else ""
            options = loud if name == "loudness" else ()
            value = filled.get(name, "")
            return Field(name, label, kind, value, error=said, required=required, options=options, most=200)

        fields = (
            field("new", required=True),
            field("old"),
            field("since", FieldKind.DAY, required=True),
            field("applies_to"),
            field("why"),
            field("loudness", FieldKind.ONE, required=True),
            field("audience"),
        )
        title, submit = say("change.title", language), say("change.send", language)
        intro = Line(self._desk.store.article(asked.about).title)
        return Form(title, "announce", asked.about, submit, language, fields, (intro,))

    def _announce(self, asked: Asked) -> Screen:
        """It stands in the article and is told to those it is for, in one go."""
        filled = {name: " ".join(text.split()) for name, text in (asked.filled or {}).items()}
        errors = {} if filled.get("new") else {"new": "nothing"}
        try:
            since = datetime.combine(date.fromisoformat(filled.get("since", "")), time(), self._desk.zone)
        except ValueError:
            errors["since"] = "day"
            since = self._desk.now()
        if filled.get("loudness") not in get_args(Loudness):
            errors["loudness"] = "choose"
        if errors:
            return self._change_form(asked, filled, errors)
        loudness: Loudness = filled["loudness"]  # type: ignore[assignment] # looked at above
        said = {name: filled.get(name, "") for name in ("new", "old", "applies_to", "why")}
        change = Change(since.astimezone(UTC), loudness=loudness, **said)
        audience = tuple(filter(None, (one.strip() for one in filled.get("audience", "").split(","))))
        article = self._desk.store.article(asked.about)
        changed = replace(article, changes=(*article.changes, change))
        by, language = asked.person.id, asked.language
        if article.critical:
            others = tuple(one.id for one in self._desk.store.colleagues() if one.id != by)
            if not others:
                return Told(say("critical.alone", language), language)
            self._desk.store.propose(changed, "changed", by, self._desk.now(), others)
            return Told(say("critical.proposed", language), language)
        if not self._desk.publish(changed, "changed", by, announced=(change, audience)):
            return Told(say("error.busy", language), language)
        return Told(say(f"change.done_{loudness}", language), language)

    def _changes(self, asked: Asked) -> Screen:
        """How far each has landed: counts, and only where the audience is large enough."""
        language = asked.language
        entries = tuple(self._landed(one, language) for one in self._desk.store.announcements()[:_MOST])
        nothing = Line(say("change.none", language))
        return Panel(say("coach.panel.changes", language), language, entries or (nothing,))

    def _landed(self, one: Announcement, language: Language) -> Entry:
        day = say_date(one.since.astimezone(self._desk.zone).date(), language)
        key = "change.landed" if one.told >= ENOUGH else "change.few"
        counts = {"told": str(one.told), "read": str(one.read), "asked": str(one.asked)}
        try:
            title = self._desk.store.article(one.article_id).title
        except NotFoundError:
            title = one.article_id
        return Entry(title, f"{say('home.since', language, date=day)} · {say(key, language, **counts)}")

    # -- a notice ----------------------------------------------------------------------------------------------------
    def _notice(self, asked: Asked) -> Screen:
        """Typed with a time it stands at once; else there is a form, and those that hold now."""
        if match := _UNTIL.search(asked.about):
            filled = {
                "text": asked.about[: match.start()],
                "until": f"{int(match[1]):02}:{match[2]}",
                "topic": match[3] or "",
            }
            return self._notice_put(replace(asked, filled=filled))
        return self._notice_form(asked, {"text": asked.about})

    def _notice_form(self, asked: Asked, filled: Mapping[str, str], errors: Mapping[str, str] = {}) -> Form:
        language = asked.language

        def field(name: str, kind: FieldKind, most: int) -> Field:
            error = say(f"coach.error.{errors[name]}", language) if name in errors else ""
            label, required = say(f"notice.{name}", language), name != "topic"
            return Field(name, label, kind, filled.get(name, ""), error=error, required=required, most=most)

        fields = (
            field("text", FieldKind.LINE, 150),
            field("until", FieldKind.TIME, 5),
            field("topic", FieldKind.LINE, 150),
        )
        topics = ", ".join(sorted({one.topic for one in self._desk.index().articles if one.topic}))
        intro = Line(say("notice.topics", language, topics=topics[:600] or "–"))
        title, submit = say("coach.panel.notice", language), say("notice.send", language)
        return Form(title, "notice_put", "", submit, language, fields, (intro,))

    def _notice_put(self, asked: Asked) -> Screen:
        filled = {name: " ".join(text.split()) for name, text in (asked.filled or {}).items()}
        errors = {} if filled.get("text") else {"text": "nothing"}
        until = self._until(filled.get("until", ""))
        if until is None:
            errors["until"] = "time"
        topic = filled.get("topic", "").casefold()
        if topic and all(topic != one.topic.casefold() for one in self._desk.index().articles):
            errors["topic"] = "topic"
        if errors or until is None:
            return self._notice_form(asked, filled, errors)
        text = self._desk.scrub(filled["text"])[:150]
        number = self._desk.store.add_notice(text, topic, until, asked.person.id, self._desk.now())
        end = Button(say("notice.end", asked.language), "notice_end", str(number))
        said = Line(say("notice.up", asked.language, text=text, time=f"{until.astimezone(self._desk.zone):%H:%M}"))
        return Panel(say("coach.panel.notice", asked.language), asked.language, (said, Row((end,))))

    def _until(self, text: str) -> datetime | None:
        """The next time that the clock says so."""
        try:
            clock = time.fromisoformat(text)
        except ValueError:
            return None
        local = self._desk.now().astimezone(self._desk.zone)
        found = datetime.combine(local.date(), clock, self._desk.zone)
        return (found if found > local else found + _LONGEST).astimezone(UTC)

    def _notice_end(self, asked: Asked) -> Screen:
        self._desk.store.end_notice(number_of(asked.about), self._desk.now())
        return Told(say("notice.ended", asked.language), asked.language)

    # -- tips --------------------------------------------------------------------------------------------------------
    def _tips(self, asked: Asked) -> Screen:
        language = asked.language
        entries = tuple(
            Entry(
                tip.text,
                " · ".join((self._title(tip.article_id), tip.name or say("coach.somebody", language))),
                (
                    Button(say("tip.show", language), "tip_show", str(tip.id), primary=True),
                    Button(say("tip.hide", language), "tip_hide", str(tip.id)),
                ),
            )
            for tip in self._desk.store.tips()[:_MOST]
        )
        return Panel(say("coach.panel.tips", language), language, entries or (Line(say("tip.none", language)),))

    def _title(self, article_id: str) -> str:
        try:
            return self._desk.store.article(article_id).title
        except NotFoundError:
            return article_id

    def _tip_show(self, asked: Asked) -> Screen:
        self._desk.store.judge_tip(number_of(asked.about), shown=True)
        return self._tips(asked)

    def _tip_hide(self, asked: Asked) -> Screen:
        self._desk.store.judge_tip(number_of(asked.about), shown=False)
        return self._tips(asked)
