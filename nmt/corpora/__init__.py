"""Parallel text: public corpora and own files; downloaded, checked, split, streamed."""

from nmt.corpora.corpora import Corpus, catalogue, from_files, from_tsv, load
from nmt.corpora.download import data_folder
from nmt.corpora.parallel import (
    ParallelText,
    pair_lines,
    read_lines,
    reading,
    split_columns,
)
from nmt.corpora.published import CORPORA
from nmt.corpora.streamed import StreamedText, stream_files

__all__ = [
    "CORPORA",
    "Corpus",
    "ParallelText",
    "StreamedText",
    "catalogue",
    "data_folder",
    "from_files",
    "from_tsv",
    "load",
    "pair_lines",
    "read_lines",
    "reading",
    "split_columns",
    "stream_files",
]
