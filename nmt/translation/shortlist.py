"""Shortlists: the target pieces that the sentences of a batch are likely to need.

What a target piece is likely to translate is learnt from pairs of sentences by IBM's
model 1, over pieces.
"""

import hashlib
import io
from pathlib import Path

import numpy as np

from nmt.archives import BROKEN_ARCHIVE
from nmt.errors import UserError
from nmt.text import END_ID, START_ID
from nmt.translation.folder import check_model_file, write_model_file

SHORTLIST_FILE = "shortlist.npz"

ITERATIONS = 5
MOST_LINKS = 20_000_000
"""Links of pieces that are learnt from; about 3 GB of memory."""
KEPT = 20
"""Target pieces that are kept for each source piece."""
HEADERS = 2**14
"""More than the bytes that names, shapes and checksums in its file take."""
FREQUENT = 0.3
"""Share of a shortlist that is kept for the most frequent pieces."""


class Shortlist:
    """Says which target pieces some source pieces are likely to need.

    Args:
        counts: Int array `(V,)`. How often each piece is in the target text.
        best: Int32 array `(V, M)`. The most probable target pieces of each source
            piece; those of the start are what no source piece accounts for.
        chances: Float32 array `(V, M)`. Their probabilities.
    """

    def __init__(self, counts, best, chances):
        self.counts, self.best, self.chances = counts, best, chances

    @classmethod
    def learn(cls, sources, targets, size):
        """Learn from pairs of sentences, given as lists of ids.

        Args:
            sources: Sequence of lists of ids.
            targets: Sequence of those of their translations.
            size: Number of pieces, `V`.
        """
        keys, groups = _links(sources, targets, size)
        keys, places = np.unique(keys, return_inverse=True)
        probabilities = _model_1(keys // size, places, groups, size)
        best, chances = _most_probable(keys, probabilities, size)
        pieces = np.concatenate([np.zeros(0, int), *map(np.int64, targets)])
        return cls(np.bincount(pieces, minlength=size), best, chances)

    def choose(self, sources, size, also=()):
        """Choose the pieces of a batch.

        Args:
            sources: Int array `(B, S)` of the source pieces, padded.
            size: How many to choose; more only if `also` are more.
            also: Ids that have to be among them.

        Returns:
            Sorted int32 array; the special ids are first.
        """
        total = len(self.counts)
        needed = np.union1d(np.arange(END_ID + 1), np.int64(also))
        size = min(max(size, len(needed)), total)
        times = np.bincount(sources.ravel(), minlength=total)
        times[START_ID] = len(sources)
        rows = np.flatnonzero(times)
        expected = np.bincount(
            self.best[rows].ravel(),
            (times[rows, None] * self.chances[rows]).ravel(),
            minlength=total,
        )
        # Pieces that no source piece accounts for come last, the frequent ones first.
        rank = expected + self.counts / (1e6 * (1 + self.counts.max()))
        frequent = np.argsort(-self.counts, kind="stable")[: int(FREQUENT * size)]
        rank[frequent] = np.inf
        rank[needed] = np.nan  # which sorts last
        return np.sort(np.argsort(rank, kind="stable")[-size:]).astype(np.int32)

    def save(self, folder, vocabulary):
        """Write it beside the model of a `Vocabulary`, with its checksum."""
        content = io.BytesIO()
        np.savez_compressed(
            content,
            counts=self.counts,
            best=self.best,
            chances=self.chances,
            vocabulary=_digest(vocabulary),
        )
        write_model_file(folder, SHORTLIST_FILE, content.getvalue())

    @classmethod
    def load(cls, folder, vocabulary):
        """Read what `save` wrote; `None` if there is none of this vocabulary.

        Raises:
            UserError: If the file is damaged.
        """
        path = Path(folder) / SHORTLIST_FILE
        if not path.exists():
            return None
        check_model_file(folder, SHORTLIST_FILE, "Delete it: it is learnt again")
        try:
            # From memory: NumPy does not close a file that it cannot read.
            content = io.BytesIO(path.read_bytes())
            with np.load(content, allow_pickle=False) as file:
                # Compressed, a small file could hold more than there is memory.
                sizes = sum(each.file_size for each in file.zip.infolist())
                if sizes > HEADERS + len(vocabulary) * (8 + 8 * KEPT):
                    raise ValueError("it is too large")
                found = {name: file[name] for name in file.files}
            if not np.array_equal(found.pop("vocabulary"), _digest(vocabulary)):
                return None
            found = cls(**found)
            found._check(len(vocabulary))
        except BROKEN_ARCHIVE as error:
            raise UserError(
                f"{path} is no shortlist, or is broken ({type(error).__name__}). "
                "Delete it, and it is learnt again."
            ) from None
        return found

    def _check(self, size):
        kinds = [each.dtype.kind for each in (self.counts, self.best, self.chances)]
        if kinds != ["i", "i", "f"]:
            raise ValueError(f"its types are {kinds}")
        wide = (size, self.best.shape[-1])
        shapes = (self.counts.shape, self.best.shape, self.chances.shape)
        if shapes != ((size,), wide, wide):
            raise ValueError(f"its shapes are {shapes}")
        if not (0 <= self.best.min() and self.best.max() < size):
            raise ValueError("it names pieces that do not exist")
        if not np.isfinite(self.chances).all() or self.counts.min() < 0:
            raise ValueError("its numbers are not those of probabilities")


def _digest(vocabulary):
    return np.frombuffer(hashlib.sha256(vocabulary.model).digest(), np.uint8)


def _links(sources, targets, size):
    """Link each target piece of a pair to all its source pieces, and to the start.

    Of more than `MOST_LINKS` every second pair is taken, every third, and so on. Gives
    each link as one number, those of a target piece in a row, and the lengths of these
    rows.
    """
    pairs = list(zip(sources, targets, strict=True))
    total = sum((len(source) + 1) * len(target) for source, target in pairs)
    keys, groups = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for source, target in pairs[:: max(1, -(-total // MOST_LINKS))]:
        source = np.array([START_ID, *source], np.int64)
        target = np.array(target, np.int64)
        keys.append((source * size + target[:, None]).ravel())
        groups.append(np.full(len(target), len(source)))
    return np.concatenate(keys), np.concatenate(groups)


def _model_1(sources, places, groups, size):
    """Estimate the probability of each kind of link, given its source piece.

    Args:
        sources: The source piece of each kind of link.
        places: The kind of each link.
        groups: Lengths of the rows of links of one target piece.
        size: Number of pieces.

    Reference:
        Brown et al., 1993, The Mathematics of Statistical Machine Translation, model 1
    """
    probabilities = np.ones(len(sources))
    if not len(places):
        return probabilities
    starts = np.cumsum(groups) - groups
    for _ in range(ITERATIONS):
        shares = probabilities[places]
        shares /= np.repeat(np.add.reduceat(shares, starts), groups)
        counts = np.bincount(places, shares, minlength=len(sources))
        total = np.bincount(sources, counts, minlength=size)
        probabilities = counts / np.maximum(total[sources], 1e-30)
    return probabilities


def _most_probable(keys, probabilities, size):
    """Keep the `KEPT` most probable target pieces of each source piece."""
    sources, targets = np.divmod(keys, size)
    order = np.lexsort((-probabilities, sources))
    sources, targets = sources[order], targets[order]
    first = np.searchsorted(sources, np.arange(size))
    rank = np.arange(len(sources)) - first[sources]
    kept = rank < KEPT
    best = np.zeros((size, KEPT), np.int32)
    chances = np.zeros((size, KEPT), np.float32)
    best[sources[kept], rank[kept]] = targets[kept]
    chances[sources[kept], rank[kept]] = probabilities[order][kept]
    return best, chances
