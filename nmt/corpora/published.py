"""Facts about the public corpora: files, addresses, checksums, sizes, terms."""

from dataclasses import dataclass

from nmt.corpora.download import RemoteFile

MULTI30K_URL = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1"
"""The folder that holds `raw` and `tok`."""

SPA_ENG = RemoteFile(
    name="spa-eng.zip",
    url="https://storage.googleapis.com/download.tensorflow.org/data/spa-eng.zip",
    size=2_767_131,
    sha256="6ec60e212f812ee3430f7568ea6f33b6fb080e32193c5952e8da0ee8ba45574c",
    text_size=8_042_772,
    member="spa-eng/spa.txt",
)
"""The archive exists in more than one compression: its size is a near one, and the
checksum is that of the text inside."""

MULTI30K_SPLITS = {
    "train": "train",
    "validation": "val",
    "test_2016_flickr": "test_2016_flickr",
    "test_2017_flickr": "test_2017_flickr",
    "test_2017_mscoco": "test_2017_mscoco",
}
"""Split → how its files' names begin."""


@dataclass(frozen=True)
class PublicCorpus:
    """What is known of a corpus without having it.

    Args:
        languages: Language codes, the default source first.
        lines: Form of text (`raw`, `tok`) → split → number of pairs.
        terms: What its publishers allow.
        url: Where it comes from.
        grouped_references: See `nmt.corpora.Corpus`.
        preset: The settings of `nmt.presets.PRESETS` that `nmt train` starts from.
    """

    languages: tuple[str, ...]
    lines: dict[str, dict[str, int]]
    terms: str
    url: str
    grouped_references: bool = False
    preset: str = "base"


_MULTI30K_LINES = dict(
    zip(MULTI30K_SPLITS, (29_000, 1_014, 1_000, 1_000, 461), strict=True)
)
CORPORA = {
    "multi30k": PublicCorpus(
        languages=("en", "de", "fr"),
        lines={"raw": _MULTI30K_LINES, "tok": _MULTI30K_LINES},
        terms="research corpus; its publishers state no terms for the text",
        url=MULTI30K_URL,
    ),
    "spa-eng": PublicCorpus(
        languages=("en", "es"),
        lines={"raw": {"train": 114_964, "validation": 2_000, "test": 2_000}},
        terms="CC BY 2.0, attribution: www.manythings.org/anki and tatoeba.org",
        url=SPA_ENG.url,
        grouped_references=True,
        preset="short",
    ),
    "phrasebook": PublicCorpus(
        languages=("en", "es"),
        lines={"raw": {"train": 17_000, "validation": 500, "test": 1_000}},
        terms="part of this program",
        url="built in",
        preset="demo",
    ),
}


def multi30k_file(split: str, language: str, text: str) -> RemoteFile:
    """Name one side of one split of Multi30k.

    Args:
        split: One of `MULTI30K_SPLITS`.
        language: `en`, `de` or `fr`.
        text: `raw` (a gzip file) or `tok` (lower case, tokenised).

    Returns:
        The file, to be fetched.
    """
    ending = f"{language}.gz" if text == "raw" else f"lc.norm.tok.{language}"
    file = f"{MULTI30K_SPLITS[split]}.{ending}"
    size, sha256 = _MULTI30K_FILES[file]
    url = f"{MULTI30K_URL}/{text}/{file}"
    return RemoteFile(
        name=f"multi30k/{file}",
        url=url,
        size=size,
        sha256=sha256,
        text_size=_MULTI30K_UNPACKED.get(file, size),
    )


def remote_files(corpus: str, text: str) -> list[RemoteFile]:
    """List all files of one form of a corpus; none for a built-in one."""
    if corpus == "multi30k":
        return [
            multi30k_file(split, language, text)
            for split in MULTI30K_SPLITS
            for language in CORPORA[corpus].languages
        ]
    return [SPA_ENG] if corpus == "spa-eng" else []


_MULTI30K_UNPACKED = {
    "test_2016_flickr.de.gz": 70_649,
    "test_2016_flickr.en.gz": 62_076,
    "test_2016_flickr.fr.gz": 72_261,
    "test_2017_flickr.de.gz": 64_059,
    "test_2017_flickr.en.gz": 55_242,
    "test_2017_flickr.fr.gz": 65_691,
    "test_2017_mscoco.de.gz": 29_906,
    "test_2017_mscoco.en.gz": 24_949,
    "test_2017_mscoco.fr.gz": 29_982,
    "train.de.gz": 2_110_398,
    "train.en.gz": 1_801_238,
    "train.fr.gz": 2_111_303,
    "val.de.gz": 75_981,
    "val.en.gz": 63_297,
    "val.fr.gz": 73_924,
}
"""Compressed file → the size of the text inside."""

_MULTI30K_FILES: dict[str, tuple[int, str]] = {
    "test_2016_flickr.de.gz": (
        22890,
        "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
    ),
    "test_2016_flickr.en.gz": (
        21077,
        "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
    ),
    "test_2016_flickr.fr.gz": (
        22310,
        "6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90",
    ),
    "test_2016_flickr.lc.norm.tok.de": (
        71917,
        "c6a33d39d48f9f510de147651316cd9d918e09ad0219df734a2f16b6baccacc4",
    ),
    "test_2016_flickr.lc.norm.tok.en": (
        63307,
        "5b7f32627cf99eced828311b955dae9800bb52bc8b91cf8b6526829e605b29d2",
    ),
    "test_2016_flickr.lc.norm.tok.fr": (
        76394,
        "1463bd5960f9bfe098ec3cd752d3df0c49c84dc646fb518964a29232658cd836",
    ),
    "test_2017_flickr.de.gz": (
        21471,
        "a2c89666db00c495cd8513b9d708d5a3acc205d7de312ef2bf5fb7ebc1540aee",
    ),
    "test_2017_flickr.en.gz": (
        19138,
        "76a444ee25172e72695cddb13ae4a3bda59430617be88e0bb46b60504f054074",
    ),
    "test_2017_flickr.fr.gz": (
        20434,
        "3ba671ceb2299f3304ffafefea7a833d08632fbaf0ba18546f8a2ec2391af496",
    ),
    "test_2017_flickr.lc.norm.tok.de": (
        65228,
        "02067e4a9402786a4fcb8c1b6f4307e4a5073ced64800abead5273b54f5f31f6",
    ),
    "test_2017_flickr.lc.norm.tok.en": (
        56123,
        "c9d1dfd7a26add989382e534af235af9f0f658b2a30e7eb0efdaf142496ee54f",
    ),
    "test_2017_flickr.lc.norm.tok.fr": (
        69537,
        "c0583117a47b31e8a6c6a97cfe8de153e462074668f4e994764fcc80b21d33b4",
    ),
    "test_2017_mscoco.de.gz": (
        10230,
        "799e4854c25d601cb6cb6be29eabe5667734c61ace2f495e03e429031a0bc338",
    ),
    "test_2017_mscoco.en.gz": (
        8844,
        "aab300bfb4427697987e02cd0aacd44bfe8aa50456231b6474c08038bbed2b58",
    ),
    "test_2017_mscoco.fr.gz": (
        9751,
        "754f3072ba9f124569ba5258b32730fc1d214bbf8e0c6dfb2b74401676220db0",
    ),
    "test_2017_mscoco.lc.norm.tok.de": (
        30464,
        "e2825990b8a4e5289d2cdba801d57c187810bab9b4f5d87a30c35800a0d871b6",
    ),
    "test_2017_mscoco.lc.norm.tok.en": (
        25380,
        "fe69ae004d71c42ead0301e70c57de5b1b6b5fb7f52210d42b22801e98e656f3",
    ),
    "test_2017_mscoco.lc.norm.tok.fr": (
        31725,
        "0b6a4620f02b6b9acf7811fda23f90fed9c6baa0b96aa224db50a273078c84d1",
    ),
    "train.de.gz": (
        637044,
        "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
    ),
    "train.en.gz": (
        568929,
        "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
    ),
    "train.fr.gz": (
        604242,
        "622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c",
    ),
    "train.lc.norm.tok.de": (
        2150008,
        "cb5a23529b65ec2061f1dc446192a9c37382b63cc75f81a0be59d34894b3a505",
    ),
    "train.lc.norm.tok.en": (
        1837696,
        "08925f8e0572bcd5a006702fc5fe20e2d77c6917d4eebd576fc20de6693c2119",
    ),
    "train.lc.norm.tok.fr": (
        2235588,
        "8fa41bb718412bcb7c5dfa58603842810a01543eae86a51279f9886b901266e1",
    ),
    "val.de.gz": (
        24681,
        "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
    ),
    "val.en.gz": (
        21650,
        "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
    ),
    "val.fr.gz": (
        23001,
        "ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9",
    ),
    "val.lc.norm.tok.de": (
        77273,
        "97232bd273eceb7207f689527386a97e4be2616b18ada47576bdaf96c8ae1f00",
    ),
    "val.lc.norm.tok.en": (
        64608,
        "46573ce391ae227f1c72f873392436a20ef18e0a6d518098cfbd70b77c8572ec",
    ),
    "val.lc.norm.tok.fr": (
        78242,
        "b303e301aa21fe7822a846b2b3fb2d5a1121ec807cd5b1d006fb7b2b5507168a",
    ),
}
