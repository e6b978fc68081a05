"""Follow-ups: what was said before helps to understand what makes no sense alone ("en zonder bon?").

A text that leans on what came before is searched for by itself and together with it, and the search that we are
surer of counts: a new subject in the same thread is still found by its own words. Measure changes with
`bijdehand evaluate followups`.
"""

import re
from collections.abc import Sequence

from core.confidence import Confidence
from core.search import Found

MOST_MESSAGES = 6
MOST_CHARACTERS = 1000

_FEW_WORDS = 3  # a question this short is seldom whole; with five, new subjects were taken for follow-ups
_SHORT = 6  # words, with which "het" or "there" may stand for what was said before
_LONG = 10  # words, from which a question is whole although it says "dat"
_REMARK = 2  # words; "goeie vraag" is no subject
_LOOKED_AT = 2000  # characters; more is a document
_CLAUSES = re.compile(r"[.,;:!()\n…]+|\s[-–—]+\s")
_ASKED = re.compile(r"\?(?!\w)")  # not the one in an address

_PREAMBLE = re.compile(
    r"^(?:(?:hoi|hey|hi|hallo|hello|ok|okay|oke|oké|ja|nee|yes|no|top|vraagje|ff|even|eh|en|maar|dus|of|want|and|but|so|or"
    r"|ook|also)\s)+"
)
_SUBJECT_NL = r"(?:ik|jij|je|u|wij|we|hij|ie|zij|ze|dat|dit|die|deze|het|t|er|iemand|iem|de|een|n|kl\w*nt|mw|mnr)"
_SUBJECT_EN = r"(?:i|you|u|we|they|he|she|it|this|that|those|there|the|a|an|any\w*|some\w*|my|his|her|their|cust\w*)"
_QUESTION = re.compile(
    r"(?:(?:tot|per|vanaf|bij|met|naar|van|op|in|voor|aan|at|by|to|for|from|with|until)\s)?"
    r"(?:hoe(?!\sdan\sook)\w*|wat(?!\seen?\b)|welke?|wie|waar\w*|wanneer|how|hows|what(?!\san?\b)|whats|who|whos|whose"
    r"|which|where|wheres|when|why)\b"
    r"|(?:mag|mogen|kan|kun|kunnen|moet|moeten|zal|zou|hoef|hoeft|geldt|klopt|krijgt|kost|telt|is|zijn|was|weet|heeft"
    rf"|hebben|werkt|wordt|betaalt|maakt)\s{_SUBJECT_NL}\b"
    rf"|(?:can|could|may|should|shall|do|does|did|would|is|are|was|were|am|have|has|will)\s{_SUBJECT_EN}\b"
    r"|nu$"  # "en nu"
)
_ASKS_MIDWAY = re.compile(  # "klnt wil eerder weg hoe reken ik dat", "verlengen zonder afspraak kan dat"
    r"\b(?:(?:hoe|wat|waar|wanneer|welke?|hoeveel|how|what|where|when|which)\s(?:\w+\s)?(?:moet|mag|kan|doe|zeg|is|do|can"
    r"|should|does)|(?<!dan\s)(?<!nu\s)(?<!zo\s)(?:mag|moet|kan)\s(?:ik|je|we|dat|die)|wat\snu|now\swhat)\b"
)
_FOLLOWS = re.compile(  # "en go?", "ook als ie al betaald heeft", "same for variable"; not "en bedankt"
    r"(?:en|maar|dus|ook|of|zonder|and|but|so|also|or|without|even|same|zelfde)\s"
    r"(?!goed\b|ok|klaar|done|good|great|nice|dank|bedankt|than|thx|ja\b|nee\b|yes\b|no\b|nu\b|now\b|fine|gelukt)"
    r"|(?:wat\sals|what\sif|what\sabout|how\sabout)\b"
)
_POINTS = re.compile(
    r"\b(?:dat|die|dit|deze|hij|ie|ze|zij|m|hem|haar|that|this|its|they|them|those|he|hes|she|shes|him|her)\b"
)
_MAY_POINT = re.compile(r"\b(?:het|t|er|daar|dan|it|there|then)\b")  # "wie wint er vanavond bij het voetbal" does not


def is_question(text: str) -> bool:
    """Whether something is asked: by its mark, or by how any part of it opens. Statements that want help are not."""
    return bool(_ASKED.search(text)) or any(
        _FOLLOWS.match(clause) or _QUESTION.match(_PREAMBLE.sub("", clause)) or _ASKS_MIDWAY.search(clause)
        for clause in _clauses(text)
    )


def rewritten(text: str, before: Sequence[str]) -> str:
    """The text, whole, and then what it follows, the latest kept; what matters most stands first, never cut off."""
    latest = [said[-_LOOKED_AT:] for said in before[-MOST_MESSAGES:]]
    context = " ".join(" ".join(_subject(latest)).split())
    if len(context) > MOST_CHARACTERS:
        end = context[-MOST_CHARACTERS:]
        context = end.partition(" ")[2] or end  # from a whole word on
    return f"{text} {context}".rstrip()


def searched_text(text: str, before: Sequence[str]) -> str | None:
    """What to search for as well as the text; None when it stands by itself or asks nothing. `before`: oldest first.

    Give it what people said, not the titles of our answers: those pull a new question to the old article.
    """
    together = rewritten(text, before)
    return together if together != text.rstrip() and _leans(text) else None


def better(alone: Found, together: Found, confidence: Confidence) -> Found:
    """The search that we are surer of; without context when that is as good."""
    return max(alone, together, key=confidence.of)


def _subject(before: Sequence[str]) -> Sequence[str]:
    """From the last message that stands by itself on, without remarks: what was asked before that is another subject.

    With all of it, a single earlier subject undoes most of what context brings; so does "momentje hoor".
    """
    whole = (i for i, said in enumerate(before) if len(said.split()) > _REMARK and not _leans(said))
    kept = before[max(whole, default=0) :]
    return [*kept[:1], *(said for said in kept[1:] if len(said.split()) > _REMARK or is_question(said))]


def _leans(text: str) -> bool:
    """Whether a question opens as a follow-up, points at something, or is too short to be whole."""
    if not is_question(text):
        return False
    words = len(text.split())
    return words <= _FEW_WORDS or any(
        _FOLLOWS.match(clause)
        or (words <= _LONG and _POINTS.search(clause))
        or (words <= _SHORT and _MAY_POINT.search(clause))
        for clause in _clauses(text)
    )


def _clauses(text: str) -> list[str]:
    """Its parts as they sound: "What's" and "whats" are the same."""
    plain = text[:_LOOKED_AT].casefold().replace("'", "").replace("’", "")
    return [" ".join(part.split()) for part in _CLAUSES.split(plain) if part.strip()]
