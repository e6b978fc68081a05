import io

from rich.console import Console

from bots.terminal import render
from core.model import Answer, Card, Outcome, Suggestion
from core.words import say
from knowledge.article import Kind
from knowledge.shape import Part

STEPS = Part(Kind.STEPS, "Stappen", "1. Vraag de postcode.", "Nog 2 stappen onder Meer.")
CARD = Card(
    "move",
    1,
    "Verhuizing",
    "nl",
    "verhuizen",
    critical=False,
    first=(STEPS,),
    more=(),
    notes=("Dit geldt alleen voor zon.",),
    changed="Let op: sinds 1 september is dit gratis.",
)


def shown(answer):
    screen = io.StringIO()
    Console(file=screen, width=200).print(render(answer))
    return screen.getvalue()


def in_order(text, *sentences):
    places = [text.index(sentence) for sentence in sentences]
    return places == sorted(places)


def test_what_is_said_around_an_article_is_shown_above_it_and_below_its_steps():
    said = shown(Answer("a", Outcome.ANSWERED, "nl", "q", card=CARD))
    assert in_order(said, CARD.title, *CARD.notes, CARD.changed, "Vraag de postcode.", STEPS.below)


def test_a_refusal_gives_the_sentence_to_say_and_then_the_nearest_titles():
    refusal = Answer(
        "a",
        Outcome.UNANSWERED,
        "nl",
        "q",
        message=say("answer.none_near", "nl"),
        bridge=say("answer.bridge", "nl"),
        alternatives=(Suggestion("late", "Terugwerkend", "nl"),),
    )
    sentences = (refusal.message, refusal.bridge, say("answer.danger", "nl"), say("head.nearest", "nl"), "Terugwerkend")
    assert in_order(shown(refusal), *sentences)
