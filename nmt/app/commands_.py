"""What the commands do, one function each; `nmt.cli` has checked their options."""

import dataclasses
import json
import os
import sys
from pathlib import Path

from nmt.app.tensorflow_import import import_tensorflow
from nmt.config import CONFIG_FILE, PRESETS, SECTIONS, Config, CorpusConfig
from nmt.corpora import read_lines
from nmt.errors import UserError
from nmt.files import picture_ending
from nmt.translation import (
    CHUNK,
    arriving_lines,
    check_utf8,
    checked_texts,
    chunks,
    translated,
    written,
)

BEAM_SIZE = 5
PORT = 8000
TERMINAL = "-"


def demo(args):
    """Run `nmt demo`."""
    out = _folder(args.out, "--out")
    import_tensorflow()
    from nmt.app.demo import run

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
    config = PRESETS[args.preset or _preset(args.corpus)].replace(**given)
    picture_of = _picture_of(args, config)
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

    training.train(corpus, config, out, picture_of=picture_of)
    page = out / training.PICTURES_FOLDER / "index.html"
    if picture_of is not None and page.is_file():
        print(f"Where it looked, epoch by epoch: {page}")
    print(f"Try: nmt translate --model {out}")


def translate(args):
    """Run `nmt translate`."""
    from tqdm import tqdm

    from nmt.text import UNKNOWN_PIECE

    search = _search(args)
    picture = _picture(args.plot)
    in_terminal = args.plot == TERMINAL
    if in_terminal and args.json:
        raise UserError(
            "--plot - and --json both write where the translations go. "
            "Leave one of them out."
        )
    batches = _lines(args)
    several = False
    if picture or args.seed is not None:
        # Pictures are numbered if there are several, and the same seed gives the same
        # samples only if batches do not depend on when lines arrive.
        batches = list(chunks(line for batch in batches for line in batch))
        several = sum(bool(line.strip()) for batch in batches for line in batch) > 1
    if args.plot is not None:
        _check_attention(args.model, "there is nothing to draw. Leave --plot out.")
    translator = _translator(args.model)
    # Where translations appear on the terminal, they show the progress themselves.
    hidden = True if sys.stdout.isatty() or args.texts else None
    number = unknown = 0
    with tqdm(unit=" sentences", disable=hidden, leave=False) as bar:
        for batch in batches:
            for result in translated(translator, batch, **search):
                number += 1
                print(written(result, number, args.n_best, args.json))
                if result is None:
                    continue
                best = result if args.n_best == 1 else result[0]
                unknown += UNKNOWN_PIECE in best.source_tokens
                if args.plot is None:
                    continue
                if in_terminal:
                    print(best.blocks())
                    continue
                path = picture
                if several:
                    path = picture.with_stem(f"{picture.stem}-{number}")
                best.plot(path)
                print(f"wrote {path}", file=sys.stderr)
            sys.stdout.flush()
            bar.update(len(batch))
            if "seed" in search:
                search["seed"] += CHUNK  # other samples for the next lines
    if unknown:
        tokenised = translator.config.corpus.text == "tok"
        hint = " It was trained on small letters, with signs set apart by spaces."
        print(
            f"nmt: note: {unknown} of {number} lines have characters that the model "
            f"does not know ({UNKNOWN_PIECE}).{hint if tokenised else ''}",
            file=sys.stderr,
        )


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


def serve(args):
    """Run `nmt serve`."""
    if args.export is None:
        if args.texts or args.input is not None:
            raise UserError(
                "TEXT and --input are for --export. Leave them out and type on the "
                "page, or add --export DIR."
            )
        _serve(args)
        return
    if args.port is not None:
        raise UserError(
            "--port has no use with --export, which writes files. Change one of them."
        )
    out = _folder(args.export, "--export")
    _check_attention(args.model, "there is nothing to show.")
    lines = [line for batch in _lines(args) for line in batch if line.strip()]
    if not lines:
        raise UserError("there is no sentence to write a page of.")
    translator = _translator(args.model)
    from nmt.app.pages import export

    index = export(translator(lines, beam_size=args.beam or BEAM_SIZE), out)
    print(f"wrote {index}")


def _serve(args):
    from nmt.app.server import MAX_BEAMS, Server, Service

    beam_size = args.beam or BEAM_SIZE
    if beam_size > MAX_BEAMS:
        raise UserError(f"--beam must be at most {MAX_BEAMS} here. Got: {beam_size}.")
    _check_attention(args.model, "there is nothing to show.")
    # First the port, which fails at once, then the model, which takes its time.
    with Server(PORT if args.port is None else args.port) as server:
        translator = _translator(args.model)
        from nmt.app.pages import local_page, payload

        corpus = _config(args.model).corpus
        page, policy = local_page(corpus.source, corpus.target, beam_size)
        service = Service(translator, payload, beam_size)
        try:
            print(
                f"{server.url} shows {args.model}: a demonstration, for this machine "
                "alone. Ctrl-C stops it.",
                flush=True,
            )
            server.run(page, policy, service)
        except KeyboardInterrupt:
            service.stop()
    print("\nstopped")


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


def _preset(name):
    """Name the settings made for a corpus; text of one's own gets those of most use."""
    from nmt.corpora import CORPORA

    public = name in CORPORA and not os.path.isfile(name)
    return CORPORA[name].preset if public else "base"


def _picture_of(args, config):
    """Return the sentence to draw after each epoch, "" for one of the corpus."""
    if args.picture_of is None and not args.pictures:
        return None
    if config.model.attention == "none":
        raise UserError(
            "a model without attention has nothing to draw. Leave --pictures out, or "
            "choose another --attention."
        )
    if args.picture_of is None:
        return ""
    check_utf8(args.picture_of, "--picture-of")
    if not args.picture_of.strip():
        raise UserError("--picture-of is empty. Expected a sentence.")
    return args.picture_of


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
    if args.prefix is not None:
        check_utf8(args.prefix, "--prefix")
    values["prefix"] = args.prefix
    return {name: value for name, value in values.items() if value is not None}


def _picture(plot):
    """Return the path of the picture asked for, if any."""
    if plot in (None, TERMINAL):
        return None
    path = Path(plot)
    picture_ending(path)
    if path.is_dir():
        raise UserError(f"--plot must be a file, but {plot} is a folder.")
    _check_writable(path.parent, "the folder of --plot")
    return path


def _lines(args):
    """Return the lines to translate, in lists: arguments, a file, or as they arrive."""
    if args.texts and args.input is not None:
        raise UserError("both TEXT and --input were given. Give one of them.")
    if args.texts:
        return [checked_texts(args.texts)]
    if args.input is not None:
        return list(chunks(read_lines(args.input)))
    if sys.stdin is None:
        raise UserError("no text to translate: standard input is closed. Give TEXT.")
    if sys.stdin.isatty():
        print("one sentence a line; end by Ctrl-D", file=sys.stderr)
    return arriving_lines(sys.stdin.buffer, "standard input")


def _folder(path, flag):
    path = Path(path)
    _check_writable(path, flag)
    return path


def _check_writable(folder, what):
    """Refuse a folder that nothing can be written into, before the work is done."""
    places = (folder, *folder.parents)
    there = next((place for place in places if os.path.exists(place)), Path())
    if not there.is_dir():
        raise UserError(f"{what} must be a folder, but {there} is a file.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(
            f"{what} cannot be written: this user may not write in {there}. Choose "
            "another."
        )


def _config(model):
    return Config.load(Path(model) / CONFIG_FILE)


def _check_attention(model, but):
    if _config(model).model.attention == "none":
        raise UserError(f"{model} is a model without attention: {but}")


def _translator(path):
    _config(path)  # before the wait for TensorFlow: is this a model at all?
    import_tensorflow()
    from nmt.translation import Translator

    return Translator.load(path)
