"""Draws noun phrases, pronouns and places for the phrase book."""

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TypeVar

from nmt.phrasebook import lexicon
from nmt.phrasebook.grammar import (
    THIRD,
    English,
    Nominal,
    Part,
    Spanish,
    agree,
    article,
    expression,
    name,
    pair,
)
from nmt.phrasebook.lexicon import Adjective, Noun

T = TypeVar("T")

PERSON = frozenset({"person"})
THINGS = frozenset({"thing", "clothes", "reading"})
_ANIMAL = frozenset({"animal"})
_BUILDING = frozenset({"building"})
_PLACE = frozenset({"place"})
_SMALL = frozenset({"small", "clothes"})
_SURFACE = frozenset({"surface"})
_CONTAINER = frozenset({"container"})
_POSSESSIVES = lexicon.DEFINITE[3:]
_POINTING = lexicon.DEFINITE[:3]


@cache
def nouns_of(*groups: frozenset[str]) -> tuple[Noun, ...]:
    """Returns the nouns that are of some kind of every group."""
    return tuple(
        noun for noun in lexicon.NOUNS if all(noun.kinds & group for group in groups)
    )


@cache
def adjectives_of(kinds: frozenset[str]) -> tuple[Adjective, ...]:
    """Returns the adjectives that suit a noun of these kinds."""
    return tuple(word for word in lexicon.ADJECTIVES if word.kinds & kinds)


class NounPhrases:
    """Draws noun phrases; the same seed draws the same ones on every machine.

    Args:
        seed: Seeds the draws. Only `random.Random.random` is used: its sequence is
            the same in every version of Python.
    """

    def __init__(self, seed: int):
        self._random = random.Random(seed)

    def chance(self, probability: float) -> bool:
        """Returns True with this probability."""
        return self._random.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        """Returns one of the items, each as likely as the others."""
        return items[int(self._random.random() * len(items))]

    def noun_phrase(
        self,
        nouns: Sequence[Noun],
        definite: bool = False,
        adjective: float = 0.35,
        owner: float = 0.08,
        plural: float = 0.35,
    ) -> Nominal:
        """Draws a noun phrase.

        Args:
            nouns: The nouns to choose from.
            definite: Whether to leave out phrases such as "a book" and "two books".
            adjective: Chance of an adjective.
            owner: Chance of a phrase such as "Ana's book", for nouns that allow it.
            plural: Chance of the plural, for nouns that have both numbers.
        """
        noun = self.pick(nouns)
        many = not noun.english[0] or bool(noun.english[1]) and self.chance(plural)
        head = name(noun.english[many], noun.spanish[many])
        person = 4 if many else THIRD
        phrase = Nominal(head, head.english, person, noun.gender, noun.kinds)
        choices = adjectives_of(noun.kinds)
        if choices and self.chance(adjective):
            quality = self.quality(phrase, self.pick(choices), 0.12)
        else:
            quality = Part()
        material = self._material() if "solid" in noun.kinds else Part()
        core = Part(
            quality.english + material.english + head.english,
            head.spanish + quality.spanish + material.spanish,
        )
        if not noun.kinds & {"person", "animal", "place"} and self.chance(owner):
            return replace(phrase, part=self._owned(phrase, noun, core))
        determiner = self._determiner(noun, many, definite)
        return replace(phrase, part=determiner + core)

    def quality(self, noun: Nominal, adjective: Adjective, very: float) -> Part:
        """Returns the adjective as it agrees with a noun, `very` by chance."""
        part = pair(adjective.english, agree(adjective.spanish, noun))
        if adjective.comparative and self.chance(very):
            return pair("very", "muy") + part
        return part

    def _material(self) -> Part:
        """Wooden: one word in English, two in Spanish."""
        if not self.chance(0.25):
            return Part()
        english, spanish = self.pick(lexicon.MATERIALS)
        word = English(english)
        return Part((word,), (Spanish("de", (), (word,)), Spanish(spanish, (word,))))

    def _determiner(self, noun: Noun, plural: bool, definite: bool) -> Part:
        mass = not noun.english[1] and noun.kinds & {"food", "drink"}
        if "family" in noun.kinds:
            choices = _POSSESSIVES
        elif definite or not noun.english[0] or self.chance(0.6):
            if self.chance(0.5):
                choices = _POINTING[:1]
            else:
                choices = _POINTING if "public" in noun.kinds else lexicon.DEFINITE
        elif mass:
            return Part()
        else:
            choices = lexicon.INDEFINITE
        english, spanish = self.pick(choices)
        if english[0] in ("the", "a"):
            return pair(english[plural], article(spanish, noun, plural))
        return pair(english[plural], spanish[2 * plural + (noun.gender == "f")])

    def _owned(self, phrase: Nominal, noun: Noun, core: Part) -> Part:
        """The girl's book, the window of the house: the owner follows in Spanish."""
        text = article(lexicon.DEFINITE[0][1], noun, phrase.plural)
        if "opening" in noun.kinds and "thing" not in noun.kinds:
            house = self.noun_phrase(nouns_of(_BUILDING), True, 0, 0, 0)
            return pair("the", text) + core + pair("of", "de") + house.part
        owner = self.person(plural=0).part
        mark = English("'s")
        the = Spanish(text, (), (mark, *phrase.head))
        return Part(
            (*owner.english, mark, *core.english),
            (the, *core.spanish, Spanish("de", (mark,)), *owner.spanish),
        )

    def person(self, plural: float = 0.35) -> Nominal:
        """Draws somebody: a name or a definite noun phrase."""
        if self.chance(0.2):
            text, gender = self.pick(lexicon.NAMES)
            part = pair(text, text)
            return Nominal(part, part.english, THIRD, gender, PERSON)
        return self.noun_phrase(nouns_of(PERSON), True, 0.15, plural=plural)

    def pronoun(self, asked: bool = False) -> Nominal:
        """Draws a personal pronoun; Spanish drops all but `él` and `ella`.

        As in talk, a question (`asked`) is about you, a statement about me or us. He
        and she are rarer, as they share their verb forms with all nouns.
        """
        number = self.pick((1, 1, 2, 4, 5) if asked else (0, 0, 0, 2, 3, 3, 3, 4, 5))
        english, _, _, spanish = lexicon.PRONOUNS[number]
        person = number if number < 5 else THIRD
        gender = "f" if english == "she" else "m"
        if spanish:
            part = pair(english, spanish)
            return Nominal(part, part.english, person, gender, PERSON)
        words = (English(english),)
        return Nominal(Part(words), words, person, gender, PERSON, dropped=words)

    def somebody(self, asked: bool = False) -> Nominal:
        """Draws a person as the subject of a statement or question."""
        return self.pronoun(asked) if self.chance(0.55) else self.person()

    def subject(self, asked: bool = False) -> Nominal:
        """Draws a subject that can act: mostly a person, else an animal."""
        if self.chance(0.9):
            return self.somebody(asked)
        return self.noun_phrase(nouns_of(_ANIMAL), True, 0.25)

    def place(self) -> Part:
        """Draws where somebody does something: near the museum."""
        where = self.noun_phrase(nouns_of(_PLACE), True, 0.12, plural=0)
        last = len(lexicon.PLACES) if "building" in where.kinds else 2
        return expression(self.pick(lexicon.PLACES[:last])) + where.part

    def spot(self, thing: Nominal) -> Part:
        """Draws where something lies or somebody stands: under the white bed."""
        if not thing.kinds & _SMALL or self.chance(0.25):
            return self.place()
        if self.chance(0.35):
            box = self.noun_phrase(nouns_of(_CONTAINER), True, 0.2, plural=0)
            return pair("in", "en") + box.part
        surface = self.noun_phrase(nouns_of(_SURFACE), True, 0.2, plural=0)
        return expression(self.pick(lexicon.SPOTS)) + surface.part
