"""The page of `nmt serve`: a form for a sentence, and where the model looked."""

from html import escape
from string import Template

import keras_attention as ka
from nmt.app.pages import read_asset
from nmt.app.service import MAX_BEAMS, MAX_TEXT
from nmt.config import CorpusConfig
from nmt.translation import fields

# By the code of a language: its name, and a sentence that most models of it know.
LANGUAGES = {
    "cs": ("Czech", "Dva psi si hrají ve sněhu."),
    "de": ("German", "Zwei Hunde spielen im Schnee."),
    "en": ("English", "Two dogs play in the snow."),
    "es": ("Spanish", "Dos perros juegan en la nieve."),
    "fr": ("French", "Deux chiens jouent dans la neige."),
}
# Sentences of the phrase book, whose models know no other words.
PHRASES = {
    "en": "The small dog does not see it.",
    "es": "El perro pequeño no lo ve.",
}


def local_page(corpus: CorpusConfig, model: str, beam_size: int) -> tuple[str, str]:
    """Return the page with a form for a sentence, which shows its translation.

    Args:
        corpus: What the model was trained on.
        model: Folder of the model, as it was given.
        beam_size: Beams that the form begins with.

    Returns:
        `(html, policy)`, the policy being the page's Content-Security-Policy.
    """
    source, target = map(_language, (corpus.source, corpus.target))
    form = Template(read_asset("form.html")).substitute(
        source=escape(corpus.source),
        target=escape(corpus.target),
        source_name=escape(source),
        target_name=escape(target),
        example=escape(_example(corpus)),
        beam_size=beam_size,
        max_beams=MAX_BEAMS,
        max_text=MAX_TEXT,
    )
    model = model.encode(errors="replace").decode()  # a path may be no Unicode
    return ka.attention_page(
        None,
        title=f"{source} → {target} · {model}",
        form=form,
        foot=read_asset("foot.html"),
        style=read_asset("form.css"),
        script=read_asset("form.js"),
        connect=True,
    )


def payload(result) -> dict:
    """Return a `Translation` as JSON can hold it.

    Returns:
        What `nmt translate --json` prints, and in `view` what the page draws.
    """
    return {**fields(result), "view": result.view().data}


def _language(code):
    return LANGUAGES[code][0] if code in LANGUAGES else code


def _example(corpus):
    """A sentence for the model to translate; an empty one if none is known."""
    if corpus.name == "phrasebook":
        return PHRASES.get(corpus.source, "")
    return LANGUAGES.get(corpus.source, ("", ""))[1]
