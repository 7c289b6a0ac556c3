"""Command lines that cannot be done: each ends in one line that says so.

No traceback, exit status 2, nothing on standard output, and all files byte for byte as
they were.
"""

import gzip
import hashlib
import io
import json
import os
import re
import shlex
import shutil
from pathlib import Path

import h5py
import pytest

from nmt.app.cli import main
from nmt.corpora import parallel

MODEL = Path(__file__).parents[1] / "data" / "before_rooms" / "nmt_model"
CONFIG, VOCABULARY, WEIGHTS = "config.json", "vocabulary.model", "model.weights.h5"
CHECKSUMS = "checksums.json"
FOLDER, LOOP = object(), object()

WORDS = {
    "ESC": "\x1b[31mred\x07",
    "LATIN": "caf\udce9",  # how Python shows a byte that is not UTF-8
    "LONG": "n" * 300,
    "DIGITS": "1" * 5000,
    "HUGE": "1" + "0" * 400,
    "NEWLINE": "two\nlines",
}
"""Words of the command lines below that cannot be typed there."""


def setting(section, name, value):
    """Return a change of one setting."""
    return lambda config: config[section].update({name: value})


def models():
    """Return the broken models: name → what is in place of some of its files."""
    sound = {name: (MODEL / name).read_bytes() for name in (VOCABULARY, WEIGHTS)}
    vocabulary, weights = sound[VOCABULARY], sound[WEIGHTS]
    middle = len(weights) // 2
    flipped = weights[:middle] + bytes([weights[middle] ^ 1]) + weights[middle + 1 :]
    other = vocabulary.replace(b"el", b"la", 1)
    sums = _checksums(sound)
    changed = {
        "other-format": lambda config: config.update(format=99),
        "text-format": lambda config: config.update(format="1"),
        "no-section": lambda config: config.pop("model"),
        "other-section": lambda config: config.update(extra={}),
        "list-section": lambda config: config.update(model=[]),
        "text-units": setting("model", "units", "8"),
        "float-units": setting("model", "units", 8.5),
        "no-units": setting("model", "units", None),
        "bool-units": setting("model", "units", True),
        "negative-units": setting("model", "units", -8),
        "unknown-setting": setting("model", "unitz", 8),
        "escaped-cell": setting("model", "cell", "\x1b[31mgru\n"),
        "list-cell": setting("model", "cell", ["gru"]),
        "infinite-dropout": setting("model", "dropout", float("inf")),
        "no-number-dropout": setting("model", "dropout", float("nan")),
        "one-file": setting("corpus", "files", "/etc/passwd"),
        "many-files": setting("corpus", "files", ["/etc/passwd"] * 7),
        "escaped-language": setting("corpus", "source", "\x1b[31men"),
        "huge-units": setting("model", "units", 10**400),
        "large-embedding": setting("model", "embedding_size", 10**9),
        "deep-encoder": setting("model", "encoder_layers", 10**6),
        "many-heads": setting("model", "num_heads", 10**18),
        "other-units": setting("model", "units", 16),
        "other-attention": setting("model", "attention", "luong"),
        "other-encoder": setting("model", "encoder", "self-attention"),
    }
    replaced = {
        f"{kind}-{what}": {name: content}
        for what, name in (("c", CONFIG), ("v", VOCABULARY), ("w", WEIGHTS))
        for kind, content in (
            *(("no", None), ("empty", b""), ("folder", FOLDER), ("loop", LOOP)),
            *(("junk", b"junk" * 999), ("zero", bytes(999))),
        )
    }
    return {
        **{name: {CONFIG: _config(change)} for name, change in changed.items()},
        **replaced,
        "list-c": {CONFIG: b"[1]"},
        "deep-c": {CONFIG: b"[" * 100_000},
        "digits-c": {CONFIG: b'{"format": ' + b"1" * 5000 + b"}"},
        "flipped-w": {WEIGHTS: flipped, CHECKSUMS: sums},
        "other-v": {VOCABULARY: other, CHECKSUMS: sums},
        "infinite-w": {WEIGHTS: _with_infinities(weights)},
        "junk-sums": {CHECKSUMS: b"junk"},
        "list-sums": {CHECKSUMS: b"[]"},
        "number-sums": {CHECKSUMS: sums.replace(b"null", b"1")},
        "folder-sums": {CHECKSUMS: FOLDER},
        "loop-sums": {CHECKSUMS: LOOP},
        "half-v": {VOCABULARY: vocabulary[: len(vocabulary) // 2]},
        "half-w": {WEIGHTS: weights[: len(weights) // 2]},
        "overwritten-w": {WEIGHTS: weights[:512] + b"\xff" * (len(weights) - 512)},
    }


def _config(change):
    config = json.loads((MODEL / CONFIG).read_text("utf-8"))
    change(config)
    return json.dumps(config).encode()


def _checksums(files):
    sums = {name: [hashlib.sha256(data).hexdigest()] for name, data in files.items()}
    content = {"text": None, "text_files": {}, "model_files": sums}
    return json.dumps(content).encode()


def _with_infinities(weights):
    buffer = io.BytesIO(weights)
    with h5py.File(buffer, "r+") as file:
        file["vars/0"][0] = float("inf")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder of what the command lines name."""
    world = tmp_path_factory.mktemp("world")
    shutil.copytree(MODEL, world / "model")
    for name, files in models().items():
        (world / name).mkdir()
        for part in (CONFIG, VOCABULARY, WEIGHTS):
            _put(world / name / part, files.get(part, world / "model" / part))
        _put(world / name / CHECKSUMS, files.get(CHECKSUMS))
    pairs = [(f"I am {n}.", f"Soy {n}.") for n in range(60)]
    fine = "".join(f"{english}\t{spanish}\n" for english, spanish in pairs)
    texts = {
        "a.en": "".join(f"{english}\n" for english, _ in pairs),
        "a.es": "".join(f"{spanish}\n" for _, spanish in pairs),
        "fine.tsv": fine,
        "short.es": "uno\n",
        "blank.tsv": "\t\n \t \n",
        "fine-LATIN.tsv": fine,
        "no-tabs.tsv": "a b\n",
        "one.tsv": "a\tb\n",
        "same.tsv": "a\tb\n" * 50,
        "NEWLINE.tsv": "a b\n",
        "ESC.tsv": "a b\n",
        "LATIN.tsv": "a b\n",
    }
    for name, text in texts.items():
        for word, meant in WORDS.items():
            name = name.replace(word, meant)
        _put(world / name, text.encode())
    others = {
        "empty": b"",
        "binary": bytes(range(1, 256)),
        "utf16.tsv": "a\tb\n".encode("utf-16"),
        "utf16-le.tsv": "a\tb\n".encode("utf-16-le"),
        "none.tsv.gz": b"none",
        "half.tsv.gz": gzip.compress(b"a\tb\n" * 99)[:-9],
        "bomb.tsv.gz": gzip.compress(bytes(10**6)),
        "folder": FOLDER,
        "folder.tsv": FOLDER,
        "folder.png": FOLDER,
        "loop": LOOP,
        "loop.tsv": LOOP,
        "nothing": world / "nowhere",
        "data/spa-eng.zip": b"no archive",
        "large/spa-eng.zip": bytes(6_000_000),
        "list.json": b"[1]",
        "section.json": b'{"modle": {}}',
        "unknown.json": b'{"model": {"unit": 8}}',
        "text.json": b'{"model": {"units": "8"}}',
        "huge.json": b'{"model": {"units": 1%s}}' % (b"0" * 400),
        "files.json": b'{"corpus": {"files": ["/etc/passwd"]}}',
        "streamed.json": b'{"corpus": {"name": "multi30k", "streamed": true}}',
        "named.json": b'{"corpus": {"name": "fine.tsv"}}',
        "escaped.json": b'{"corpus": {"source": "\\u001b[31m"}}',
    }
    for name, content in others.items():
        _put(world / name, content)
    os.mkfifo(world / "pipe")
    return world


def _put(path, content):
    path.parent.mkdir(exist_ok=True)
    if content is FOLDER:
        path.mkdir()
    elif content is LOOP:
        path.symlink_to(path.name)
    elif isinstance(content, Path):
        path.symlink_to(content)
    elif content is not None:
        path.write_bytes(content)


def everything_in(folder):
    """Return what there is: path → bytes of a file, target of a link, or `None`."""
    return {
        path: os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in folder.rglob("*")
    }


BROKEN_MODELS = {
    "no-c": "it holds no config.json",
    "empty-c": "config.json is not valid JSON",
    "folder-c": "config.json: Is a directory",
    "loop-c": "config.json: Too many levels of symbolic links",
    "junk-c": "config.json is not valid JSON",
    "zero-c": "config.json is not valid JSON",
    "list-c": "holds no settings of a model",
    "deep-c": "is not valid JSON",
    "digits-c": "is not valid JSON",
    "other-format": "has format 99",
    "text-format": "has format '1'",
    "no-section": "sections",
    "other-section": "'extra'",
    "list-section": "model must be an object",
    "text-units": "units",
    "float-units": "units",
    "no-units": "units",
    "bool-units": "units",
    "negative-units": "units",
    "unknown-setting": "unknown settings ['unitz']",
    "escaped-cell": r"\x1b[31mgru",
    "list-cell": "cell",
    "infinite-dropout": "dropout",
    "no-number-dropout": "dropout",
    "one-file": "files",
    "many-files": "files must be at most 6; got 7",
    "escaped-language": "source must be without control characters",
    "huge-units": "units must be at most 8192",
    "large-embedding": "embedding_size must be at most 8192",
    "deep-encoder": "encoder_layers must be at most 16",
    "many-heads": "num_heads must be at most 128",
    "flipped-w": "model.weights.h5 is damaged or of another model",
    "other-v": "vocabulary.model is damaged or of another model",
    "infinite-w": "weights that are no finite numbers",
    "junk-sums": "checksums.json is broken",
    "list-sums": "checksums.json is broken",
    "number-sums": "checksums.json is broken",
    "folder-sums": "checksums.json: Is a directory",
    "loop-sums": "checksums.json: Too many levels of symbolic links",
    "no-v": "no-v/vocabulary.model",
    "empty-v": "vocabulary.model: The vocabulary is not a SentencePiece model",
    "folder-v": "vocabulary.model: Is a directory",
    "loop-v": "vocabulary.model: Too many levels of symbolic links",
    "junk-v": "is not a SentencePiece model",
    "zero-v": "is not a SentencePiece model",
    "half-v": "is not a SentencePiece model",
    "no-w": "holds no weights yet",
    "folder-w": "model.weights.h5",
    "loop-w": "model.weights.h5",
    "empty-w": "model.weights.h5 does not fit its config.json, or is broken",
    "junk-w": "or is broken",
    "zero-w": "or is broken",
    "half-w": "or is broken",
    "overwritten-w": "or is broken",
    "other-units": "does not fit its config.json",
    "other-attention": "does not fit its config.json",
    "other-encoder": "does not fit its config.json",
}

# What is typed, two spaces or more, what is said of it.
LINES = r"""
fly                                           invalid choice: 'fly'
''                                            invalid choice: ''
ESC                                           '\x1b[31mred\x07'
LATIN                                         invalid choice:
--fly                                         required: COMMAND
corpora extra                                 unrecognized arguments: extra
corpora --model model                         unrecognized arguments: --model
corpora ESC                                   unrecognized arguments: \x1b[31mred\x07
corpora --data                                --data: expected one argument
corpora --data ''                             --data: must be a path; got ''
corpora --data empty                          must be a folder, but empty is a file
corpora --data empty/x                        must be a folder, but empty is a file
corpora --data pipe                           must be a folder, but pipe is a file
corpora --data loop                           loop cannot be: Too many levels
corpora --data nothing                        nothing is a link to nothing
corpora --data LONG                           cannot be: File name too long
corpora --data /dev/null                      /dev/null is a file

demo extra                                    unrecognized arguments: extra
demo --epochs 3                               unrecognized arguments: --epochs 3
demo --out                                    --out: expected one argument
demo --out ''                                 --out is empty
demo --out empty                              must be a folder, but empty is a file
demo --out empty/x                            must be a folder, but empty is a file
demo --out pipe                               must be a folder, but pipe is a file
demo --out loop                               loop cannot be: Too many levels of
demo --out loop/x                             Too many levels of symbolic links
demo --out nothing                            nothing is a link to nothing
demo --out LONG                               cannot be: File name too long

train                                         no text to train on
train ''                                      unknown corpus ''
train ' '                                     unknown corpus ' '
train unknown                                 unknown corpus 'unknown'. Known corpora:
train ESC                                     \x1b[31mred\x07
train LONG                                    unknown corpus 'nnn
train x.txt                                   no file x.txt, and no corpus of that name
train ./multi30k                              no file ./multi30k, and no corpus
train missing.tsv                             missing.tsv. Check the path.
train LONG.tsv                                File name too long
train LATIN/x.tsv                             no file
train folder                                  folder is a folder, and no corpus
train folder.tsv                              folder.tsv is a folder. Expected a text
train pipe                                    pipe is no regular file, and no corpus
train /dev/null                               /dev/null is no regular file
train loop.tsv                                Too many levels of symbolic links
train fine.tsv/x.tsv                          Not a directory
train empty                                   empty is empty
train blank.tsv                               holds no pair of sentences
train binary                                  line 2: byte 0x80 at offset 127
train utf16.tsv                               line 1: byte 0xff at offset 0
train utf16-le.tsv                            line 1: a byte is 0
train no-tabs.tsv                             line 1: 0 tab(s), expected at least 1
train NEWLINE.tsv                             two lines.tsv, line 1: 0 tab(s)
train ESC.tsv                                 \x1b[31mred\x07.tsv, line 1: 0 tab(s)
train LATIN.tsv                               \udce9.tsv, line 1: 0 tab(s)
train fine-LATIN.tsv                          the path of a text must be UTF-8
train none.tsv.gz                             not a whole compressed file
train half.tsv.gz                             not a whole compressed file
train bomb.tsv.gz                             holds more than 100,000 bytes of text
train --train-source /dev/zero --train-target a.es    more than 100,000 bytes
train one.tsv                                 cannot hold out a validation part
train same.tsv                                cannot hold out a validation part
train fine.tsv fine.tsv                       unrecognized arguments: fine.tsv
train fine.tsv --train-source a.en            both CORPUS (fine.tsv) and files
train --train-source a.en                     without --train-target
train --train-source a.en --train-target ''   without --train-target
train --train-source '' --train-target ''     no text to train on
train --train-source a.en --train-target short.es     a.en has 60 lines, but
train --train-source a.en --train-target empty        empty is empty
train --train-source a.en --train-target folder       folder is a folder
train --train-source a.en --train-target loop         Too many levels
train --train-source a.en --train-target nothing      Check the path
train --train-source a.en --train-target LONG         File name too long
train --validation-source a.en --validation-target a.es     no training text
train --train-source a.en --train-target a.es --test-target a.en    --test-source
train fine.tsv --out ''                       --out is empty
train fine.tsv --out empty                    must be a folder, but empty is a file
train fine.tsv --out pipe                     must be a folder, but pipe is a file
train fine.tsv --out loop                     Too many levels of symbolic links
train fine.tsv --out nothing                  nothing is a link to nothing
train fine.tsv --out LONG                     File name too long
train fine.tsv --out /dev/null/x              /dev/null is a file
train fine.tsv --source ''                    the source language must have a short name
train fine.tsv --target ' '                   the target language must have a short name
train fine.tsv --source ../../../x            must have a short name, such as en
train fine.tsv --source ESC                   got '\x1b[31mred\x07'
train fine.tsv --source LATIN                 got 'caf\udce9'
train fine.tsv --source LONG                  File name too long
train fine.tsv --text tok                     --text tok is for public corpora
train fine.tsv --text ''                      --text: invalid choice: ''
train fine.tsv --preset huge                  --preset: invalid choice: 'huge'
train fine.tsv --cell ESC                     --cell: invalid choice: '\x1b[31mred\x07'
train fine.tsv --attention ''                 --attention: invalid choice: ''
train fine.tsv --attention none --pictures    nothing to draw
train fine.tsv --picture-of ' '               --picture-of is empty
train fine.tsv --picture-of LATIN             --picture-of is not UTF-8
train fine.tsv --tensorboard LATIN            --tensorboard is not UTF-8
train x --encoder self-attention --position rotary --num-heads 3 --embedding-size 9  = 3
train fine.tsv --deterministic=yes            ignored explicit argument 'yes'
train fine.tsv --units                        --units: expected one argument
train fine.tsv --units ''                     --units: invalid int value: ''
train fine.tsv --units 1e3                    --units: invalid int value: '1e3'
train fine.tsv --units nan                    --units: invalid int value: 'nan'
train fine.tsv --units DIGITS                 --units: invalid int value: '111
train fine.tsv --units 0                      must be at least 1
train fine.tsv --units -1                     must be at least 1
train fine.tsv --dropout ''                   --dropout: invalid float value
train fine.tsv --dropout nan                  must be at least 0
train fine.tsv --dropout inf                  must be
train fine.tsv --dropout 1                    must be less than 1
train fine.tsv --learning-rate 1e400          must be finite
train fine.tsv --clip-norm -0.1               must be at least 0
train fine.tsv --epochs 0                     must be at least 1
train fine.tsv --units HUGE                   --units must be at most 8192
train fine.tsv --units 8193                   --units must be at most 8192; got 8193
train fine.tsv --embedding-size HUGE          --embedding-size must be at most 8192
train fine.tsv --attention-units HUGE         --attention-units must be at most 8192
train fine.tsv --encoder-layers 17            --encoder-layers must be at most 16
train fine.tsv --encoder-layers HUGE          --encoder-layers must be at most 16
train fine.tsv --num-heads HUGE               --num-heads must be at most 128
train fine.tsv --vocabulary-size HUGE         --vocabulary-size must be at most
train fine.tsv --batch-tokens HUGE            --batch-tokens must be at most
train fine.tsv --epochs HUGE                  --epochs must be at most
train fine.tsv --patience 0                   --patience must be at least 1
train fine.tsv --learning-rate 1e30           --learning-rate must be at most 1000
train fine.tsv --config                       --config: expected one argument
train fine.tsv --config ''                    Is a directory
train fine.tsv --config missing               There is no file missing
train fine.tsv --config folder                folder: Is a directory
train fine.tsv --config loop                  Too many levels of symbolic links
train fine.tsv --config LONG                  File name too long
train fine.tsv --config empty                 empty is not valid JSON
train fine.tsv --config binary                binary is not valid JSON
train fine.tsv --config list.json             list.json holds no settings
train fine.tsv --config section.json          section.json has sections ['modle']
train fine.tsv --config unknown.json          unknown settings ['unit'] in model
train fine.tsv --config text.json             text.json: units must be of type int
train fine.tsv --config huge.json             huge.json: units must be at most 8192
train fine.tsv --config escaped.json          source must be without control characters
train --config named.json                     made for 'fine.tsv', which is none of
train --config files.json                     made for local files, which are not opened
train --config streamed.json                  made for local files, which are not opened
train fine.tsv --from                         --from: expected one argument
train fine.tsv --from '' --out x              --from: must be a path; got ''
train fine.tsv --from model                   --from needs --out
train fine.tsv --new-vocabulary               --new-vocabulary needs --from
train fine.tsv --from model --out model       --from and --out are one folder, model
train fine.tsv --from model --out folder/../model    --from and --out are one folder
train fine.tsv --from missing --out x         There is no folder missing
train fine.tsv --from ESC --out x             There is no folder \x1b[31mred\x07
train fine.tsv --from folder --out x          folder is no folder of a model
train fine.tsv --from loop --out x            Too many levels of symbolic links
train fine.tsv --from empty --out x           --from: must be a folder made by nmt
train fine.tsv --from LONG --out x            cannot be: File name too long
train fine.tsv --from no-w --out x            no-w holds no weights yet
train fine.tsv --from flipped-w --out x       model.weights.h5 is damaged or of another
train fine.tsv --from half-w --out x          half-w/model.weights.h5 does not fit
train fine.tsv --from infinite-w --out x      weights that are no finite numbers
train fine.tsv --from other-units --out x     does not fit its config.json
train fine.tsv --from unknown-setting --out x    unknown settings ['unitz'] in model
train fine.tsv --from model --preset demo --out x    both --preset and --from
train fine.tsv --from model --units 16 --out x    --units is 12 in model and 16 now
train fine.tsv --from model --vocabulary-size 50 --out x    Give --new-vocabulary too
train --from model --out x                    no text to train on
train fine.tsv --shuffle-pairs 20000          --shuffle-pairs needs --stream
train --stream --epoch-steps 9              --stream needs --train-source and
train --stream --train-source pipe --train-target a.es --epoch-steps 9    pipe is no
train --stream --train-source /dev/zero --train-target x --epoch-steps 9  is no regular
train --stream --train-source loop --train-target a.es --epoch-steps 9  Too many levels
train --stream --train-source missing --train-target a.es --epoch-steps 9  no file
train fine.tsv --seed -1                      must be at least 0
train fine.tsv --seed HUGE                    must be less than 4294967296
train fine.tsv --max-pieces 1025              must be
train fine.tsv --max-minutes nan              must be at least 0
train fine.tsv --vocabulary-size 7            must be at least 8
train fine.tsv --vocabulary-size 8            --vocabulary-size
train fine.tsv --no-verify                    --no-verify is for public corpora
train fine.tsv --data folder                  --data is the folder of public corpora
train multi30k --source de --target de        source and target are both 'de'
train multi30k --source ''                    multi30k has no language ''
train multi30k --target ESC                   no language '\x1b[31mred\x07'
train multi30k --data ''                      --data: must be a path; got ''
train multi30k --data empty                   empty is a file
train multi30k --data loop                    Too many levels of symbolic links
train multi30k --data LONG                    File name too long
train spa-eng --text tok                      spa-eng has no text 'tok', only raw
train spa-eng --data data                     spa-eng.zip: not a readable zip archive
train spa-eng --data data --no-verify         spa-eng.zip: not a readable zip archive
train spa-eng --data large                    it holds more than the 5,534,262 bytes

translate                                     required: --model
translate --model                             --model: expected one argument
translate --model '' a                        --model: must be a path; got ''
translate --model missing a                   There is no folder missing
translate --model ESC a                       There is no folder \x1b[31mred\x07
translate --model folder a                    folder is no folder of a model
translate --model empty a                     --model: must be a folder made by nmt
translate --model empty/x a                   but empty is a file
translate --model pipe a                      but pipe is a file
translate --model loop a                      loop cannot be: Too many levels of
translate --model nothing a                   nothing is a link to nothing
translate --model LONG a                      cannot be: File name too long
translate --model model/config.json a         but model/config.json is a file
translate --model model ''                    argument 1 to translate is empty
translate --model model a ' '                 argument 2 to translate is empty
translate --model model LATIN                 argument 1 to translate is not UTF-8
translate --model model                       standard input is closed
translate --model model --input a.en x        both TEXT and --input were given
translate --model model --input ''            file
translate --model model --input missing       no file missing. Check the path.
translate --model model --input nothing       no file nothing. Check the path.
translate --model model --input folder        folder is a folder. Expected a text
translate --model model --input loop          Too many levels of symbolic links
translate --model model --input LONG          File name too long
translate --model model --input empty/x       Not a directory
translate --model model --input empty         empty is empty
translate --model model --input none.tsv.gz   not a whole compressed file
translate --model model a --unknown ESC       unrecognized arguments: --unknown \x1b[31m
translate --model model a --beam              --beam: expected one argument
translate --model model a --beam ''           --beam: must be a whole number from 1 to
translate --model model a --beam 0            --beam: must be a whole number from 1 to
translate --model model a --beam -1           --beam: must be a whole number from 1 to
translate --model model a --beam 1.5          --beam: must be a whole number from 1 to
translate --model model a --beam nan          --beam: must be a whole number from 1 to
translate --model model a --beam inf          --beam: must be a whole number from 1 to
translate --model model a --beam ESC          got '\x1b[31mred\x07'
translate --model model a --beam 201          a whole number from 1 to 200; got '201'
translate --model model a --beam 1000000000000000000    a whole number from 1 to 200
translate --model model a --beam HUGE         a whole number from 1 to 200
translate --model model a --beam DIGITS       a whole number from 1 to 200
translate --model model a --n-best 0          --n-best: must be a whole number
translate --model model a --n-best 6          --n-best must be at most --beam
translate --model model a --n-best 1000000000000000000  --n-best
translate --model model a --length-penalty nan          from 0 to 10; got 'nan'
translate --model model a --length-penalty 1e400        from 0 to 10; got '1e400'
translate --model model a --coverage-penalty -1         from 0 to 1000; got '-1'
translate --model model a --coverage-penalty 1e39       from 0 to 1000; got '1e39'
translate --model model a --coverage-penalty nan        from 0 to 1000; got 'nan'
translate --model model a --prefix LATIN      --prefix is not UTF-8
translate --model model a --temperature 2     --temperature needs --sample
translate --model model a --top-k 2           --top-k needs --sample
translate --model model a --seed 2            --seed needs --sample
translate --model model a --sample --beam 3   --beam has no use with --sample
translate --model model a --sample --n-best 2  --n-best has no use with --sample
translate --model model a --sample --seed x   --seed: invalid int value: 'x'
translate --model model a --sample --top-k 0  --top-k: must be a whole number from 1
translate --model model a --sample --top-k HUGE         --top-k: must be a whole number
translate --model model a --sample --temperature 0      a number above 0
translate --model model a --sample --temperature 1e-400  a number above 0
translate --model model a --sample --temperature nan    a number above 0
translate --model model a --sample --temperature inf    a number above 0
translate --model model a --max-length 0      --max-length: must be a whole number
translate --model model a --max-length HUGE   --max-length: must be a whole number
translate --model model a --min-length -1     --min-length: must be a whole number
translate --model model a --min-length 5 --max-length 3     --min-length must be at most
translate --model model a --batch-size 0      --batch-size: must be a whole number
translate --model model a --batch-size HUGE   --batch-size: must be a whole number
translate --model model a --on-error ESC      --on-error: invalid choice: '\x1b[31m
translate --model model a --plot ''           A picture must end in .png
translate --model model a --plot x.gif        A picture must end in .png
translate --model model a --plot ESC          \x1b[31mred\x07
translate --model model a --plot folder.png   --plot must be a file, but folder.png is
translate --model model a --plot empty/x.png  must be a folder, but empty is a file
translate --model model a --plot loop/x.png   Too many levels of symbolic links
translate --model model a --plot LONG.png     File name too long
translate --model model a --plot - --json     --plot - and --json both write

evaluate                                      required: --model
evaluate --model loop                         Too many levels of symbolic links
evaluate --model empty                        but empty is a file
evaluate --model no-c                         it holds no config.json
evaluate --model model                        does not say what text pairs.tsv held
evaluate --model model --split                --split: expected at least one argument
evaluate --model model --beam 0               --beam: must be a whole number from 1 to
evaluate --model model --beam HUGE            --beam: must be a whole number from 1 to
evaluate --model model --data ''              --data: must be a path; got ''
evaluate --model model --source-file a.en     --target-file
evaluate --model model --target-file a.es     --source-file
evaluate --model model --source-file a.en --target-file short.es   a.en has 60 lines
evaluate --model model --source-file a.en --target-file empty      empty is empty
evaluate --model model --source-file a.en --target-file missing    no file missing
evaluate --model model --source-file folder --target-file a.es     folder is a folder
evaluate --model model --source-file loop --target-file a.es       Too many levels
evaluate --model model --source-file a.en --target-file LONG       File name too long
evaluate --model model --source-file a.en --target-file a.es --split test  --split has
evaluate --model model --source-file a.en --target-file a.es --no-verify  no use with

score                                         required: --model
score --model ''                              --model: must be a path; got ''
score --model missing --source-file a.en --target-file a.es  There is no folder missing
score --model loop                            Too many levels of symbolic links
score --model empty                           but empty is a file
score --model no-c --source-file a.en --target-file a.es  it holds no config.json
score --model model                           standard input is closed
score --model model a                         unrecognized arguments: a
score --model model --beam 3                  unrecognized arguments: --beam 3
score --model model --source-file a.en        --target-file
score --model model --target-file a.es        --source-file
score --model model --source-file a.en --target-file ''        file
score --model model --source-file missing --target-file a.es   missing
score --model model --source-file folder --target-file a.es    folder
score --model model --source-file loop --target-file a.es      Too many levels
score --model model --source-file a.en --target-file empty     empty
score --model model --source-file a.en --target-file LONG      File name too long
score --model model --source-file a.en --target-file none.tsv.gz   compressed file
score --model model --on-error ESC            --on-error: invalid choice: '\x1b[31m
score --model model --batch-size 0            --batch-size: must be a whole number
score --model model --batch-size HUGE         --batch-size: must be a whole number

align                                         required: --model
align --model ''                              --model: must be a path; got ''
align --model missing --source-file a.en --target-file a.es  There is no folder missing
align --model loop                            Too many levels of symbolic links
align --model empty                           but empty is a file
align --model no-c --source-file a.en --target-file a.es  it holds no config.json
align --model model                           standard input is closed
align --model model a                         unrecognized arguments: a
align --model model --beam 3                  unrecognized arguments: --beam 3
align --model model --source-file a.en        --target-file
align --model model --target-file a.es        --source-file
align --model model --source-file a.en --target-file ''        file
align --model model --source-file missing --target-file a.es   missing
align --model model --source-file folder --target-file a.es    folder
align --model model --source-file loop --target-file a.es      Too many levels
align --model model --source-file a.en --target-file empty     empty
align --model model --source-file a.en --target-file LONG      File name too long
align --model model --source-file a.en --target-file none.tsv.gz   compressed file
align --model model --on-error ESC            --on-error: invalid choice: '\x1b[31m
align --model model --batch-size 0            --batch-size: must be a whole number
align --model model --batch-size HUGE         --batch-size: must be a whole number
align --model model --data data               --data and --no-verify are for
align --model model --no-verify               --data and --no-verify are for
align --model model --links best --batch-size 9   --batch-size has no use with
align --model model --model model --links best   text of one model. Give one --model
align --model no-w --source-file a.en --target-file a.es --links best   holds no weights

serve                                         required: --model
serve --model loop                            Too many levels of symbolic links
serve --model no-c --port 0                   it holds no config.json
serve --model no-v --port 0                   no-v/vocabulary.model
serve --model model --port ''                 --port: must be a whole number from 0 to
serve --model model --port -1                 --port: must be a whole number from 0 to
serve --model model --port 65536              --port: must be a whole number from 0 to
serve --model model --port 8e3                --port: must be a whole number from 0 to
serve --model model --port HUGE               --port: must be a whole number from 0 to
serve --model model --beam 21                 --beam must be at most 20 here
serve --model model --beam 0                  --beam: must be a whole number from 1 to
serve --model model a                         TEXT and --input are for --export
serve --model model --input a.en              TEXT and --input are for --export
serve --model model --export x --port 1 a     --port has no use with --export
serve --model model --export '' a             --export is empty
serve --model model --export empty a          must be a folder, but empty is a file
serve --model model --export loop a           Too many levels of symbolic links
serve --model model --export nothing a        nothing is a link to nothing
serve --model model --export LONG a           File name too long
serve --model model --export x ''             argument 1 to translate is empty
serve --model model --export x --input empty  empty is empty
serve --model model --export x --input a.en b  both TEXT and --input were given

export                                        required: --model
export --model model                          required: --out
export --model '' --out x                     --model: must be a path; got ''
export --model missing --out x                There is no folder missing
export --model ESC --out x                    There is no folder \x1b[31mred\x07
export --model folder --out x                 folder is no folder of a model
export --model empty --out x                  --model: must be a folder made by nmt
export --model loop --out x                   Too many levels of symbolic links
export --model LONG --out x                   cannot be: File name too long
export --model no-c --out x                   it holds no config.json
export --model no-w --out x                   no-w holds no weights yet
export --model junk-v --out x                 is not a SentencePiece model
export --model half-w --out x                 half-w/model.weights.h5 does not fit
export --model infinite-w --out x             weights that are no finite numbers
export --model model --model missing --out x  There is no folder missing
export --model model --out                    --out: expected one argument
export --model model --out ''                 --out is empty
export --model model --out empty              must be a folder, but empty is a file
export --model model --out empty/x            must be a folder, but empty is a file
export --model model --out pipe               must be a folder, but pipe is a file
export --model model --out loop/x             Too many levels of symbolic links
export --model model --out nothing            nothing is a link to nothing
export --model model --out LONG               File name too long
export --model model --out LATIN              --out is not UTF-8
export --model model --out x --beam 0         --beam: must be a whole number from 1 to
export --model model --out x --beam -1        --beam: must be a whole number from 1 to
export --model model --out x --beam 1.5       --beam: must be a whole number from 1 to
export --model model --out x --beam 201       a whole number from 1 to 200; got '201'
export --model model --out x --beam HUGE      a whole number from 1 to 200
export --model model --out x a                unrecognized arguments: a
"""


def cases():
    """Return `(arguments, complaint)` of every line."""
    broken = [
        (["translate", "--model", name, "a"], complaint)
        for name, complaint in BROKEN_MODELS.items()
    ]
    return broken + [
        _case(line) for line in LINES.strip("\n").split("\n") if line.strip()
    ]


def _case(line):
    command, complaint = re.split(" {2,}", line, maxsplit=1)
    arguments = shlex.split(command)
    for word, meant in WORDS.items():
        arguments = [argument.replace(word, meant) for argument in arguments]
    return arguments, complaint


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [pytest.param(*case, id=" ".join(map(ascii, case[0]))[:80]) for case in cases()],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    world, monkeypatch, capsys, arguments, complaint
):
    monkeypatch.chdir(world)
    monkeypatch.setattr("sys.stdin", None)
    monkeypatch.setattr(parallel, "MOST_BYTES", 100_000)
    before = everything_in(world)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.split("\n")[:-1]
    assert line.startswith("nmt: error: ") and line.isprintable()
    assert complaint in line
    assert everything_in(world) == before


def test_the_list_is_long():
    assert len(cases()) > 200
