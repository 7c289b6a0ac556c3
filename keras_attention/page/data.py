"""One example's tokens and weights as the JSON that the interactive page draws.

The JSON, made by `Frame.data` and `view.AttentionView.data`; every index counts from 0:

    {
      "title": str,
      "layout": "auto", "horizontal" or "vertical", how the page begins,
      "frame_name": str, what the slider over frames is called,
      "frames": [{
        "label": str,
        "source": [token], "target": [token], where a token is
          {"text": str, exactly as given,
           "label": str, what is written instead, if that differs,
           "joined": true, if it goes on with the word before it,
           "special": true, if it is a token such as </s>, and no word of the text,
           "dim": true, if it is written small and grey},
        "source_direction": "ltr" or "rtl", "target_direction": likewise,
        "layers": [{
          "name": str, "heads": H,
          "shares": base64 of H·T·S unsigned bytes: weight / largest of its row · 255,
          "largest": base64 of H·T float32, little-endian: the largest of each row}],
        "links": {"sure": [[source, target]], "possible": [[source, target]]}, if any,
        "notes": [str], further sentences under the heat map, if any
      }]
    }

Weights are rounded: one is off by at most 1/510 where a row sums to 1 at most, and by
1/255 of its row's largest elsewhere. What is largest in its row stays so.
"""

import base64
from dataclasses import dataclass, field

import numpy as np

from keras_attention.analysis import SPECIAL_TOKENS, WORD_START, readable

EMPTY = "∅"  # written for a token without any text


@dataclass(frozen=True)
class Frame:
    """One example: its words, and the weights of each layer.

    Attributes:
        source: `S` strings.
        target: `T` strings.
        layers: Dict of float arrays of shape `(H, T, S)` by name.
        directions: `"ltr"` or `"rtl"` of source and of target.
        links: Gold links, a set of sure and a set of possible `(source, target)`
            pairs, or `None`.
        dim: Whether special tokens are written small and grey.
        notes: Sentences to be read under the heat map.
        label: What the slider over frames calls it.
    """

    source: list
    target: list
    layers: dict
    directions: tuple = ("ltr", "ltr")
    links: tuple | None = None
    dim: bool = True
    notes: list = field(default_factory=list)
    label: str = ""

    def data(self):
        """The frame as JSON can hold it."""
        data = {
            "label": self.label,
            "source": describe_tokens(self.source, self.dim),
            "target": describe_tokens(self.target, self.dim),
            "source_direction": self.directions[0],
            "target_direction": self.directions[1],
            "layers": [
                {"name": name, "heads": len(weights), **encode(weights)}
                for name, weights in self.layers.items()
            ],
        }
        if self.links is not None:
            sure, possible = (sorted(map(list, links)) for links in self.links)
            data["links"] = {"sure": sure, "possible": possible}
        if self.notes:
            data["notes"] = self.notes
        return data


def encode(weights):
    """Weights `(H, T, S)` as the bytes of their shares and largest, in base64."""
    largest = weights.max(axis=-1, keepdims=True)
    shares = weights / np.where(largest > 0, largest, 1)
    levels = np.rint(255 * shares)
    # Rounded up to the largest they would be ties with it.
    levels[(levels == 255) & (shares < 1)] = 254
    return {
        "shares": _base64(levels.astype("uint8")),
        "largest": _base64(largest.astype("<f4")),
    }


def _base64(array):
    return base64.b64encode(array.tobytes()).decode("ascii")


def describe_tokens(tokens, dim=True):
    """Tokens as JSON can hold them: the exact text, and how to write it readably."""
    described = []
    for token, (label, joined) in zip(tokens, _labels(tokens), strict=True):
        entry = {"text": token}
        if label != token:
            entry["label"] = label
        if joined:
            entry["joined"] = True
        if token in SPECIAL_TOKENS:
            entry["special"] = True
            if dim:
                entry["dim"] = True
        described.append(entry)
    return described


def _labels(tokens):
    """What to write for each token; whether it goes on with the word before it.

    The marks of the usual tokenizers are left out where the list as a whole has them:
    a lone `Ġ` or `##` may as well be a letter or a heading.
    """
    plain = [token for token in tokens if token not in SPECIAL_TOKENS]
    start = _start_mark(plain)
    pairs, before = [], None
    for token in tokens:
        label, joined = token, False
        if token not in SPECIAL_TOKENS:
            inside = before is not None and before not in SPECIAL_TOKENS
            if start:
                joined = inside and not token.startswith(start)
                label = token.removeprefix(start) or token
            elif token.startswith("##") and len(token) > 2 and inside:
                label, joined = token[2:], True
            elif inside and _goes_on(before):
                joined = True
            if not start and _goes_on(token):
                label = label[:-2]
        pairs.append((readable(label) or EMPTY, joined))
        before = token
    return pairs


def _start_mark(tokens):
    if any(token.startswith(WORD_START) for token in tokens):
        return WORD_START  # of SentencePiece
    # The first token of GPT-2 has no mark; of the others most have one.
    marked = sum(token.startswith("Ġ") for token in tokens[1:])
    return "Ġ" if marked and marked >= len(tokens[1:]) / 2 else ""


def _goes_on(token):
    return token.endswith("@@") and len(token) > 2
