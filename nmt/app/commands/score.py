"""`nmt score`: how likely a model finds given translations."""

import json

from nmt.app import inputs
from nmt.app.forced import add_forced, print_pairs


def add_parser(commands):
    """Add the command and its flags."""
    add_forced(
        commands,
        "score",
        run,
        "tell how likely a model finds given translations",
        "Prints the log-probability of each translation in nats, the end of the "
        "sentence included, a tab, and the same divided by its number of words.",
        "source, target, score, score_per_word, words, word_scores",
    )


def run(args):
    """Do what the command does."""
    pairs = inputs.open_pairs(args)
    return print_pairs(args, pairs, _as_json if args.json else _as_text)


def _as_text(_, result):
    if result is None:
        return ""
    return f"{result.score:.4f}\t{result.score_per_word():.4f}"


def _as_json(_, result):
    values = {"source": "", "target": "", "score": 0.0, "score_per_word": 0.0}
    values |= {"words": [], "word_scores": []}
    if result is not None:
        values = {
            "source": result.source,
            "target": result.text,
            "score": result.score,
            "score_per_word": result.score_per_word(),
            "words": result.words()[2],
            "word_scores": [round(score, 6) for score in result.word_scores()],
        }
    return json.dumps(values, ensure_ascii=False)
