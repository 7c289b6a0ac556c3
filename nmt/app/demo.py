"""The demonstration: a model that learns the phrase book, and one without attention."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from nmt import corpora, evaluation, phrasebook, training
from nmt.app.pages import check_replaceable, export
from nmt.config import Config
from nmt.evaluation import alignment_error, gold_sentences
from nmt.presets import PRESETS
from nmt.translation import Translator, translated

SAMPLES = 6
"""Held-out sentences that are printed, drawn, and made pages of."""

PAGES = "pages"
"""Folder of the pages, beside the models."""
MODELS = {"with attention": "model", "without attention": "model-without-attention"}


class Result(NamedTuple):
    """How well a model translates the held-out sentences.

    `alignment_error_rate` is `None` for a model without attention.
    """

    name: str
    exact_match: float
    bleu: evaluation.Score
    alignment_error_rate: float | None


def run(out, config: Config = PRESETS["demo"]) -> list[Result]:
    """Train on the phrase book with and without attention, and show what was learnt.

    Prints translations of held-out sentences and a table of scores, and writes
    pictures and pages of the attention. What an earlier call has trained is used.

    Args:
        out: Folder for the models, the pictures and the pages.
        config: Settings of the model with attention.

    Returns:
        The results with and without attention.

    Raises:
        UserError: If `out` holds models of other settings, or pages made by others.
    """
    out = Path(out)
    check_replaceable(out / PAGES, SAMPLES)  # before the minutes that training takes
    corpus = corpora.load("phrasebook", "en", "es")
    configs = (config, config.replace(attention="none"))
    translators = {}
    for (name, folder), settings in zip(MODELS.items(), configs, strict=True):
        print(f"Training {name} in {out / folder}", flush=True)
        training.train(corpus, settings, out / folder)
        translators[name] = Translator.load(out / folder)
    translator = translators["with attention"]
    phrases = telling_phrases(phrasebook.generate().test)
    _show_samples(translator, phrases, out)
    results = [_result(name, translators[name], corpus) for name in MODELS]
    _show_table(results, len(corpus.splits["test"].source))
    print(f'\nTry: nmt translate --model {out / "model"} "{phrases[0].english}"')
    return results


def telling_phrases(phrases, count: int = SAMPLES) -> list[phrasebook.Phrase]:
    """Choose short phrases whose words change their order most, unlike each other.

    Args:
        phrases: Sequence of `Phrase`.
        count: How many to choose.
    """

    def crossings(phrase):
        links = sorted(phrase.sure)
        return sum(
            before[1] > after[1]
            for place, before in enumerate(links)
            for after in links[place + 1 :]
        )

    short = [phrase for phrase in phrases if len(phrasebook.words(phrase.english)) < 10]
    ordered = sorted(short or phrases, key=crossings, reverse=True)
    # One of each opening before a second of any: else all would be questions.
    openings: Counter[str] = Counter()
    turns = []
    for phrase in ordered:
        opening = phrase.english.split()[0]
        turns.append(openings[opening])
        openings[opening] += 1
    places = sorted(range(len(ordered)), key=turns.__getitem__)
    return [ordered[place] for place in places[:count]]


def _show_samples(translator, phrases, out):
    print("\nHeld-out sentences:")
    translations = translated(translator, [phrase.english for phrase in phrases])
    paths = []
    for number, (phrase, translation) in enumerate(
        zip(phrases, translations, strict=True), 1
    ):
        right = translation.text == phrase.spanish
        note = "" if right else f"   (right: {phrase.spanish})"
        print(f"  {phrase.english}\n    {translation.text}{note}")
        paths.append(out / f"alignment-{number}.svg")
        translation.plot(paths[-1])
    index = export(translations, out / PAGES)
    print(
        "\nWhere the model looked, drawn:",
        *(f"  {path}" for path in paths),
        "The same to point at, in a browser:",
        f"  {index}",
        sep="\n",
    )


def _result(name, translator, corpus):
    test = corpus.splits["test"]
    hypotheses = [one.text for one in translated(translator, test.source)]
    references = [[text] for text in test.target]
    error = None
    if translator.config.model.attention != "none":
        gold = gold_sentences(corpus, "test")
        error = alignment_error(translator, gold)
    bleu = evaluation.translation_scores(hypotheses, references)[0]
    return Result(name, evaluation.exact_match(hypotheses, references), bleu, error)


def _show_table(results, count):
    print(f"\nOn {count} sentences that were never seen in training:")
    print(f"  {'':<18}{'exact match':>12}{'BLEU':>8}{'alignment error rate':>23}")
    for result in results:
        error = result.alignment_error_rate
        print(
            f"  {result.name:<18}{result.exact_match:>12.1%}{result.bleu.value:>8.2f}"
            f"{'-' if error is None else format(error, '.3f'):>23}"
        )
    print(f"  BLEU: {results[0].bleu.signature}", flush=True)
