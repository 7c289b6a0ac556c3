"""Scores of a model on a test split: translations, attention, alignment."""

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from keras_attention import attention_concentration, attention_entropy
from nmt.corpora import Corpus
from nmt.errors import UserError
from nmt.evaluation.alignment import alignment_error
from nmt.evaluation.gold import GOLD, gold_sentences, has_own_links
from nmt.links import Aligner
from nmt.translation import CHUNK, translated


class Score(NamedTuple):
    """A sacreBLEU score from 0 to 100 (TER: from 0 up), and how it was computed."""

    name: str
    value: float
    signature: str


@dataclass(frozen=True)
class Evaluation:
    """What `nmt evaluate` says of one split.

    Attributes:
        corpus: Name of the corpus.
        source_language: Language translated from.
        target_language: Language translated to.
        text: Form of the text, `raw` or `tok`.
        split: Name of the split.
        num_sentences: Number of sentences translated.
        num_references: Number of reference translations.
        beam_size: Beam size of the search.
        scores: BLEU, chrF and TER.
        exact_match: Share of the translations that are a reference.
        token_accuracy: Share of the pieces of the references, ends included, that the
            model likes best, given the pieces before them.
        entropy: Mean entropy of the attention over the source pieces, 0 to 1, while
            the references are forced. `None` without attention.
        concentration: Mean of the largest weight of each row, likewise.
        seconds_per_sentence: Time of the search.
        alignment_error_rate: Against gold links; `None` where there are none.
        num_aligned: Number of sentence pairs with gold links.
        links: What linked words, `attention` or `best`; `None` where nothing could.
        shortlist: Pieces that were searched among; 0 for all.
        length_penalty: Of the search; `None` if none was given.
        coverage_penalty: Likewise.
    """

    corpus: str
    source_language: str
    target_language: str
    text: str
    split: str
    num_sentences: int
    num_references: int
    beam_size: int
    scores: tuple[Score, ...]
    exact_match: float
    token_accuracy: float
    entropy: float | None
    concentration: float | None
    seconds_per_sentence: float
    alignment_error_rate: float | None
    num_aligned: int
    links: str | None = "attention"
    shortlist: int = 0
    length_penalty: float | None = None
    coverage_penalty: float | None = None

    def to_dict(self) -> dict:
        """Return plain lists, dicts, strings and numbers, as JSON knows them."""
        values = dataclasses.asdict(self)
        values["scores"] = [score._asdict() for score in self.scores]
        return values

    def table(self) -> str:
        """Return the scores as text, one line each."""
        references = ""
        if self.num_references != self.num_sentences:
            references = f", {self.num_references} references"
        rows = [
            (score.name, f"{score.value:.2f}", score.signature) for score in self.scores
        ]
        rows += [
            ("exact match", f"{100 * self.exact_match:.1f} %", ""),
            ("token accuracy", f"{100 * self.token_accuracy:.1f} %", "forced"),
            ("entropy", _number(self.entropy), "of attention, 0 to 1"),
            ("concentration", _number(self.concentration), "largest weight, 0 to 1"),
            (
                "alignment error",
                _number(self.alignment_error_rate),
                self._told_of_links(),
            ),
            ("time", f"{self.seconds_per_sentence:.3f} s", "a sentence"),
        ]
        penalties = [
            f", {name} penalty {value:g}"
            for name, value in (
                ("length", self.length_penalty),
                ("coverage", self.coverage_penalty),
            )
            if value is not None
        ]
        shortlist = f", shortlist {self.shortlist}" if self.shortlist else ""
        lines = [
            f"{self.corpus} {self.source_language}-{self.target_language}, "
            f"{self.text} text, {self.split}: {self.num_sentences} sentences"
            f"{references}, beam {self.beam_size}{shortlist}" + "".join(penalties)
        ]
        lines += [
            f"  {name:<15} {value:>8}  {note}".rstrip() for name, value, note in rows
        ]
        return "\n".join(lines)

    def _told_of_links(self):
        if self.links is None:
            return "no attention: nothing links words"
        if not self.num_aligned:
            return "no gold links"
        where = "" if has_own_links(self.corpus) else f" of {GOLD}"
        return f"of {self.links}, on {self.num_aligned} pairs{where}"


def evaluate(
    translator,
    corpus: Corpus,
    split: str,
    beam_size: int = 5,
    data=None,
    progress: bool = False,
    aligner: Aligner | None = None,
    shortlist: int = 0,
    length_penalty: float | None = None,
    coverage_penalty: float | None = None,
) -> Evaluation:
    """Translate a split, force its references, and score both.

    Raw text is scored with case and the tokenisation `13a`; the publishers' tokens as
    they are, as papers on them do. A corpus with several translations of a sentence
    gives one row per distinct source sentence, all its translations being references,
    and BLEU without case as well.

    Args:
        translator: `nmt.Translator`.
        corpus: The corpus, in the translator's direction.
        split: Name of one of its splits.
        beam_size: Positive int.
        data: Data folder in which gold links are looked for.
        progress: Whether to show a progress bar when standard error is a terminal.
        aligner: What links words in place of attention.
        shortlist: Option of the translator.
        length_penalty: Likewise; `None` for its default.
        coverage_penalty: Likewise.

    Raises:
        UserError: If the corpus has no such split, or no pair in it has two sides.
    """
    if split not in corpus.splits:
        raise UserError(
            f"{corpus.name} has no split {split!r}. Known: {', '.join(corpus.splits)}."
        )
    pairs = corpus.splits[split]
    whole = _whole_pairs(translator, pairs)
    if not whole:
        raise UserError(
            f"{split} of {corpus.name} holds no pair of sentences: a side is always "
            "blank. Give text and its translation."
        )
    if corpus.grouped_references:
        sources, references = group_references(*pairs)
    else:
        sources, references = list(pairs.source), [[text] for text in pairs.target]
    options = {
        "shortlist": shortlist or None,
        "length_penalty": length_penalty,
        "coverage_penalty": coverage_penalty,
    }
    search = {name: value for name, value in options.items() if value is not None}
    search["beam_size"] = beam_size
    attends = translator.config.model.attention != "none"
    links = "best" if aligner else "attention" if attends else None
    # First what a file of known links may be refused for.
    gold = gold_sentences(corpus, split, data) if links else []
    error_rate = alignment_error(translator, gold, aligner) if gold else None
    # The first call builds the search.
    list(translated(translator, [whole[0][0]], **search))
    hypotheses, seconds = _translate(
        translator, sources, search, f"translating {split}" if progress else None
    )
    correct, entropy, concentration = _force(
        translator, whole, f"forcing {split}" if progress else None
    )
    return Evaluation(
        corpus=corpus.name,
        source_language=corpus.source_language,
        target_language=corpus.target_language,
        text=corpus.text,
        split=split,
        num_sentences=len(sources),
        num_references=len(pairs.source),
        beam_size=beam_size,
        scores=translation_scores(
            hypotheses,
            references,
            tokenized=corpus.text == "tok",
            grouped=corpus.grouped_references,
        ),
        exact_match=exact_match(hypotheses, references),
        token_accuracy=correct,
        entropy=entropy if attends else None,
        concentration=concentration if attends else None,
        seconds_per_sentence=seconds / len(sources),
        alignment_error_rate=error_rate,
        num_aligned=len(gold),
        links=links,
        shortlist=shortlist,
        length_penalty=length_penalty,
        coverage_penalty=coverage_penalty,
    )


def group_references(
    sources: Sequence[str], targets: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Collect the translations of each distinct source sentence.

    Returns:
        The distinct sources in the order of their first pairs, and for each its
        translations.
    """
    groups: dict[str, list[str]] = {}
    for source, target in zip(sources, targets, strict=True):
        groups.setdefault(source, []).append(target)
    return list(groups), list(groups.values())


def exact_match(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]]
) -> float:
    """Return the share of hypotheses that are one of their references."""
    matches = [
        hypothesis in accepted
        for hypothesis, accepted in zip(hypotheses, references, strict=True)
    ]
    return sum(matches) / len(matches)


def translation_scores(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    tokenized: bool = False,
    grouped: bool = False,
) -> tuple[Score, ...]:
    """Return BLEU, chrF and TER by sacreBLEU, with their signatures.

    Args:
        hypotheses: The translations.
        references: For each its reference translations, at least one.
        tokenized: Whether the text is tokenised: BLEU then takes the tokens as they
            are, in place of `13a`.
        grouped: Whether to add BLEU without case, `BLEU -lc`.
    """
    from sacrebleu.metrics import BLEU, CHRF, TER
    from sacrebleu.metrics.base import Metric

    tokenize = "none" if tokenized else "13a"
    # `force`: that the text looks tokenised is known.
    metrics: dict[str, Metric] = {"BLEU": BLEU(tokenize=tokenize, force=True)}
    if grouped:
        metrics["BLEU -lc"] = BLEU(tokenize=tokenize, force=True, lowercase=True)
    metrics |= {"chrF": CHRF(), "TER": TER()}
    most = max(len(accepted) for accepted in references)
    # sacreBLEU wants one stream per reference; None where a sentence has no more.
    streams: list[list[Any]] = [
        [accepted[n] if n < len(accepted) else None for accepted in references]
        for n in range(most)
    ]
    scores = []
    for name, metric in metrics.items():
        value = metric.corpus_score(list(hypotheses), streams).score
        scores.append(Score(name, value, str(metric.get_signature())))
    return tuple(scores)


def in_chunks(work, items: Sequence, description: str | None = None) -> list:
    """Return `work` of all items, called with some of them at a time.

    Args:
        work: Function of a list that returns a list as long.
        items: The items.
        description: What a progress bar on standard error says, shown when that is a
            terminal. Default: no bar.
    """
    from tqdm import tqdm

    results = []
    quiet = True if description is None else None  # None: unless it is a terminal
    with tqdm(total=len(items), desc=description, disable=quiet, leave=False) as bar:
        for start in range(0, len(items), CHUNK):
            results += work(items[start : start + CHUNK])
            bar.update(len(results) - start)
    return results


def _whole_pairs(translator, pairs):
    """Return the pairs of which both sides have pieces, as blanks have none."""
    sides = zip(pairs, ("source", "target"), strict=True)
    counts = [translator.count_pieces(texts, side) for texts, side in sides]
    rows = zip(zip(*pairs, strict=True), zip(*counts, strict=True), strict=True)
    return [pair for pair, pieces in rows if min(pieces) > 1]


def _translate(translator, sources, search, description):
    """Give the translations, `""` for a blank sentence, and the seconds they took."""

    def work(part):
        return [
            one.text if one else "" for one in translated(translator, part, **search)
        ]

    start = time.perf_counter()
    hypotheses = in_chunks(work, sources, description)
    return hypotheses, time.perf_counter() - start


def _force(translator, pairs, description):
    """Give the means over all pieces of the targets: of what `_measured` gives."""

    def work(part):
        return list(map(_measured, translator.force(*zip(*part, strict=True))))

    forced = in_chunks(work, pairs, description)
    return (float(np.concatenate(rows).mean()) for rows in zip(*forced, strict=True))


def _measured(forced):
    """Measures of each piece of a forced target, in place of all its weights."""
    return (
        forced.correct,
        attention_entropy(forced.weights),
        attention_concentration(forced.weights),
    )


def _number(value):
    return "-" if value is None else f"{value:.3f}"
