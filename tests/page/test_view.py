import ast
import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import hypothesis.extra.numpy as numpy_strategies
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given
from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap

import keras_attention
from keras_attention.page.html import TINTS, attention_page
from keras_attention.page.view import AttentionView, attention_view
from keras_attention.plots.heatmap import COLORS
from tests.helpers import run_example

SOURCE = "two dogs play in the snow".split()
TARGET = "Zwei Hunde spielen im Schnee . </s>".split()
HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "</iframe></table><b>",
    "<!--",
    "\"a' =",
    "&amp;",
    "a\u2028b\u2029c",
    "👩\u200d👩\u200d👧",
    "e\u0301",
    "\ud800",
    "\x00\x1b\r\n",
    "\u202egnp",
    "",
    "$title",
]
PAGE = Path(keras_attention.__file__).parent / "page/assets"

# What JupyterLab leaves of output that it does not trust.
KEPT_TAGS = set(
    "table caption thead tbody tr th td bdi details summary div p b span".split()
)
KEPT_ATTRIBUTES = {"dir", "lang", "title", "style", "class", "scope", "open"}


def random_weights(*shape, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(shape[-1]), shape[:-1])


@pytest.fixture
def weights():
    return random_weights(len(TARGET), len(SOURCE))


class Document(HTMLParser):
    """The elements of a document in order, each with its attributes and text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        element = {"tag": tag, "attributes": dict(attributes), "text": ""}
        self.elements.append(element)
        self._open.append(element)

    def handle_endtag(self, tag):
        while self._open and self._open.pop()["tag"] != tag:
            pass

    def handle_data(self, data):
        for element in self._open:
            element["text"] += data

    def all(self, tag):
        return [element for element in self.elements if element["tag"] == tag]

    def data(self):
        (block,) = [
            script
            for script in self.all("script")
            if script["attributes"].get("type") == "application/json"
        ]
        return json.loads(block["text"])


class Sanitizer(HTMLParser):
    """Takes out every element and attribute that is not kept."""

    def __init__(self, html):
        super().__init__(convert_charrefs=False)
        self.html = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag in KEPT_TAGS:
            kept = (f' {k}="{v}"' for k, v in attributes if k in KEPT_ATTRIBUTES)
            self.html += f"<{tag}{''.join(kept)}>"

    def handle_endtag(self, tag):
        if tag in KEPT_TAGS:
            self.html += f"</{tag}>"

    def handle_data(self, data):
        self.html += data

    def handle_entityref(self, name):
        self.html += f"&{name};"

    def handle_charref(self, name):
        self.html += f"&#{name};"


def decode(layer, rows, columns):
    """The weights that the page draws: shares of each row's largest."""
    shape = layer["heads"], rows, columns
    shares = np.frombuffer(base64.b64decode(layer["shares"]), "uint8").reshape(shape)
    largest = np.frombuffer(base64.b64decode(layer["largest"]), "<f4")
    return largest.reshape(*shape[:2], 1).astype("float64") * shares / 255


# The file


@pytest.mark.parametrize("tokens", [TARGET, HOSTILE])
def test_the_file_names_no_address_and_loads_nothing(tokens):
    view = attention_view(random_weights(len(tokens), len(SOURCE)), SOURCE, tokens)
    page = attention_page(view.data)
    text = page.html.replace(page.policy, "")
    data = re.search('<script type="application/json".*?</script>', text)[0]
    text = text.replace(data, "")
    assert not re.search(r"https?:|//\w", text)
    assert not re.search(r"\b(src|href)\s*=|@import|\burl\(|\beval\b|innerHTML", text)


def test_the_policy_comes_first_and_allows_this_script_and_style_alone(weights):
    document = Document(attention_view(weights, SOURCE, TARGET).html)
    start = [element["tag"] for element in document.elements[:4]]
    assert start == ["html", "head", "meta", "meta"]
    charset, meta = document.all("meta")[:2]
    assert charset["attributes"] == {"charset": "utf-8"}
    assert meta["attributes"]["http-equiv"] == "Content-Security-Policy"
    policy = dict(
        part.split(" ", 1) for part in meta["attributes"]["content"].split("; ")
    )
    assert policy["default-src"] == policy["connect-src"] == "'none'"
    assert policy["img-src"] == "data:"
    (style,) = document.all("style")
    script = document.all("script")[-1]
    for element, name in [(style, "style-src"), (script, "script-src")]:
        digest = hashlib.sha256(element["text"].encode()).digest()
        assert policy[name] == f"'sha256-{base64.b64encode(digest).decode()}'"


def test_hostile_tokens_come_back_exactly_and_make_no_element():
    count = len(HOSTILE)
    weights = random_weights(count, count)
    hostile = Document(attention_view(weights, HOSTILE, title=HOSTILE[0]).html)
    tame = Document(attention_view(weights, ["a"] * count).html)
    (frame,) = hostile.data()["frames"]
    assert [token["text"] for token in frame["source"]] == HOSTILE
    assert [token["text"] for token in frame["target"]] == HOSTILE
    assert [e["tag"] for e in hostile.elements] == [e["tag"] for e in tame.elements]
    assert hostile.all("title")[0]["text"] == HOSTILE[0]
    raw = attention_view(weights, HOSTILE).html
    data = re.search('<script type="application/json"[^>]*>(.*)', raw)[1]
    assert not set(data.removesuffix("</script>")) & set("<>&\u2028\u2029")


def test_tokens_that_cannot_be_seen_are_spelled_out():
    frame = attention_view(random_weights(1, len(HOSTILE)), HOSTILE, ["a"]).data
    (frame,) = frame["frames"]
    labels = {token["text"]: token.get("label") for token in frame["source"]}
    assert labels["a\u2028b\u2029c"] == "a\\u2028b\\u2029c"
    assert labels["\ud800"] == "\\ud800"
    assert labels[""] == "∅"
    assert labels["👩\u200d👩\u200d👧"] is labels["e\u0301"] is None


@pytest.mark.parametrize(
    ("shape", "limit"), [((6, 8, 30, 30), 150_000), ((1, 8, 512, 512), 3_500_000)]
)
def test_the_file_stays_small(shape, limit, tmp_path):
    words = [f"word{i}" for i in range(shape[-1])]
    attention_view(random_weights(*shape), words).save(tmp_path / "a.html")
    assert (tmp_path / "a.html").stat().st_size <= limit


# Weights


@given(
    numpy_strategies.arrays(
        "float64",
        st.tuples(*[st.integers(1, 5)] * 3),
        # As layers give them: below the smallest float32 a weight is 0 on the page.
        elements=st.floats(0, 1, width=32, allow_subnormal=False),
    )
)
@example(np.array([[[0.5, 0.499, 0.001], [0.499, 0.5, 0.001], [0.25, 0.5, 0.25]]]))
@example(np.zeros((1, 2, 3)))
def test_rounded_weights_are_close_and_the_largest_stays_the_largest(weights):
    weights = weights / np.maximum(weights.sum(axis=-1, keepdims=True), 1)
    heads, rows, columns = weights.shape
    view = attention_view(weights, ["s"] * columns, ["t"] * rows)
    (layer,) = view.data["frames"][0]["layers"]
    decoded = decode(layer, rows, columns)
    assert abs(decoded - weights).max() <= 1 / 510 + 1e-6
    np.testing.assert_array_equal(decoded.argmax(-1), weights.argmax(-1))
    np.testing.assert_array_equal(decoded.max(-1), weights.max(-1).astype("float32"))


def test_layers_are_named_by_number_or_as_the_dict_says():
    def layers(weights):
        (frame,) = attention_view(weights, SOURCE, TARGET).data["frames"]
        return [(layer["name"], layer["heads"]) for layer in frame["layers"]]

    size = len(TARGET), len(SOURCE)
    assert layers(random_weights(*size)) == [("attention", 1)]
    assert layers(random_weights(3, *size)) == [("attention", 3)]
    assert layers(random_weights(2, 3, *size)) == [("layer 0", 3), ("layer 1", 3)]
    named = {"a/b": random_weights(*size), "c": random_weights(5, *size)}
    assert layers(named) == [("a/b", 1), ("c", 5)]


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        (np.ones((6, 7)), r"`weights` .*\(7, 6\) .*\(6, 7\). Targets are the rows"),
        (np.ones((7, 5)), r"\(7, 6\) .* for 7 target and 6 source .*\(7, 5\)"),
        (np.ones((1, 1, 1, 7, 6)), r"\(layers, heads, 7, 6\) .* Pick one example"),
        ({"a": np.eye(7, 6), "b/c": np.eye(7, 8)}, r"`weights\['b/c'\]` .*\(7, 8\)"),
        ({"a": np.ones((2, 3, 7, 6))}, r"`weights\['a'\]` .* Pick one example"),
        ({}, "at least one layer"),
        (np.ones((0, 7, 6)), "at least one row, column and head"),
        (np.full((7, 6), np.nan), "between 0 and 1"),
        (np.full((7, 6), -0.1), "between 0 and 1. Received: numbers from -0.1"),
        (np.full((7, 6), 1.1), "between 0 and 1"),
    ],
)
def test_weights_that_do_not_fit_raise(weights, text):
    with pytest.raises(ValueError, match=text):
        attention_view(weights, SOURCE, TARGET)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (
            {"layout": "round"},
            "`layout` must be one of 'auto', 'horizontal', 'vertical'",
        ),
        ({"special": "hide"}, "`special` must be one of 'keep', 'dim', 'drop'"),
        ({"source_direction": "up"}, "`source_direction` must be one of 'auto'"),
        ({"target_direction": "up"}, "`target_direction` must be one of 'auto'"),
        ({"gold": "9-0"}, "`gold` must link 6 source and 7 target words"),
        ({"merge": "syllables"}, "`scheme` must be one of"),
    ],
)
def test_unknown_options_raise(weights, option, text):
    with pytest.raises(ValueError, match=text):
        attention_view(weights, SOURCE, TARGET, **option)
    with pytest.raises(ValueError, match="`source` must be a sequence"):
        attention_view(weights, "one string", TARGET)


def test_rows_that_do_not_sum_to_1_are_told(weights):
    (frame,) = attention_view(weights, SOURCE, TARGET).data["frames"]
    assert "notes" not in frame
    weights[2] /= 2
    (frame,) = attention_view(weights, SOURCE, TARGET).data["frames"]
    assert frame["notes"] == ["Row sums are not 1 in 1 of 7 rows (0.5 to 0.5)."]


# Words


def test_pieces_become_words_and_gold_links_go_with_them():
    pieces = ["▁do", "gs", "▁run", "</s>"]
    view = attention_view(
        np.eye(4)[None], pieces, gold="0-1 1p1 2p2 2-0", merge="sentencepiece"
    )
    (frame,) = view.frames
    assert frame.source == frame.target == ["dogs", "run", "</s>"]
    np.testing.assert_allclose(frame.layers["attention"], np.eye(3)[None])
    assert frame.links == ({(0, 0), (1, 0)}, {(1, 1)})


def test_dropped_tokens_take_their_weight_and_links_along():
    weights = [[0.25, 0.5, 0.25], [0.5, 0.25, 0.25], [0.0, 0.0, 1.0]]
    words = ["<s>", "cat", "dog"]
    view = attention_view(weights, words, special="drop", gold="0-0 1-2 2p1")
    (frame,) = view.frames
    assert frame.source == frame.target == ["cat", "dog"]
    np.testing.assert_array_equal(frame.layers["attention"][0], [[0.25, 0.25], [0, 1]])
    assert frame.links == ({(0, 1)}, {(1, 0)})
    (note,) = frame.notes
    assert note.startswith("Special tokens left out")
    assert "0.25" in note and "0.50" in note


def test_special_tokens_are_dimmed_unless_kept(weights):
    def tokens(option, kind):
        view = attention_view(weights, SOURCE, TARGET, special=option)
        (frame,) = view.data["frames"]
        return [t["text"] for t in frame["target"] if t.get(kind)]

    assert tokens("dim", "dim") == ["</s>"]
    assert tokens("keep", "dim") == []
    assert tokens("dim", "special") == tokens("keep", "special") == ["</s>"]


@pytest.mark.parametrize(
    ("tokens", "labels", "joined"),
    [
        (["▁do", "gs", "▁", "</s>"], ["do", "gs", "▁", "</s>"], [1]),
        (["do", "##gs", "run", "##"], ["do", "gs", "run", "##"], [1]),
        (["do@@", "gs", "run"], ["do", "gs", "run"], [1]),
        (["do", "gs", "Ġrun", "Ġfar"], ["do", "gs", "run", "far"], [1]),
        (["▁dogs", "</s>"], ["dogs", "</s>"], []),
        (["il-", "mara", "Ġorġa", "telqet"], ["il-", "mara", "Ġorġa", "telqet"], []),
        (["##", "a"], ["##", "a"], []),
    ],
)
def test_marks_of_tokenizers_are_not_written_but_shown(tokens, labels, joined):
    for special in ("dim", "keep"):
        weights = random_weights(1, len(tokens))
        view = attention_view(weights, tokens, ["x"], special=special)
        (frame,) = view.data["frames"]
        assert [t.get("label", t["text"]) for t in frame["source"]] == labels
        assert [i for i, t in enumerate(frame["source"]) if t.get("joined")] == joined


@pytest.mark.parametrize(
    ("words", "direction"),
    [("שלום world עולם", "rtl"), ("مرحبا </s>", "rtl"), ("12 ?", "ltr")],
)
def test_the_direction_is_that_of_most_letters_unless_given(words, direction):
    words = words.split()
    view = attention_view(random_weights(1, len(words)), words, ["x"])
    assert view.data["frames"][0]["source_direction"] == direction
    view = attention_view([[1.0]], ["x"], ["y"], target_direction="rtl")
    assert view.data["frames"][0]["target_direction"] == "rtl"


# Frames


def test_views_are_joined_in_one_page_that_begins_with_the_last(weights):
    first = attention_view(weights, SOURCE, TARGET, title="a")
    last = attention_view([[1.0]], ["x"], ["y"], title="b", layout="vertical")
    view = AttentionView.join({1: first, 2: last}, frame_name="epoch")
    data = Document(view.html).data()
    assert [frame["label"] for frame in data["frames"]] == ["1", "2"]
    assert (data["title"], data["layout"]) == ("b", "vertical")
    assert data["frame_name"] == "epoch"
    assert AttentionView.join({1: first}, title="c").data["title"] == "c"
    assert first.frames[0].label == ""
    with pytest.raises(ValueError, match="`views` must hold at least one view"):
        AttentionView.join({})


def test_the_example_runs():
    names = run_example(AttentionView, attention_view=attention_view)
    assert "What training did" in names["page"]


def test_a_page_can_begin_empty_with_a_form_and_a_script_of_its_own():
    page = attention_page(
        None, form="<form id=f></form>", style="p{}", script="go();", connect=True
    )
    document = Document(page.html)
    assert document.data() is None
    assert document.all("title")[0]["text"] == "Attention"
    assert len(document.all("form")) == 1
    assert document.all("style")[0]["text"].endswith("p{}")
    assert document.all("script")[-1]["text"].endswith("go();")
    assert "connect-src 'self'" in page.policy
    assert page.policy in [m["attributes"].get("content") for m in document.all("meta")]


def test_a_page_that_begins_empty_has_a_title_and_a_foot_of_its_own():
    page = attention_page(None, title="<i>Mine", foot="<p id=told>demonstration</p>")
    assert [title["text"] for title in Document(page.html).all("title")] == ["<i>Mine"]
    below = page.html.partition("</main>")[2]
    assert "say where a model looked, not why" in below
    assert "<p id=told>demonstration</p>" in below


# Files


def test_a_file_is_written_whole_or_not_at_all(weights, tmp_path, monkeypatch):
    view = attention_view(weights, SOURCE, TARGET)
    path = tmp_path / "a.html"
    path.write_text("before")
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            view.save(path)
    assert path.read_text() == "before"
    view.save(str(path))
    assert path.read_text(encoding="utf-8") == view.html
    assert [file.name for file in tmp_path.iterdir()] == ["a.html"]


def test_folders_are_made_and_another_ending_is_refused(weights, tmp_path):
    view = attention_view(weights, SOURCE, TARGET)
    view.save(tmp_path / "new" / "folder" / "a.HTML")
    assert (tmp_path / "new" / "folder" / "a.HTML").is_file()
    with pytest.raises(ValueError, match=r"`path` must end in \.html"):
        view.save(tmp_path / "other" / "a.png")
    assert not (tmp_path / "other").exists()


# Without scripts, and in notebooks


def table_of(html):
    """The first table: its column names, and its rows as name and cells."""
    rows = re.findall("<tr>(.*?)</tr>", html[: html.index("</table>")])
    texts = [
        [
            Document(cell).elements[0]["text"]
            for cell in re.findall("<t[hd].*?</t[hd]>", row)
        ]
        for row in rows
    ]
    return texts[0][1:], {row[0]: row[1:] for row in texts[1:]}


def test_a_notebook_gets_a_frame_of_its_own_origin_and_a_table(weights):
    html = attention_view(weights, SOURCE, TARGET, title="<a>")._repr_html_()
    document = Document(html)
    tags = [element["tag"] for element in document.elements]
    assert tags[:4] == ["iframe", "details", "summary", "table"]
    frame = document.all("iframe")[0]["attributes"]
    assert frame["sandbox"].split() == ["allow-scripts", "allow-downloads"]
    assert frame["srcdoc"] == attention_view(weights, SOURCE, TARGET, title="<a>").html
    assert "src" not in frame


def test_what_a_notebook_leaves_of_untrusted_output_has_all_words_and_weights(weights):
    weights[0] = [0.005, 0.0051, 0.01, 0.0049, 0.0001, 0.9749]
    html = Sanitizer(attention_view(weights, SOURCE, TARGET)._repr_html_()).html
    assert "iframe" not in html and "script" not in html
    names, rows = table_of(html)
    assert names == SOURCE
    assert list(rows) == TARGET
    for target, row in zip(TARGET, weights, strict=True):
        for cell, weight in zip(rows[target], row, strict=True):
            if weight >= 0.01:
                assert cell == f"{weight:.2f}"
            assert cell == "" or abs(float(cell) - weight) <= 0.00501
    assert rows["Zwei"][3:5] == ["", ""]


def test_a_notebook_has_a_table_for_every_head_unless_they_are_many():
    def captions(*shape):
        view = attention_view(random_weights(*shape), ["s"] * shape[-1])
        texts = Document(view._repr_html_()).all("caption")
        return [text["text"].split("; ")[1] for text in texts]

    assert captions(2, 3, 3) == ["attention, head 0", "attention, head 1"]
    mean = "mean of 8 heads"
    assert captions(2, 8, 30, 30) == [f"layer 0, {mean}", f"layer 1, {mean}"]


def test_a_table_of_a_long_sentence_names_every_weight_worth_it():
    words = [f"w{i}" for i in range(60)]
    weights = random_weights(60, 60)
    html = Sanitizer(attention_view(weights, words)._repr_html_()).html
    _, rows = table_of(html)
    for target, row in zip(words, weights, strict=True):
        named = dict(entry.split(" ") for entry in rows[target][0].split(", "))
        shares = list(map(float, named.values()))
        assert shares == sorted(shares, reverse=True)
        for source, weight in zip(words, row, strict=True):
            if weight >= 0.01:
                assert named[source] == f"{weight:.2f}"


def test_the_page_has_a_table_for_readers_without_scripts():
    view = attention_view(random_weights(2, 3, 7, 6), SOURCE, TARGET)
    fallback = view.html[view.html.index('id="fallback"') :]
    names, rows = table_of(fallback)
    assert (names, list(rows)) == (SOURCE, TARGET)
    mean = view.frames[0].layers["layer 0"].mean(axis=0)
    assert rows["Zwei"][0] == f"{mean[0, 0]:.2f}"
    assert "layer 0, mean of 3 heads" in fallback
    assert 'id="view" hidden' in view.html


def test_as_text_each_target_has_a_line_of_blocks():
    weights = [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [0.001, 0.9, 0.099]]
    view = attention_view(weights, ["a", "我", "b"], ["Hund", "我们", "x"])
    assert str(view).splitlines() == [
        "attention; source: a 我 b",
        "Hund │ ▄▄│ 我 0.50, b 0.50",
        "我们 │█  │ a 1.00",
        "x    │ ▇▁│ 我 0.90, b 0.10",
    ]
    bundle = view._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"] == str(view)
    assert bundle["text/html"] == view._repr_html_()


def test_nothing_imports_ipython():
    folder = PAGE.parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names]
                assert "IPython" not in f"{getattr(node, 'module', '')} {names}"


# Colours


def luminance(color):
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(
        channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
    )
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("ink", "paper"),
        ("ink", "field"),
        ("ink", "mark"),
        ("muted", "paper"),
        ("on-accent", "accent"),
        ("accent", "paper"),
        ("flag", "paper"),
        ("gold", "paper"),
    ],
)
def test_every_text_has_contrast_in_light_and_dark(scheme, text, ground):
    css = (PAGE / "page.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    block = {"light": light, "dark": dark}[scheme]
    colors = dict(re.findall(r"--([\w-]+): (#\w{6});", block))
    assert contrast(colors[text], colors[ground]) >= 4.5


def css_colors(name):
    """The colours of every block that sets the property of this name."""
    css = (PAGE / "page.css").read_text(encoding="utf-8")
    blocks = re.findall(rf"--{name}: (.*?);", css)
    return [re.findall(r"#\w{6}", block) for block in blocks]


def test_the_page_has_the_ramp_of_blues_that_pictures_have():
    light, dark = css_colors("ramp")
    mixed = LinearSegmentedColormap.from_list("mixed", light)(np.arange(256))
    assert abs(mixed - colormaps[COLORS](np.arange(256))).max() < 1 / 255
    assert dark == light[::-1]
    assert {ground for ground, _ in TINTS} <= set(light)


def test_heads_have_colours_that_the_colour_blind_can_tell_apart():
    heads = [css_colors(f"head-{head}")[0][0] for head in range(8)]
    # The eight of Petroff's "Accessible color sequences for data visualization".
    petroff = "1845fb ff5e02 c91f16 c849a9 adad7d 86c8dd 578dff 656364"
    assert heads == [f"#{color}" for color in petroff.split()]


def test_cells_of_notebook_tables_have_contrast_on_any_page(weights):
    weights = np.eye(5) * [0.1, 0.3, 0.5, 0.7, 0.9]
    html = attention_view(weights, list("abcde"))._repr_html_()
    tints = re.findall(r"background-color:(#\w{6});color:(#\w{6})", html)
    assert len(set(tints)) == 5
    assert all(contrast(*tint) >= 4.5 for tint in tints)
