"""`Translation`: a text, its translation, and the attention of each of its pieces."""

import html
import sys
from dataclasses import dataclass

import numpy as np

import keras_attention as ka
from nmt.files import picture_ending

LOW_SCORE = -1.0
"""A score a word that casts doubt on a translation.

With 5 beams the demo's model is below on none of its 1,000 test sentences, on 7 % of
them with a letter left out, 34 % with their words shuffled, 85 % of Tatoeba's, 93 % of
Multi30k's, and all German ones.
"""


def draw_weights(weights, source, target, title, path=None, label=None):
    """Draw weights between words; write the picture to `path` if given.

    Args:
        weights: Shape `(T, S)`.
        source: `S` words.
        target: `T` words.
        title: Title of a page.
        path: As for `Translation.plot`.
        label: What the weights are, if they are not of attention: beside the bar of
            colours, at the head of the description, and in the title of a page.

    Returns:
        What `Translation.plot` does.

    Raises:
        UserError: If `path` has another ending.
    """
    if path is not None and picture_ending(path) == ".html":
        if label is not None:
            title = f"{title} ({label}, in place of attention)"
        view = ka.attention_view(weights, source, target, title=title)
        view.save(path)
        return view
    axes = ka.plot_attention(weights, source=source, target=target)
    if label is not None:
        axes.figure.axes[-1].set_ylabel(label)
        _, _, told = axes.alt_text.partition(": ")
        axes.alt_text = f"{label}, in place of attention: {told}"
    if path is not None:
        ka.save_figure(axes, path)
        # What is in a file is not kept open for `plt.show()`.
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close(axes.figure)
    return axes


@dataclass(frozen=True)
class Translation:
    """One translation, and what the model attended to for each of its pieces.

    In a notebook it shows its text and, below, the interactive view.

    Attributes:
        source: The text that was translated.
        text: The translation.
        score: Sum of the log-probabilities of its pieces in nats, the end included,
            before any length or coverage term.
        source_tokens: Pieces of the source, the end last; `S` of them.
        target_tokens: Pieces of the translation, the end last; `T` of them.
        weights: Attention weights, shape `(T, S)`; rows sum to 1, or to
            less with local and monotonic attention.
        log_probabilities: Of each piece, shape `(T,)`; of forced targets alone.
        correct: Boolean, shape `(T,)`: was the piece the model's first choice; of
            forced targets alone.
        doubts: Why the text may be far from what the model knows: `unknown characters`
            in the source, a `low score` a word, below `LOW_SCORE`, of a translation
            that was freely searched.
    """

    source: str
    text: str
    score: float
    source_tokens: list[str]
    target_tokens: list[str]
    weights: np.ndarray
    log_probabilities: np.ndarray | None = None
    correct: np.ndarray | None = None
    doubts: tuple[str, ...] = ()

    def words(self):
        """Merge pieces to words.

        Returns:
            `(weights, source_words, target_words)`; the ends stay as words.
        """
        return ka.merge_pieces(self.weights, self.source_tokens, self.target_tokens)

    def links(self):
        """Link each word of the translation to the one that it attends to most.

        Returns:
            Sorted list of (source word, target word), counted from 0.
        """
        weights, source_words, target_words = self.words()
        # The ends are no words of the sentences.
        weights = weights[: len(target_words) - 1, : len(source_words) - 1]
        return sorted(ka.hard_links(weights)) if weights.size else []

    def word_scores(self):
        """Return the log-probability of each word of a forced target, the end last."""
        spans = ka.word_spans(self.target_tokens)
        return np.bincount(spans, weights=self.log_probabilities).tolist()

    def score_per_word(self):
        """Return the score divided by the number of words, the end not counted."""
        return self.score / max(1, max(ka.word_spans(self.target_tokens)))

    def plot(self, path=None):
        """Draw the attention between words; write it to `path` if given.

        Args:
            path: File name that ends in .png, .svg, .pdf or .html (the interactive
                page), or `None`.

        Returns:
            The matplotlib `Axes`; for .html the view.

        Raises:
            UserError: If `path` has another ending.
        """
        weights, source_words, target_words = self.words()
        return draw_weights(weights, source_words, target_words, self.source, path)

    def view(self):
        """Make the interactive view of the attention between words.

        Returns:
            `AttentionView`: shows itself in a notebook; `save(path)` writes the page.
        """
        weights, source, target = self.words()
        return ka.attention_view(weights, source, target, title=self.source)

    def blocks(self):
        """Draw the attention between words with characters, for a terminal.

        Returns:
            Text of several lines, no wider than the terminal.
        """
        weights, source, target = self.words()
        return ka.attention_text(weights, source, target)

    def _repr_html_(self):
        return f'<p dir="auto">{html.escape(self.text)}</p>{self.view()._repr_html_()}'
