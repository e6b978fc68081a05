"""Search by words: BM25 over stems and over character grams, each as a share of the best score there could be."""

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from knowledge.article import Language

Shares = npt.NDArray[np.float32]

_K1 = 1.2
_B = 0.75
_GRAM_SIZES = (3, 4, 5)
_MAX_QUERY_WORDS = 200  # a pasted document is not a question
_TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_STEMMER = {"nl": "dutch", "en": "english"}

# The stop words of Snowball (Dutch) and Lucene (English).
_STOP: dict[Language, frozenset[str]] = {
    "nl": frozenset(
        "aan al alles als altijd andere ben bij daar dan dat de der deze die dit doch doen door dus een eens en er "
        "ge geen geweest haar had heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je kan kon kunnen "
        "maar me meer men met mij mijn moet na naar niet niets nog nu of om omdat onder ons ook op over reeds te tegen "
        "toch toen tot u uit uw van veel voor want waren was wat werd wezen wie wil worden wordt zal ze zelf zich zij "
        "zijn zo zonder zou".split()
    ),
    "en": frozenset(
        "a an and are as at be but by for if in into is it no not of on or such that the their then there these they "
        "this to was will with".split()
    ),
}
# What makes a sentence a question says nothing about its subject.
_QUESTION: dict[Language, frozenset[str]] = {
    "nl": frozenset(
        "hoe wat waar wie wanneer waarom welke welk hoeveel kan kunt moet mag ik mijn mij me u uw je jij jouw we wij "
        "ons onze heb hebt heeft is zijn ben bent wordt worden doe doen ga gaat hoelang waarvoor waarmee krijg "
        "krijgt".split()
    ),
    "en": frozenset(
        "how what where who when why which can could should do does did i my me you your we our have has had am are is "
        "was be been will would get".split()
    ),
}


def words(text: str) -> list[str]:
    """Lower-case words; `e-mail` counts both as its parts and as one word, `foto's` as `foto`."""
    found: list[str] = []
    for token in _TOKEN.findall(text.lower()):
        word = token.replace("’", "'")
        if "-" in word:
            found += [part for part in word.split("-") if part]
        word = word.split("'")[0] or word
        found.append(word.replace("-", ""))
    return found


def content_words(text: str, language: Language) -> list[str]:
    """The words that carry meaning, in order."""
    return [word for word in words(text) if word not in _STOP[language] and (len(word) > 1 or word.isdigit())]


def query_words(text: str, question_language: Language, index_language: Language) -> list[str]:
    """A question's words as an index in some language knows them, unless nothing would be left."""
    kept = content_words(text, index_language)[:_MAX_QUERY_WORDS]
    drop = _QUESTION[index_language]
    if question_language != index_language:
        drop = drop | _QUESTION[question_language] | _STOP[question_language]
    return [word for word in kept if word not in drop] or kept


def stems(found: Iterable[str], language: Language) -> list[str]:
    """Snowball stems. A stemmer is not thread-safe, so each call has its own."""
    import Stemmer

    stemmed: list[str] = Stemmer.Stemmer(_STEMMER[language]).stemWords(list(found))
    return stemmed


def grams(found: Iterable[str]) -> list[str]:
    """All runs of three to five characters of each `<word>`: what typos and compounds still share."""
    runs: list[str] = []
    for word in found:
        marked = f"<{word}>"
        runs += [marked[i : i + size] for size in _GRAM_SIZES for i in range(len(marked) - size + 1)]
    return runs


def rarity(documents: int, found_in: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The weight of a term that so many of the documents have, as in BM25; always above 0."""
    return np.asarray(np.log(1 + (documents - found_in + 0.5) / (found_in + 0.5)))


class Postings:
    """BM25 over documents of terms, read-only once made."""

    def __init__(self, documents: Iterable[Sequence[str]]) -> None:
        """Count and weigh every term of every document, which are looked at one by one and not kept."""
        self._ids: dict[str, int] = {}
        ids, counts, places, lengths = array("i"), array("i"), array("i"), array("i")
        for place, document in enumerate(documents):
            lengths.append(len(document))
            for term, count in Counter(document).items():
                ids.append(self._ids.setdefault(term, len(self._ids)))
                counts.append(count)
                places.append(place)
        self.size = len(lengths)
        of_term = np.frombuffer(ids, np.int32) if ids else np.zeros(0, np.int32)
        by_term = np.argsort(of_term, kind="stable")
        found_in = np.bincount(of_term, minlength=len(self._ids)).astype(np.int64)
        self._until = np.concatenate([[0], np.cumsum(found_in)])  # where in the rows below each term's end
        self._places = np.array(places, np.int32)[by_term]
        # The last one is of a term that no document has.
        self._rarity = rarity(self.size, np.append(found_in, 0))
        counted = np.array(counts, np.float32)[by_term]
        mean = max(sum(lengths) / self.size, 1.0) if self.size else 1.0
        norms = (_K1 * (1 - _B + _B * np.array(lengths, np.float64) / mean)).astype(np.float32)
        self._weights = counted * np.float32(_K1 + 1) / (counted + norms[self._places])
        self._weights *= np.repeat(self._rarity[:-1].astype(np.float32), found_in)

    def shares(self, terms: Sequence[str]) -> Shares:
        """Each document's BM25 score divided by what a document that says everything would have: 0 to 1."""
        counted = Counter(terms)
        ids = np.array([self._ids.get(term, -1) for term in counted], np.int64)
        counts = np.fromiter(counted.values(), np.float64, len(counted))
        ideal = float(counts @ self._rarity[ids]) * (_K1 + 1)
        if not ideal:
            return np.zeros(self.size, np.float32)
        ids, counts = ids[ids >= 0], counts[ids >= 0]
        sizes = self._until[ids + 1] - self._until[ids]
        rows = runs(self._until[ids], sizes)
        weights = self._weights[rows] * np.repeat(counts / ideal, sizes)
        return np.bincount(self._places[rows], weights, minlength=self.size).astype(np.float32)


def runs(starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The numbers from each start on, as many as its size, one run after the other."""
    before = np.cumsum(sizes) - sizes
    return np.asarray(np.arange(sizes.sum()) + np.repeat(starts - before, sizes), np.int64)
