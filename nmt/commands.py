"""What the commands do, one function each; `nmt.cli` has checked their options."""

import dataclasses
import json
import os
import sys
from pathlib import Path

from nmt.config import CONFIG_FILE, PRESETS, SECTIONS, Config, CorpusConfig
from nmt.errors import UserError
from nmt.parallel import read_lines
from nmt.quiet import import_tensorflow
from nmt.streams import (
    CHUNK,
    arriving_lines,
    checked_texts,
    chunks,
    translated,
    written,
)

BEAM_SIZE = 5
PICTURES = (".png", ".svg", ".pdf")


def demo(args):
    """Run `nmt demo`."""
    out = _folder(args.out, "--out")
    import_tensorflow()
    from nmt.demo import run

    run(out)


def corpora(args):
    """Run `nmt corpora`."""
    from nmt.corpora import catalogue

    rows = [("CORPUS", "TEXT", "LANGUAGES", "PAIRS", "SIZE", "ON DISK")]
    entries = catalogue(args.data)
    for entry in entries:
        files = f"{len(entry.on_disk)} of {len(entry.files)} files"
        rows.append(
            (
                entry.name,
                entry.text,
                " ".join(entry.languages),
                f"{sum(entry.lines.values()):,}",
                f"{entry.size / 1e6:.1f} MB" if entry.files else "-",
                files if entry.files else "built in",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    for name, terms, url in dict.fromkeys((e.name, e.terms, e.url) for e in entries):
        print(f"\n{name}: {terms}", *([f"  {url}"] if url else []), sep="\n")


def train(args):
    """Run `nmt train`."""
    names = {
        option.name
        for section in ("vocabulary", "model", "training")
        for option in dataclasses.fields(SECTIONS[section])
    }
    given = {name: value for name, value in vars(args).items() if name in names}
    config = PRESETS[args.preset].replace(**given)
    out = None if args.out is None else _folder(args.out, "--out")
    corpus, files = _corpus_to_train_on(args)
    described = CorpusConfig(
        name=corpus.name,
        source=corpus.source_language,
        target=corpus.target_language,
        text=corpus.text,
        files=files,
    )
    config = dataclasses.replace(config, corpus=described)
    if out is None:
        form = "-tok" if corpus.text == "tok" else ""
        languages = f"{corpus.source_language}-{corpus.target_language}"
        out = _folder(f"models/{corpus.name}-{languages}{form}", "--out")
    import_tensorflow()
    from nmt import training

    training.train(corpus, config, out)
    print(f"Try: nmt translate --model {out}")


def translate(args):
    """Run `nmt translate`."""
    from tqdm import tqdm

    search = _search(args)
    picture = _picture(args.plot)
    batches = _lines(args)
    several = False
    if picture or args.seed is not None:
        # Pictures are numbered if there are several, and the same seed gives the same
        # samples only if batches do not depend on when lines arrive.
        batches = list(chunks(line for batch in batches for line in batch))
        several = sum(bool(line.strip()) for batch in batches for line in batch) > 1
    if picture and _config(args.model).model.attention == "none":
        raise UserError(
            f"{args.model} is a model without attention: there is nothing to draw. "
            "Leave --plot out."
        )
    translator = _translator(args.model)
    # Where translations appear on the terminal, they show the progress themselves.
    hidden = True if sys.stdout.isatty() or args.texts else None
    number = 0
    with tqdm(unit=" sentences", disable=hidden, leave=False) as bar:
        for batch in batches:
            for result in translated(translator, batch, **search):
                number += 1
                print(written(result, number, args.n_best, args.json))
                if picture and result is not None:
                    best = result if args.n_best == 1 else result[0]
                    path = picture
                    if several:
                        path = picture.with_stem(f"{picture.stem}-{number}")
                    best.plot(path)
                    print(f"wrote {path}", file=sys.stderr)
            sys.stdout.flush()
            bar.update(len(batch))
            if "seed" in search:
                search["seed"] += CHUNK  # other samples for the next lines


def evaluate(args):
    """Run `nmt evaluate`."""
    settings = _config(args.model).corpus
    corpus = _open(
        settings.name,
        settings.source,
        settings.target,
        settings.text,
        settings.files,
        args,
    )
    splits = args.split or [
        split for split in corpus.splits if split not in ("train", "validation")
    ]
    known = ", ".join(corpus.splits)
    if not splits:
        raise UserError(
            f"{corpus.name} has no test split. Choose one by --split from: {known}."
        )
    for split in splits:
        if split not in corpus.splits:
            raise UserError(f"{corpus.name} has no split {split!r}. Known: {known}.")
    translator = _translator(args.model)
    from nmt import evaluation

    for split in splits:
        count = len(corpus.splits[split].source)
        print(f"evaluating {split}, {count} pairs", file=sys.stderr, flush=True)
        result = evaluation.evaluate(
            translator,
            corpus,
            split,
            beam_size=args.beam or BEAM_SIZE,
            data=args.data,
            progress=True,
        )
        text = json.dumps(result.to_dict()) if args.json else result.table()
        print(text, flush=True)


def _corpus_to_train_on(args):
    """Return the corpus asked for, and the local files it is made of."""
    local = [
        getattr(args, f"{part}_{side}")
        for part in ("train", "validation", "test")
        for side in ("source", "target")
    ]
    if args.corpus is None and not any(local):
        raise UserError(
            "no text to train on. Give the name of a corpus (see: nmt corpora), a "
            ".tsv file, or --train-source and --train-target."
        )
    if args.corpus is not None and any(local):
        raise UserError(
            f"both CORPUS ({args.corpus}) and files (--train-source ...) were given. "
            "Give one of them."
        )
    files = ()
    if any(local):
        files = tuple(os.path.abspath(path) if path else "" for path in local)
    elif args.corpus.endswith((".tsv", ".tsv.gz")) or os.path.isfile(args.corpus):
        files = (os.path.abspath(args.corpus),)
    if files and args.text != "raw":
        raise UserError(
            f"--text {args.text} is for public corpora in that form. Files are taken "
            "as they are: leave it out."
        )
    corpus = _open(args.corpus, args.source, args.target, args.text, files, args)
    return corpus, files


def _open(name, source, target, text, files, args):
    """Return a corpus of local files if there are any, else the one of this name."""
    from nmt.corpora import from_files, from_tsv, load

    languages = {"source": source or "source", "target": target or "target"}
    if len(files) == 1:
        return from_tsv(files[0], **languages)
    if files:
        return from_files(*(path or None for path in files), **languages)
    return load(name, source, target, text, args.data, args.verify)


def _search(args):
    """Return the options of the search that were given, once they make sense."""
    values = {
        "beam_size": args.beam,
        "length_penalty": args.length_penalty,
        "coverage_penalty": args.coverage_penalty,
        "n_best": args.n_best if args.n_best > 1 else None,
    }
    if args.sample:
        unused = values
        values = {
            "sample": True,
            "temperature": args.temperature,
            "top_k": args.top_k,
            "seed": args.seed,
        }
        reason = "has no use with --sample, which draws in place of a search"
    else:
        unused = {
            "temperature": args.temperature,
            "top_k": args.top_k,
            "seed": args.seed,
        }
        reason = "needs --sample"
    for name, value in unused.items():
        if value is not None:
            flag = {"beam_size": "beam"}.get(name, name).replace("_", "-")
            raise UserError(f"--{flag} {reason}. Change one of them.")
    beams = args.beam or BEAM_SIZE
    if args.n_best > beams:
        raise UserError(
            f"--n-best must be at most --beam. Got --n-best {args.n_best} and "
            f"--beam {beams}."
        )
    return {name: value for name, value in values.items() if value is not None}


def _picture(plot):
    """Return the path of the picture asked for, if any."""
    if plot is None:
        return None
    path = Path(plot)
    if path.suffix.lower() not in PICTURES:
        raise UserError(f"--plot must end in {', '.join(PICTURES)}. Got: {plot}.")
    if path.is_dir():
        raise UserError(f"--plot must be a file, but {plot} is a folder.")
    return path


def _lines(args):
    """Return the lines to translate, in lists: arguments, a file, or as they arrive."""
    if args.texts and args.input is not None:
        raise UserError("both TEXT and --input were given. Give one of them.")
    if args.texts:
        return [checked_texts(args.texts)]
    if args.input is not None:
        return list(chunks(read_lines(args.input)))
    if sys.stdin.isatty():
        print("one sentence a line; end by Ctrl-D", file=sys.stderr)
    return arriving_lines(sys.stdin.buffer, "standard input")


def _folder(path, flag):
    if os.path.exists(path) and not os.path.isdir(path):
        raise UserError(f"{flag} must be a folder, but {path} is a file.")
    return Path(path)


def _config(model):
    return Config.load(Path(model) / CONFIG_FILE)


def _translator(path):
    _config(path)  # before the wait for TensorFlow: is this a model at all?
    import_tensorflow()
    from nmt.translator import Translator

    return Translator.load(path)
