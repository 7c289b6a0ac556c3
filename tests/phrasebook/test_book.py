"""The built-in corpus: sizes, hold-out, one translation, agreement, word links."""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from nmt.errors import UserError
from nmt.phrasebook import lexicon
from nmt.phrasebook.book import (
    MAX_WORDS,
    MIN_WORDS,
    Phrase,
    Phrasebook,
    generate,
    words,
)
from nmt.phrasebook.grammar import English, Part, Spanish
from nmt.phrasebook.sentences import Sentences

SIDES = ("english", "spanish")


@pytest.fixture(scope="module")
def books() -> list[Phrasebook]:
    """The default corpus first, then two of other seeds, the last a smaller one."""
    return [generate(), generate(1), generate(2, 4000, 150, 300)]


@pytest.fixture(scope="module")
def phrases(books) -> list[Phrase]:
    return [phrase for book in books for phrase in everything(book)]


def everything(book: Phrasebook) -> tuple[Phrase, ...]:
    return book.train + book.validation + book.test


def plain(sentence: str) -> str:
    """The words of a sentence in lower case, one space between two of them."""
    return " ".join(words(sentence)).casefold()


def whole_words(pattern: str) -> re.Pattern[str]:
    """Compiles a pattern for `plain` sentences that matches no parts of words."""
    return re.compile(rf"(?<!\S)(?:{pattern})(?!\S)")


@pytest.fixture(scope="module")
def plain_pairs(phrases) -> list[tuple[str, str]]:
    return [(plain(phrase.english), plain(phrase.spanish)) for phrase in phrases]


def find(phrases: list[Phrase], english: str, spanish: str) -> Phrase:
    """The first phrase both of whose sides match a pattern."""
    return next(
        phrase
        for phrase in phrases
        if re.fullmatch(english, phrase.english)
        and re.fullmatch(spanish, phrase.spanish)
    )


# The corpus as a whole


def test_the_parts_have_the_sizes_asked_for(books):
    book = books[0]
    assert len(book.train) >= 8000
    assert len(book.validation) == 500
    assert len(book.test) >= 1000
    small = generate(0, train_size=7, validation_size=0, test_size=3)
    assert [len(small.train), len(small.validation), len(small.test)] == [7, 0, 3]


@pytest.mark.parametrize("side", SIDES)
def test_no_sentence_is_in_two_parts_whatever_the_seed(books, side):
    def sentences(part):
        return {getattr(p, side) for book in books for p in getattr(book, part)}

    train, validation, test = map(sentences, ("train", "validation", "test"))
    assert not train & test
    assert not train & validation
    assert not validation & test


def test_no_english_sentence_is_in_a_part_twice(books):
    for book in books:
        english = [phrase.english for phrase in everything(book)]
        assert len(set(english)) == len(english)


def test_every_english_sentence_has_one_translation(phrases):
    translations = {}
    for phrase in phrases:
        translations.setdefault(phrase.english, set()).add(phrase.spanish)
    assert not [found for found in translations.items() if len(found[1]) > 1]


@pytest.mark.parametrize("side", SIDES)
def test_sentences_are_neither_short_nor_long(phrases, side):
    for phrase in phrases:
        split = words(getattr(phrase, side))
        assert len(split) <= MAX_WORDS == 15
        assert sum(word[0].isalpha() for word in split) >= MIN_WORDS == 3


def test_at_least_150_lemmas_of_the_lexicon_are_in_the_training_part(books):
    met = {word.casefold() for p in books[0].train for word in words(p.english)}
    forms = [
        *[noun.english for noun in lexicon.NOUNS],
        *[(adjective.english,) for adjective in lexicon.ADJECTIVES],
        *{verb.base: (verb.base, verb.third) for verb in lexicon.VERBS}.values(),
    ]
    lemmas = {
        english
        for english in forms
        if any(set(form.split("_")) <= met for form in english if form)
    }
    assert len(lemmas) == len(forms)
    assert len(lemmas) >= 150


@pytest.mark.parametrize("side", SIDES)
def test_every_held_out_word_is_met_ten_times_in_training(books, side):
    book = books[0]

    def count(part):
        sentences = (getattr(phrase, side) for phrase in part)
        return Counter(w.casefold() for s in sentences for w in words(s))

    trained = count(book.train)
    rare = {
        w: trained[w] for w in count(book.test + book.validation) if trained[w] < 10
    }
    assert rare == {}


def test_two_processes_with_other_hash_seeds_generate_the_same_corpus():
    code = (
        "import hashlib\n"
        "from nmt.phrasebook import generate\n"
        "book = generate(5, 400, 40, 60)\n"
        "for phrase in book.train + book.validation + book.test:\n"
        "    print(phrase.english, phrase.spanish, sorted(phrase.sure),"
        " sorted(phrase.possible))\n"
    )
    outputs = set()
    for hash_seed in ("1", "2"):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": hash_seed,
            "PYTHONIOENCODING": "utf-8",
        }
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            check=True,
        )
        outputs.add(hashlib.sha256(done.stdout).hexdigest())
        assert len(done.stdout.splitlines()) == 500
    assert len(outputs) == 1


def test_another_seed_draws_other_sentences(books):
    assert books[0].train[:10] != books[1].train[:10]


def test_a_negative_size_is_refused():
    with pytest.raises(UserError, match="test_size must not be negative.*-1"):
        generate(test_size=-1)


def test_sizes_the_grammar_cannot_fill_are_refused(monkeypatch):
    word = English("ducks")
    part = Part((word,) * 3, (Spanish("patos", (word,)),) * 3)
    monkeypatch.setattr(Sentences, "draw", lambda self: (part, "."))
    with pytest.raises(UserError, match="too few sentences.*Ask for fewer"):
        generate(0, 2, 2, 2)


# The sentences


@pytest.mark.parametrize(
    ("sentence", "split"),
    [
        ("¿Duermes?", ["¿", "Duermes", "?"]),
        ("Ana's cup is big, but old.", "Ana 's cup is big , but old .".split()),
        ("Él está aquí.", ["Él", "está", "aquí", "."]),
    ],
)
def test_words_splits_marks_and_the_possessive_off(sentence, split):
    assert words(sentence) == split


@pytest.mark.parametrize("side", SIDES)
def test_sentences_are_written_as_usual(phrases, side):
    body = r"[^\W\d_]+(?:,? [^\W\d_]+|'s)*"
    question = rf"¿{body}\?" if side == "spanish" else rf"{body}\?"
    for phrase in phrases:
        sentence = getattr(phrase, side)
        assert re.fullmatch(rf"{body}\.|{question}", sentence), sentence
        assert sentence.lstrip("¿")[0].isupper()


def test_questions_are_questions_on_both_sides(phrases):
    for phrase in phrases:
        assert phrase.english.endswith("?") == phrase.spanish.startswith("¿")


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        # articles, gender and number
        ("the key", "la llave"),
        ("the keys", "las llaves"),
        ("a poem", "un poema"),
        ("these pencils", "estos lápices"),
        ("many (keys|cups|bags)", "muchas (llaves|tazas|bolsas)"),
        ("our sister", "nuestra hermana"),
        ("our brothers", "nuestros hermanos"),
        # a stressed a
        ("the water", "el agua"),
        ("the cold water", "el agua fría"),
        ("the eagle", "el águila"),
        ("an eagle", "un águila"),
        ("the eagles", "las águilas"),
        ("that classroom", "esa aula"),
        # adjectives after nouns, and agreement at a distance
        ("the (red|white|black) hats", "los sombreros (rojos|blancos|negros)"),
        ("the young nurse", "la enfermera joven"),
        ("the wooden (door|box)", "la (puerta|caja) de madera"),
        (
            "^(the|my) (boxes|keys|lamps) are broken",
            "(cajas|llaves|lámparas) están rotas",
        ),
        ("^the (girls|women|nurses) are tired", "^las \\w+ están cansadas"),
        ("(women|girls|nurses|sisters) are taller", "son más altas que"),
        (", but it is( not)? open", ", pero( no)? está (abierto|abierta)"),
        # contractions, possession, personal a
        ("near the park", "cerca del parque"),
        ("near the school", "cerca de la escuela"),
        ("the neighbour 's", "(del|al) vecino"),
        ("(ana|pablo) 's", "de (ana|pablo)"),
        ("(visited|helped|found|saw) the (doctor|man)(?! 's)", "al (médico|hombre)"),
        ("(visit|visits|visited|helped) ana", "a ana"),
        # compounds
        ("toothbrush", "cepillo de dientes"),
        ("ice creams", "helados"),
        ("washing machine", "lavadora"),
        ("train station", "estación de tren"),
        ("bookshop", "librería"),
        # dropped subjects, negation, object pronouns
        ("^i am going to", "^(me |te |los? |las? |les? )?voy a"),
        ("^we are hungry|because we are hungry", "tenemos hambre"),
        ("^i do not (buy|see|open) the", "^no (compro|veo|abro)"),
        ("^he does not (see|eat|have)", "^él no"),
        ("^she cannot", "^ella no"),
        ("does not (see|help|visit) us", "no nos (ve|ayuda|visita)"),
        ("did not (find|help|visit) him", "no lo"),
        ("did not (find|help|visit) her [.]", "no la"),
        ("(he|she|hugo|ana) sent them", "les envió"),
        ("(key|box|bag) and \\w+ it", "(llave|caja|bolsa)( \\w+)* y la"),
        ("coat and \\w+ it", "abrigo( \\w+)* y lo"),
        ("apples and \\w+ them", "manzanas( \\w+)* y las"),
        # verbs, some of which turn the sentence round
        ("(she|ana|hugo) has to", "tiene que"),
        ("^are you going to", "^¿ (me |nos |los? |las? |les? )?vas a"),
        ("^are you eating", "^¿ estás comiendo"),
        ("^there are two", "^hay dos"),
        ("^do you like", "^¿ te gustan?"),
        ("^i like (apples|biscuits)", "^me gustan las (manzanas|galletas)"),
        ("^i like (coffee|wine|cheese)", "^me gusta el (café|vino|queso)"),
        ("plays? (the|my) piano", "toc\\w+( \\w+)* (el|mi) piano"),
        ("^(?!what).* play in the (park|forest)", "j\\w+( \\w+)* en (el|la)"),
        ("^why", "^¿ por qué"),
    ],
)
def test_a_known_phrase_has_its_known_translation(plain_pairs, english, spanish):
    source, target = whole_words(english), whole_words(spanish)
    found = [pair for pair in plain_pairs if source.search(pair[0])]
    assert found
    assert [pair for pair in found if not target.search(pair[1])] == []


@pytest.mark.parametrize(
    ("side", "wrong"),
    [
        ("english", r"a [aeiou]\w*|an [^aeiou]\w*"),
        ("english", r"^(he|she) (do|are|have|am)|^(i|you|we|they) (does|is|has)"),
        ("english", r"(two|three|many|these|those) \w+ is"),
        ("english", r"(man|boy|girl|doctors?) and \w+ (for )?(it|them)"),
        ("spanish", r"(a|de) el"),
        ("spanish", r"(la|una) (agua|águila|aula)"),
        ("spanish", r"(la|las|una|unas) \w+ (rojos?|pequeños?|rotos?|negros?)"),
        ("spanish", r"(libro|vestido|coche|perro)s? (roj|pequeñ|rot|negr)as?"),
        ("spanish", r"^(los|las) \w+ (no )?(está|es|tiene|puede|va)"),
        ("spanish", r"no no|nunca no|no nunca"),
        ("spanish", r"yo|tú|nosotros|ellos"),
    ],
)
def test_what_would_be_wrong_is_never_said(plain_pairs, side, wrong):
    pattern = whole_words(wrong)
    sentences = (pair[SIDES.index(side)] for pair in plain_pairs)
    assert [sentence for sentence in sentences if pattern.search(sentence)] == []


# The links


def test_links_are_in_range_and_sure_ones_are_possible(phrases):
    for phrase in phrases:
        rows, columns = len(words(phrase.english)), len(words(phrase.spanish))
        assert phrase.sure <= phrase.possible
        assert all(0 <= i < rows and 0 <= j < columns for i, j in phrase.possible)


def test_every_spanish_word_is_linked(phrases):
    for phrase in phrases:
        linked = {j for _, j in phrase.possible}
        assert linked == set(range(len(words(phrase.spanish))))


def test_most_words_are_surely_linked_to_one_word(phrases):
    spanish = sum(len(words(phrase.spanish)) for phrase in phrases)
    surely = sum(len({j for _, j in phrase.sure}) for phrase in phrases)
    links = sum(len(phrase.sure) for phrase in phrases)
    assert surely > 0.85 * spanish
    assert links < 1.05 * surely


def test_final_marks_are_linked(phrases):
    for phrase in phrases:
        last = (len(words(phrase.english)) - 1, len(words(phrase.spanish)) - 1)
        assert last in phrase.sure


def test_links_follow_translation_word_by_word(phrases):
    """Words with one meaning are linked to nothing but their translation."""
    known = {
        "not": {"no"},
        "cat": {"gato"},
        "bird": {"pájaro"},
        "toothbrush": {"cepillo", "dientes"},
        "machine": {"lavadora"},
        "station": {"estación"},
        "red": {"rojo", "roja", "rojos", "rojas"},
        "very": {"muy"},
        "wooden": {"madera"},
        "of": {"de", "del"},
        "yesterday": {"ayer"},
        "because": {"porque"},
        "us": {"nos"},
        "reading": {"leyendo"},
    }
    met = set()
    for phrase in phrases:
        english, spanish = words(phrase.english), words(phrase.spanish)
        for i, j in phrase.sure:
            if english[i] in known:
                met.add(english[i])
                assert spanish[j].casefold() in known[english[i]], phrase
    assert met == set(known)


@pytest.mark.parametrize(
    ("english", "spanish", "sure", "only_possible"),
    [
        (
            r"\w+ \w+ does not \w+ (us|me|him|them)\.",
            r"\w+ \w+ no \w+ \w+\.",
            {(0, 0), (1, 1), (3, 2), (5, 3), (4, 4), (6, 5)},
            {(2, 2), (2, 4)},
        ),
        (
            r"(I|We) \w+ the (big|small|red|blue|black|white|green) \w+\.",
            r"\w+ (el|la|los|las) \w+ \w+\.",
            {(1, 0), (2, 1), (4, 2), (3, 3), (5, 4)},
            {(0, 0)},
        ),
        (
            r"Is the \w+ (cold|hot|tired)\?",
            r"¿Está \w+ (el|la) \w+\?",
            {(0, 1), (3, 2), (1, 3), (2, 4), (4, 5)},
            {(0, 0), (4, 0)},
        ),
        (
            r"\w+ toothbrush(es)? (is|are) \w+\.",
            r"\w+ cepillos? de dientes \w+ \w+\.",
            {(0, 0), (1, 1), (1, 3), (2, 4), (3, 5), (4, 6)},
            {(1, 2)},
        ),
        (
            r"\w+ \w+ near the \w+\.",
            r"(Él|Ella|Ana|Carmen|Pablo|Hugo) \w+ cerca del \w+\.",
            {(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)},
            {(2, 3)},
        ),
        (
            r"I do not like \w+\.",
            r"No me gustan? (el|la|los|las) \w+\.",
            {(2, 0), (0, 1), (3, 2), (4, 4), (5, 5)},
            {(1, 0), (1, 2), (4, 3)},
        ),
        (
            r"\w+ \w+ (is|are) (taller|bigger|cheaper|uglier) than \w+ \w+\.",
            r"\w+ \w+ (es|son) más \w+ que \w+ \w+\.",
            {(0, 0), (1, 1), (2, 2), (3, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8)},
            set(),
        ),
    ],
)
def test_a_known_sentence_has_its_known_links(
    phrases, english, spanish, sure, only_possible
):
    phrase = find(phrases, english, spanish)
    assert phrase.sure == sure
    assert phrase.possible - phrase.sure == only_possible
