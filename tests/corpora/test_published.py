"""Tests of `nmt.corpora.published`."""

import re

import pytest

from nmt.corpora.published import (
    CORPORA,
    MULTI30K_SPLITS,
    MULTI30K_URL,
    multi30k_file,
    remote_files,
)


def test_files_are_named_and_addressed_as_their_publishers_do():
    raw = multi30k_file("train", "en", "raw")
    assert (raw.name, raw.url) == (
        "multi30k/train.en.gz",
        f"{MULTI30K_URL}/raw/train.en.gz",
    )
    tokenised = multi30k_file("validation", "de", "tok")
    assert (tokenised.name, tokenised.url) == (
        "multi30k/val.lc.norm.tok.de",
        f"{MULTI30K_URL}/tok/val.lc.norm.tok.de",
    )


def test_every_file_has_a_size_and_a_checksum_of_its_own():
    files = [
        file
        for corpus, facts in CORPORA.items()
        for text in facts.lines
        for file in remote_files(corpus, text)
    ]
    assert len(files) == 2 * 3 * len(MULTI30K_SPLITS) + 1
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in files)
    assert len({file.sha256 for file in files}) == len(files)
    assert all(file.size > 0 for file in files)


@pytest.mark.parametrize("corpus", CORPORA)
def test_a_corpus_tells_its_sizes_and_address(corpus):
    for text, lines in CORPORA[corpus].lines.items():
        assert {"train", "validation"} < set(lines) and all(lines.values())
        for file in remote_files(corpus, text):
            assert file.url.startswith("https://")
            compressed = file.name.endswith((".gz", ".zip"))
            assert (file.text_size > file.size) == compressed
    assert CORPORA[corpus].terms and CORPORA[corpus].url
