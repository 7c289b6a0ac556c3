"""Draws the sentences of the phrase book from the grammar, at random but repeatably."""

from dataclasses import replace

from nmt.phrasebook import lexicon
from nmt.phrasebook.grammar import (
    THIRD,
    English,
    Nominal,
    Part,
    Spanish,
    agree,
    article,
    clause,
    expression,
    name,
    pair,
    tenses,
    verb_group,
)
from nmt.phrasebook.lexicon import Adjective, Verb
from nmt.phrasebook.noun_phrases import (
    PERSON,
    THINGS,
    NounPhrases,
    adjectives_of,
    nouns_of,
)

_VERBS = {verb.infinitive: verb for verb in lexicon.VERBS}
_GIVING = tuple(verb for verb in lexicon.VERBS if "gift" in verb.objects)
_INTRANSITIVE = tuple(verb for verb in lexicon.VERBS if "self" in verb.objects)
_TRANSITIVE = tuple(
    verb for verb in lexicon.VERBS if not verb.objects & {"self", "gift", "infinitive"}
)
_ON_PEOPLE = tuple(verb for verb in _TRANSITIVE if "person" in verb.objects)
_ON_THINGS = tuple(verb for verb in _TRANSITIVE if verb.objects - {"person", "place"})
_GETTING = tuple(
    _VERBS[word] for word in ("comprar", "encontrar", "buscar", "traer", "ver")
)
_USING = tuple(
    verb
    for verb in _ON_THINGS
    if verb not in _GETTING and verb is not _VERBS["escribir"]
)
# Verbs that other templates do not choose as well stand twice.
_USUAL = _TRANSITIVE + tuple(verb for verb in _TRANSITIVE if verb not in _GETTING)
_BY_ANIMALS = tuple(_VERBS[word] for word in ("dormir", "correr", "comer"))
_STRANGERS = tuple(noun for noun in nouns_of(PERSON) if "family" not in noun.kinds)
_SEEN = _STRANGERS + nouns_of(THINGS | {"animal"})
_COMPARED = tuple(word for word in lexicon.ADJECTIVES if word.comparative)
_DATIVES = ("me", "te", "le", "nos", "les", "le")
_ADVERBS = (("always", "siempre"), ("never", "nunca"), ("also", "también"))


class Sentences(NounPhrases):
    """Draws sentences; the same seed draws the same ones on every machine."""

    def __init__(self, seed: int):
        super().__init__(seed)
        # More general templates stand more than once: they have more to teach.
        self._templates = (
            *[self.action] * 7,
            *[self.pronoun_object] * 3,
            *[self.description] * 4,
            *[self.yes_no_question] * 4,
            *[self.open_question] * 3,
            *[self.location] * 2,
            *[self.giving] * 3,
            *[self.liking] * 2,
            *[self.two_actions] * 3,
            self.existence,
            *[self.comparison] * 2,
            self.reason,
            self.contrast,
            self.relative,
            self.who_question,
        )

    def draw(self) -> tuple[Part, str]:
        """Returns one sentence without its end mark, and the mark: `.` or `?`."""
        return self.pick(self._templates)()

    def _echo(self, subject: Nominal) -> Nominal:
        """The pronoun that takes a subject up again; Spanish always drops it."""
        if subject.dropped:
            text = subject.dropped[0].text
        elif subject.plural:
            text = "they"
        elif "person" not in subject.kinds:
            text = "it"
        else:
            text = "she" if subject.gender == "f" else "he"
        words = (English(text),)
        return replace(subject, part=Part(words), head=words, dropped=words)

    # What follows the verb

    def _object(self, verb: Verb, definite: bool) -> Part:
        things = verb.objects - {"person"}
        if "person" in verb.objects and (not things or self.chance(0.5)):
            return self._to_person(self.person())
        return self.noun_phrase(nouns_of(things), definite).part

    def _to_person(self, somebody: Nominal) -> Part:
        """A person as direct object: Spanish puts `a` before it."""
        a = Spanish("a", (), somebody.head)
        return Part(somebody.part.english, (a, *somebody.part.spanish))

    def _time(self, tense: str) -> Part:
        return expression(self.pick(lexicon.TIMES.get(tense, lexicon.TIMES["going"])))

    # Sentences

    def _verb(self, subject: Nominal) -> Verb:
        if "animal" in subject.kinds:
            return self.pick(_BY_ANIMALS)
        return self.pick(_USUAL if self.chance(0.7) else _INTRANSITIVE)

    def _tail(
        self, verb: Verb, tense: str, negated: bool, place: bool, time: bool
    ) -> Part:
        alone = "self" in verb.objects
        tail = Part() if alone else self._object(verb, negated)
        if place and self.chance(0.65 if alone else 0.15):
            tail += self.place()
        if time and self.chance(0.35):
            tail += self._time(tense)
        return tail

    def action(self) -> tuple[Part, str]:
        """The small boy does not eat the soup in the kitchen."""
        return self._action(self.subject())

    def relative(self) -> tuple[Part, str]:
        """The woman who works in the library reads a book."""
        somebody = self.noun_phrase(_STRANGERS, True, 0)
        linked = replace(somebody, part=pair("who", "que"))
        verb = self.pick(_INTRANSITIVE)
        part = clause(linked, verb_group(linked, verb), self.place())
        return self._action(replace(somebody, part=somebody.part + part))

    def who_question(self) -> tuple[Part, str]:
        """Who is painting the door?"""
        part = pair("who", "quién")
        somebody = Nominal(part, part.english, THIRD, "m", PERSON)
        return self._action(somebody)[0], "?"

    def _action(self, subject: Nominal) -> tuple[Part, str]:
        verb = self._verb(subject)
        tense = self._tense(subject, verb)
        negated = self.chance(0.3)
        adverb = None
        if tense in ("present", "past") and not negated and self.chance(0.15):
            adverb = pair(*self.pick(_ADVERBS))
        tail = self._tail(verb, tense, negated, place=True, time=adverb is None)
        group = verb_group(subject, verb, tense, negated)
        return clause(subject, group, tail, adverb=adverb), "."

    def _tense(self, subject: Nominal, verb: Verb) -> str:
        # Present and past have the most forms to learn.
        known = tenses(subject, verb)
        simple = [tense for tense in ("present", "past") if tense in known]
        if simple and self.chance(0.6):
            return self.pick(simple)
        # The progressive has a form for each verb, the rest share the infinitive.
        practice = [tense for tense in known if tense == "progressive"]
        return self.pick([*known, *practice])

    def pronoun_object(self) -> tuple[Part, str]:
        """The girl does not want to see him."""
        subject = self.somebody()
        if self.chance(0.6):
            verb = self.pick(_ON_PEOPLE)
            others = self._others(subject)
            _, english, spanish, _ = lexicon.PRONOUNS[self.pick(others)]
        else:
            verb = self.pick(_ON_THINGS)
            english, spanish = self.pick((("it", "lo"), ("them", "los")))
        tense = self._tense(subject, verb)
        group = verb_group(subject, verb, tense, self.chance(0.35))
        clitic = pair(english, spanish)
        tail = self._time(tense) if self.chance(0.4) else Part()
        return clause(subject, group, tail, clitic), "."

    def _others(self, subject: Nominal) -> tuple[int, ...]:
        """The places in `PRONOUNS` that the subject may act upon."""
        return (1, 2, 4, 5) if subject.person in (0, 3) else tuple(range(6))

    def two_actions(self) -> tuple[Part, str]:
        """The girl buys an apple and eats it: `it` agrees with apple in Spanish."""
        subject = self.somebody()
        while True:
            first, second = self.pick(_GETTING), self.pick(_USING)
            nouns = nouns_of(first.objects - PERSON, second.objects)
            common = set(tenses(subject, first)) & set(tenses(subject, second))
            if nouns:
                break
        tense = "past" if "past" in common and self.chance(0.4) else "present"
        thing = self.noun_phrase(nouns)
        silent = replace(subject, part=Part())
        word = English("them" if thing.plural else "it")
        form = agree(("lo", "la", "los", "las"), thing)
        clitic = Part((word,), (Spanish(form, (word,), thing.head),))
        return (
            clause(subject, verb_group(subject, first, tense), thing.part)
            + pair("and", "y")
            + clause(silent, verb_group(silent, second, tense), Part(), clitic)
        ), "."

    def giving(self) -> tuple[Part, str]:
        """The teacher gives us the books; my brother sends a letter to Ana."""
        subject = self.somebody()
        verb = self.pick(_GIVING)
        tense = self._tense(subject, verb)
        negated = self.chance(0.2)
        group = verb_group(subject, verb, tense, negated)
        gift = self.noun_phrase(nouns_of(THINGS), negated, owner=0).part
        if self.chance(0.6):
            other = self.pick(self._others(subject))
            clitic = pair(lexicon.PRONOUNS[other][1], _DATIVES[other])
            return clause(subject, group, gift, clitic), "."
        receiver = self.person(plural=0.5)
        to = pair("to", "a")
        le = Spanish("les" if receiver.plural else "le", (), to.english + receiver.head)
        return clause(subject, group, gift + to + receiver.part, Part((), (le,))), "."

    def yes_no_question(self) -> tuple[Part, str]:
        """Does the girl read the book?"""
        if self.chance(0.25):
            return self._asked_description()
        return self._question(Part(), place=True, time=True, negated=False)

    def open_question(self) -> tuple[Part, str]:
        """What is the boy eating? Where, when and why does he work?"""
        kind = self.pick(("what", "where", "when", "why", "be"))
        if kind == "be":
            thing = self.noun_phrase(nouns_of(THINGS), True)
            be = lexicon.BE[thing.person]
            estar = lexicon.SPANISH_BE["estar"][thing.person]
            return pair("where", "dónde") + pair(be, estar) + thing.part, "?"
        if kind == "what":
            subject = self.somebody(asked=True)
            verb = self.pick(_ON_THINGS)
            tense = self._tense(subject, verb)
            group = verb_group(subject, verb, tense, asked=True)
            tail = self._time(tense) if self.chance(0.5) else Part()
            what = pair("what", "qué")
            return what + clause(subject, group, tail, asked=True), "?"
        if kind == "why":
            word = English("why")
            front = Part((word,), (Spanish("por", (word,)), Spanish("qué", (word,))))
            return self._question(front, True, True, self.chance(0.5))
        front = pair(kind, "dónde" if kind == "where" else "cuándo")
        return self._question(front, kind == "when", kind == "where", negated=False)

    def _question(
        self, front: Part, place: bool, time: bool, negated: bool
    ) -> tuple[Part, str]:
        subject = self.subject(asked=True)
        verb = self._verb(subject)
        tense = self._tense(subject, verb)
        group = verb_group(subject, verb, tense, negated, asked=True)
        tail = self._tail(verb, tense, True, place, time)
        return front + clause(subject, group, tail, asked=True), "?"

    def _described(self, asked: bool = False) -> tuple[Nominal, Adjective]:
        adjective = self.pick(lexicon.ADJECTIVES)
        if "person" in adjective.kinds and self.chance(0.3):
            return self.pronoun(asked), adjective
        described = self.noun_phrase(nouns_of(adjective.kinds), True, 0, plural=0.5)
        return described, adjective

    def _copula(
        self, subject: Nominal, adjective: Adjective, negated: bool, very: float
    ) -> Part:
        """Is, and the adjective that agrees with the subject."""
        return self._be(subject, adjective.copula, negated) + self.quality(
            subject, adjective, very
        )

    def _be(self, subject: Nominal, copula: str, negated: bool = False) -> Part:
        be = English(lexicon.BE[subject.person])
        text = lexicon.SPANISH_BE[copula][subject.person]
        verb = Spanish(text, (be,), subject.dropped)
        if not negated:
            return Part((be,), (verb,))
        no = English("not")
        return Part((be, no), (Spanish("no", (no,)), verb))

    def description(self) -> tuple[Part, str]:
        """The soup is not very cold."""
        subject, adjective = self._described()
        return subject.part + self._copula(
            subject, adjective, self.chance(0.3), 0.3
        ), "."

    def _asked_description(self) -> tuple[Part, str]:
        """Is the soup cold? The Spanish subject stands last."""
        subject, adjective = self._described(asked=True)
        be = self._be(subject, adjective.copula)
        quality = self.quality(subject, adjective, 0.2)
        return Part(
            be.english + subject.part.english + quality.english,
            be.spanish + quality.spanish + subject.part.spanish,
        ), "?"

    def comparison(self) -> tuple[Part, str]:
        """My sister is taller than his brother."""
        adjective = self.pick(_COMPARED)
        kind = frozenset({self.pick(sorted(adjective.kinds))})
        subject = self.noun_phrase(nouns_of(kind), True, 0)
        if kind == PERSON and self.chance(0.5):
            subject = self.pronoun()
        named = "_".join(word.text for word in subject.head)
        others = [noun for noun in nouns_of(kind) if named not in noun.english]
        other = self.noun_phrase(others, True, 0)
        words = tuple(English(word) for word in adjective.comparative.split("_"))
        # "taller" is both "más" and "alto"; "more famous" goes word by word.
        form = agree(adjective.spanish, subject)
        more = Part(words, (Spanish("más", words[:1]), Spanish(form, words[-1:])))
        be = self._be(subject, adjective.copula)
        return subject.part + be + more + pair("than", "que") + other.part, "."

    def contrast(self) -> tuple[Part, str]:
        """The table is cheap, but it is not ugly."""
        others: list[Adjective] = []
        # With the other copula, the two qualities do not contradict each other.
        while not others:
            subject, first = self._described()
            suitable = adjectives_of(subject.kinds)
            others = [word for word in suitable if word.copula != first.copula]
        second = self.pick(others)
        echo = self._echo(subject)
        return (
            subject.part
            + self._copula(subject, first, False, 0.15)
            + pair(",", ",")
            + pair("but", "pero")
            + echo.part
            + self._copula(echo, second, self.chance(0.3), 0.15)
        ), "."

    def reason(self) -> tuple[Part, str]:
        """The boy does not sleep because he is hungry."""
        subject = self.somebody()
        verb = self.pick(_INTRANSITIVE)
        tense = self.pick(("present", "progressive", "can", "want"))
        group = verb_group(subject, verb, tense, self.chance(0.6))
        echo = self._echo(subject)
        be = English(lexicon.BE[echo.person])
        if self.chance(0.6):
            state, spanish = self.pick(lexicon.STATES)
            have = _VERBS["tener"].present[echo.person]
            has = Part((be,), (Spanish(have, (be,), echo.dropped),))
            end = echo.part + has + pair(state, spanish)
        else:
            feelings = [a for a in adjectives_of(PERSON) if a.copula == "estar"]
            end = echo.part + self._copula(echo, self.pick(feelings), False, 0.2)
        return clause(subject, group, Part()) + pair("because", "porque") + end, "."

    def location(self) -> tuple[Part, str]:
        """The keys are not on the table. Is the dog in the garden?"""
        kinds = THINGS if self.chance(0.6) else frozenset({"animal", "person"})
        subject = self.noun_phrase(nouns_of(kinds), True, 0.2)
        be = self._be(subject, "estar", self.chance(0.25))
        spot = self.spot(subject)
        if len(be.english) == 1 and self.chance(0.25):
            return Part(
                be.english + subject.part.english + spot.english,
                be.spanish + subject.part.spanish + spot.spanish,
            ), "?"
        return subject.part + be + spot, "."

    def existence(self) -> tuple[Part, str]:
        """There are two cats under the table."""
        while True:
            thing = self.noun_phrase(_SEEN, owner=0)
            if thing.part.english[0].text in ("a", "some", "two", "three", "many"):
                break
        there, be = English("there"), English(lexicon.BE[thing.person])
        hay = Spanish("hay", (), (there, be))
        part = thing.part + self.spot(thing)
        if self.chance(0.2):
            return Part((be, there), (hay,)) + part, "?"
        return Part((there, be), (hay,)) + part, "."

    def liking(self) -> tuple[Part, str]:
        """The boy likes apples: in Spanish, apples please him."""
        asked = self.chance(0.3)
        negated = not asked and self.chance(0.3)
        return self._liked(self.somebody(asked), negated, asked)

    def _liked(self, subject: Nominal, negated: bool, asked: bool) -> tuple[Part, str]:
        thing, plural = self._pleasure()
        third = subject.person == THIRD
        do = (English("does" if third else "do"),) if negated or asked else ()
        like = English("likes" if third and not do else "like")
        no = Part()
        if negated:
            word = English("not")
            no = Part((word,), (Spanish("no", (word,), do),))
        text = ("me", "te", "le", "nos", "les")[subject.person]
        if subject.dropped:
            receiver = (Spanish(text, subject.dropped),)
        else:
            a = Spanish("a", (), (*subject.head, like))
            dative = Spanish(text, (), (*subject.head, like))
            receiver = (a, *subject.part.spanish, *no.spanish, dative)
            no = replace(no, spanish=())
        pleases = Spanish("gustan" if plural else "gusta", (like,), do)
        named = subject.part.english
        english = do + named + no.english if asked else named + do + no.english
        return Part(
            (*english, like, *thing.english),
            (*no.spanish, *receiver, pleases, *thing.spanish),
        ), "?" if asked else "."

    def _pleasure(self) -> tuple[Part, bool]:
        """What is liked, and whether it is plural: to dance, apples, this coat."""
        if self.chance(0.3):
            verb = self.pick(_INTRANSITIVE)
            part = Part((English("to"),)) + pair(verb.base, verb.infinitive)
            return (part + self.place() if self.chance(0.4) else part), False
        if self.chance(0.5):
            noun = self.pick(nouns_of(frozenset({"food", "drink"})))
            plural = bool(noun.english[1])
            head = name(noun.english[plural], noun.spanish[plural])
            # English has no article where it speaks of apples in general.
            text = article(lexicon.DEFINITE[0][1], noun, plural)
            return Part((), (Spanish(text, (), head.english),)) + head, plural
        thing = self.noun_phrase(nouns_of(THINGS), True)
        return thing.part, thing.plural
