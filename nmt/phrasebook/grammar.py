"""The grammar of the phrase book: derives an English sentence with its Spanish one.

Both sides of a sentence grow together. A Spanish word remembers the English word
objects that determine it, so the word links are known whatever the word order.
Conventions on links, after Och and Ney (2003), "A Systematic Comparison of Various
Statistical Alignment Models", section 5: words that translate each other are sure;
idioms, and function words without a counterpart, are possible.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nmt.phrasebook import lexicon
from nmt.phrasebook.lexicon import Expression, Noun, Verb


@dataclass(eq=False, slots=True)
class English:
    """One English word of one sentence: an object of its own, so it can be linked."""

    text: str


@dataclass(eq=False, slots=True)
class Spanish:
    """One Spanish word and the English words it is linked to."""

    text: str
    sure: tuple[English, ...] = ()
    possible: tuple[English, ...] = ()


@dataclass(slots=True)
class Part:
    """A piece of a sentence in both languages, each in its own order."""

    english: tuple[English, ...] = ()
    spanish: tuple[Spanish, ...] = ()

    def __add__(self, other: "Part") -> "Part":
        return Part(self.english + other.english, self.spanish + other.spanish)


@dataclass(slots=True)
class Nominal:
    """A noun phrase or pronoun and what its neighbours must agree with.

    `person` is 0 to 4 for I, you, he, we, they. `dropped` holds the English pronoun
    of a subject that Spanish leaves to the verb; `head` the English noun or pronoun.
    """

    part: Part
    head: tuple[English, ...]
    person: int
    gender: str
    kinds: frozenset[str]
    dropped: tuple[English, ...] = ()

    @property
    def plural(self) -> bool:
        return self.person > 2


@dataclass(slots=True)
class Predicate:
    """A verb group. `auxiliary` precedes the English subject in a question."""

    auxiliary: tuple[English, ...]
    english: tuple[English, ...]
    negation: tuple[Spanish, ...]
    finite: Spanish
    spanish: tuple[Spanish, ...]


THIRD = 2
_YOU = 1
_PRETERITE = {2: 0, 4: 1}
_HEADS = {
    tense: next(verb for verb in lexicon.VERBS if verb.base == base)
    for tense, base in (("want", "want"), ("must", "have"))
}


def expression(fixed: Expression) -> Part:
    """Returns a fixed expression of the lexicon with its links."""
    english = tuple(English(word) for word in fixed.english)
    spanish = (
        Spanish(
            text, tuple(english[i] for i in sure), tuple(english[i] for i in possible)
        )
        for text, sure, possible in fixed.spanish
    )
    return Part(english, tuple(spanish))


def pair(english: str, spanish: str) -> Part:
    """Returns one English word with the Spanish word that it translates to."""
    word = English(english)
    return Part((word,), (Spanish(spanish, (word,)),))


def name(english_form: str, spanish_form: str) -> Part:
    """Returns a noun, each side of one word or a compound of several.

    Two words against three are crossed (`train station`, `estación de tren`); `de`
    has no counterpart and its links are possible ones.
    """
    english = tuple(English(word) for word in english_form.split("_"))
    texts = spanish_form.split("_")
    spanish = []
    for place, text in enumerate(texts):
        if text == "de":
            spanish.append(Spanish(text, possible=english))
        elif len(english) > 1 and len(texts) > 1:
            spanish.append(Spanish(text, (english[1] if place == 0 else english[0],)))
        else:
            spanish.append(Spanish(text, english))
    return Part(english, tuple(spanish))


def contracted(spanish: Sequence[Spanish]) -> list[Spanish]:
    """Joins `a el` to `al` and `de el` to `del`; the links are joined too."""
    result: list[Spanish] = []
    for word in spanish:
        if word.text == "el" and result and result[-1].text in ("a", "de"):
            before = result.pop()
            word = Spanish(
                before.text + "l",
                before.sure + word.sure,
                before.possible + word.possible,
            )
        result.append(word)
    return result


def with_articles(english: Sequence[English]) -> list[str]:
    """Returns the English texts with `a` as `an` before a vowel."""
    texts = [word.text for word in english]
    return [
        "an" if text == "a" and following[0] in "aeiou" else text
        for text, following in zip(texts, [*texts[1:], "."], strict=True)
    ]


def agree(forms: Sequence[str], noun: Nominal) -> str:
    """Picks among masculine and feminine singular, then plural, the noun's form."""
    return forms[2 * noun.plural + (noun.gender == "f")]


def tenses(subject: Nominal, verb: Verb) -> tuple[str, ...]:
    """Returns the tenses used with this subject and verb.

    "Do you eat" and "I ate" are left out, so that each form that is left is met often
    enough to be learnt from ten thousand sentences.
    """
    known = ["going", "can", "want", "must"]
    if subject.person != _YOU:
        known.append("present")
    if verb.past and subject.person in _PRETERITE:
        known.append("past")
    if verb.gerund:
        known.append("progressive")
    return tuple(known)


def article(forms: Sequence[str], noun: Noun, plural: bool) -> str:
    """Picks the form of `el` or `un`: masculine before a stressed a (el agua fría)."""
    feminine = noun.gender == "f" and not (noun.stressed and not plural)
    return forms[2 * plural + feminine]


def verb_group(
    subject: Nominal,
    verb: Verb,
    tense: str = "present",
    negated: bool = False,
    asked: bool = False,
) -> Predicate:
    """Builds the verbs of a clause, with do-support, negation and infinitives.

    Args:
        subject: What the finite verb agrees with.
        verb: The verb that carries the meaning.
        tense: One of `tenses(subject, verb)`.
        negated: Whether `not` is among the English words.
        asked: Whether the clause is a question whose subject follows the auxiliary.
    """
    auxiliary, main, finite = _finite(subject, verb, tense, negated or asked)
    if tense == "can" and negated:
        auxiliary = (English("cannot"),)
        finite = Spanish(finite.text, auxiliary, subject.dropped)
        negation = Part((), (Spanish("no", auxiliary),))
    elif negated:
        no = English("not")
        negation = Part((no,), (Spanish("no", (no,), auxiliary),))
    else:
        negation = Part()
    rest = _complement(verb, tense)
    particle = tuple(English(word) for word in [verb.particle] if word)
    if rest.spanish:
        last = rest.spanish[-1]
        last = Spanish(last.text, last.sure, particle)
        rest = Part(rest.english, (*rest.spanish[:-1], last))
    else:
        finite = Spanish(finite.text, finite.sure, finite.possible + particle)
    return Predicate(
        auxiliary=auxiliary,
        english=negation.english + main + rest.english + particle,
        negation=negation.spanish,
        finite=finite,
        spanish=rest.spanish,
    )


def _finite(
    subject: Nominal, verb: Verb, tense: str, with_do: bool
) -> tuple[tuple[English, ...], tuple[English, ...], Spanish]:
    """The English auxiliary, the English verb after it, the Spanish finite verb.

    The Spanish verb also carries possible links to a dropped subject and to words
    such as `do` that have no other counterpart.
    """
    person, dropped = subject.person, subject.dropped
    if tense == "can":
        can = (English("can"),)
        return can, (), Spanish(lexicon.CAN[person], can, dropped)
    if tense in ("progressive", "going"):
        be = (English(lexicon.BE[person]),)
        if tense == "progressive":
            text = lexicon.SPANISH_BE["estar"][person]
            return be, (), Spanish(text, be, dropped)
        going = (English("going"),)
        return be, going, Spanish(lexicon.GO[person], going, be + dropped)
    first = _HEADS.get(tense, verb)
    past, third = tense == "past", person == THIRD
    if with_do:
        auxiliary = (English("did" if past else "does" if third else "do"),)
        text = first.base
    else:
        auxiliary = ()
        text = first.past if past else first.third if third else first.base
    forms = first.preterite if past else first.present
    form = forms[_PRETERITE[person] if past else person]
    main = (English(text),)
    return auxiliary, main, Spanish(form, main, auxiliary + dropped)


def _complement(verb: Verb, tense: str) -> Part:
    """The infinitive or gerund that follows the finite verb, if any."""
    infinitive = pair(verb.base, verb.infinitive)
    if tense == "progressive":
        return pair(verb.gerund, verb.spanish_gerund)
    if tense == "can":
        return infinitive
    if tense == "want":
        return Part((English("to"),)) + infinitive
    if tense == "going":
        return pair("to", "a") + infinitive
    if tense == "must":
        return pair("to", "que") + infinitive
    return Part()


def clause(
    subject: Nominal,
    predicate: Predicate,
    tail: Part,
    clitic: Part | None = None,
    adverb: Part | None = None,
    asked: bool = False,
) -> Part:
    """Orders subject, verbs and the rest, as a statement or as a question.

    The clitic stands after the English verbs and before the Spanish ones; an adverb
    stands before the verb in both. In a question the subject follows the auxiliary in
    English, all verbs in Spanish.
    """
    clitic, adverb = clitic or Part(), adverb or Part()
    verbs = predicate.negation + clitic.spanish + (predicate.finite,)
    verbs = adverb.spanish + verbs + predicate.spanish
    if asked:
        english = predicate.auxiliary + subject.part.english
        spanish = verbs + subject.part.spanish
    else:
        english = subject.part.english + predicate.auxiliary
        spanish = subject.part.spanish + verbs
    english += adverb.english + predicate.english + clitic.english + tail.english
    return Part(english, spanish + tail.spanish)
