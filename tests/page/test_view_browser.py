"""The interactive page in a real browser."""

import io
import re
import shutil

import matplotlib
import numpy as np
import pytest
from PIL import Image

from keras_attention.analysis.diagnostics import attention_coverage, attention_entropy
from keras_attention.page.view import AttentionView, attention_view
from keras_attention.plots.plot import plot_attention

# What weights from 0 to 1 are painted in.
BLUES = matplotlib.colormaps["Blues"](np.arange(256))[:, :3]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SOURCE = "two dogs play in the snow".split()
TARGET = "Zwei Hunde spielen im Schnee </s>".split()
WEIGHTS = np.array(
    [
        [0.92, 0.03, 0.02, 0.01, 0.01, 0.01],
        [0.05, 0.60, 0.31, 0.02, 0.01, 0.01],
        [0.00, 0.00, 1.00, 0.00, 0.00, 0.00],
        [0.00, 0.00, 0.00, 0.80, 0.20, 0.00],
        [0.00, 0.02, 0.03, 0.05, 0.30, 0.60],
        [1 / 6] * 6,
    ]
)
HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "<style>*{display:none}</style>",
    "javascript:alert(1)",
    '" onmouseover="alert(1)',
    "&lt;b&gt;",
    "a\u2028b",
    "\u202egnp",
    "👩\u200d👩\u200d👧",
    "\ud800",
    "",
    "x" * 5000,
]


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no Playwright here: pip install playwright"
    )
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install Debian's package chromium")
    # For this module only: while it runs, nothing else can start an event loop.
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def show(browser, tmp_path):
    """Opens a view, saved to a file; fails on any complaint, and on any request."""
    pages, troubles = [], []

    def open_page(view, **options):
        path = tmp_path / f"{len(pages)}.html"
        view.save(path)
        page = browser.new_page(
            **{"viewport": {"width": 1100, "height": 900}, **options}
        )
        pages.append(page)
        page.set_default_timeout(30_000)
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        page.on("request", note)
        page.goto(path.as_uri())
        return page

    def note(request):
        # The page itself; what it makes, to save pictures.
        if not request.url.startswith((tmp_path.as_uri(), "data:", "blob:")):
            troubles.append(request.url)

    yield open_page
    for page in pages:
        page.close()
    assert troubles == []


def word(page, axis, index):
    return page.locator(f"#{axis} .word").nth(index)


def lines(page):
    """Widths of the lines drawn, those at rest left out."""
    drawn = page.locator("#links path:not(.rest)")
    return [
        float(width)
        for width in drawn.evaluate_all(
            "paths => paths.map(path => path.getAttribute('stroke-width'))"
        )
    ]


def readout(page):
    return page.locator("#readout").inner_text()


def chosen(page):
    return page.locator(".word.chosen").all_inner_texts()


def settle(page):
    """Waits until what a new size or new colours set off has been drawn."""
    page.evaluate(
        "() => new Promise(done => requestAnimationFrame("
        "() => requestAnimationFrame(done)))"
    )


def shown(page):
    """The matrix that is drawn, read from the page's table."""
    if page.locator("#table").get_attribute("open") is None:
        page.locator("#table summary").click()
        # Browsers tell of the opening later, and the rows are made then.
        page.locator("#table tbody tr").first.wait_for()
    rows = page.locator("#table tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].slice(1).map(td => td.textContent))"
    )
    return np.array([[float(cell or 0) for cell in row] for row in rows])


# Choosing a word


def test_a_word_pointed_at_is_joined_to_the_fewest_that_have_most_of_it(show):
    page = show(attention_view(WEIGHTS, SOURCE, TARGET))
    assert lines(page) == []
    assert page.locator("#links path.rest").count() == len(TARGET)
    for index, count in enumerate([1, 2, 1, 2, 2, 6]):
        word(page, "target", index).hover()
        assert len(lines(page)) == count
        assert page.locator("#links path.rest").count() == 0
    word(page, "target", 4).hover()
    assert lines(page) == sorted(lines(page), reverse=True)
    assert len(set(lines(page))) == 2
    page.mouse.move(0, 0)
    assert lines(page) == []


def test_lines_are_wider_the_larger_the_weight_and_64_at_most(show):
    weights = np.random.default_rng(0).dirichlet(np.ones(200), 2)
    page = show(attention_view(weights, [str(i) for i in range(200)], ["a", "b"]))
    word(page, "target", 0).hover()
    assert len(lines(page)) == 64
    weights = weights[:, :20] / weights[:, :20].sum(axis=1, keepdims=True)
    page = show(attention_view(weights, [str(i) for i in range(20)], ["a", "b"]))
    page.locator("#mass").fill("100")
    word(page, "target", 0).hover()
    order = np.sort(weights[0])[::-1]
    drawn = lines(page)
    np.testing.assert_allclose(drawn, 1 + 7 * order[: len(drawn)], atol=0.03)
    assert len(drawn) > 10 and (order[len(drawn) :] < 1 / 510).all()


def test_the_slider_sets_how_much_of_the_attention_has_lines(show):
    page = show(attention_view(WEIGHTS, SOURCE, TARGET))
    word(page, "target", 4).click()
    counts = []
    for share in (50, 90, 95, 100):
        page.locator("#mass").fill(str(share))
        counts.append(len(lines(page)))
    assert counts == [1, 2, 3, 5]
    assert page.locator("#mass-label").inner_text() == "100 % of the attention"


def test_a_source_word_shows_who_looks_at_it(show):
    page = show(attention_view(WEIGHTS, SOURCE, TARGET))
    word(page, "source", 2).hover()
    assert readout(page) == (
        "play is attended to by spielen 1.00, Hunde 0.31, </s> 0.17. Coverage 1.53."
    )
    assert len(lines(page)) == 3


def test_the_live_region_speaks_the_top_three(show):
    page = show(attention_view(WEIGHTS, SOURCE, TARGET))
    region = page.locator("#readout")
    assert region.get_attribute("aria-live") == "polite"
    word(page, "target", 1).focus()
    assert readout(page).startswith("Hunde attends to dogs 0.60, play 0.31, two 0.05.")
    label = page.locator("#links").get_attribute("aria-label")
    assert label == readout(page)


def test_a_click_or_enter_holds_a_word_and_escape_lets_go(show):
    page = show(attention_view(WEIGHTS, SOURCE, TARGET))
    word(page, "target", 1).click()
    assert word(page, "target", 1).get_attribute("aria-pressed") == "true"
    word(page, "target", 3).hover()
    word(page, "source", 0).hover()
    page.mouse.move(0, 0)
    assert chosen(page) == ["Hunde"]
    word(page, "target", 1).click()
    word(page, "target", 3).hover()
    assert chosen(page) == ["im"]
    page.keyboard.press("Escape")
    assert chosen(page) == []
    word(page, "target", 2).focus()
    page.keyboard.press("Enter")
    word(page, "target", 0).hover()
    assert chosen(page) == ["spielen"]
    page.keyboard.press("Escape")
    assert (chosen(page), readout(page), lines(page)) == ([], "", [])
    assert page.locator("#keys").is_visible()


def test_arrow_keys_move_over_words_and_stop_at_the_ends(show):
    page = show(attention_view(WEIGHTS, SOURCE, TARGET))
    word(page, "target", 0).focus()
    walked = []
    for key in ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "End"]:
        page.keyboard.press(key)
        walked += chosen(page)
    assert walked == ["Hunde", "spielen", "Hunde", "Zwei", "Zwei", "</s>"]
    page.keyboard.press("Enter")
    page.keyboard.press("Home")
    word(page, "target", 3).hover()
    assert chosen(page) == ["Zwei"]  # what is held moved along


def test_arrow_keys_follow_the_eye_where_words_run_from_right_to_left(show):
    words = ["שלום", "עולם", "טוב"]
    page = show(attention_view(np.eye(3), words, ["a", "b", "c"]))
    assert page.locator("#source").get_attribute("dir") == "rtl"
    word(page, "source", 0).focus()
    page.keyboard.press("ArrowLeft")
    assert chosen(page) == [words[1]]
    boxes = [word(page, "source", i).bounding_box()["x"] for i in range(3)]
    assert boxes == sorted(boxes, reverse=True)
    names = page.locator("#columns span")
    places = {name.inner_text(): name.bounding_box()["x"] for name in names.all()}
    assert places[words[0]] > places[words[1]] > places[words[2]]
    left, right = painted(page)[0][[0, -1]]
    assert left < 0.1 and right > 0.9  # the first row's weight is on the right


def pixels(canvas):
    """The colours of a canvas, an array of bytes `(rows, columns, 3)`."""
    width, height, data = canvas.evaluate(
        """canvas => {
          const copy = document.createElement('canvas');
          Object.assign(copy, { width: canvas.width, height: canvas.height });
          const context = copy.getContext('2d', { willReadFrequently: true });
          context.drawImage(canvas, 0, 0);
          const { data } = context.getImageData(0, 0, copy.width, copy.height);
          return [copy.width, copy.height, [...data]];
        }"""
    )
    return np.array(data).reshape(height, width, 4)[..., :3]


def painted(page, canvas="#cells", ramp=BLUES):
    """The weights that the colours of a canvas stand for."""
    found = pixels(page.locator(canvas).first)
    distances = abs(found[..., None, :] - 255 * ramp).sum(axis=-1)
    assert distances.min(axis=-1).max() <= 3  # no other colours
    return distances.argmin(axis=-1) / 255


def test_tab_reaches_every_control_once_and_shows_where_it_is(show):
    view = AttentionView.join(
        {
            "1": attention_view(np.stack([[WEIGHTS] * 2] * 2), SOURCE, TARGET),
            "2": attention_view(
                np.stack([[WEIGHTS] * 2] * 2), SOURCE, TARGET, gold="0-0"
            ),
        }
    )
    page = show(view)
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        name = page.evaluate(
            """() => {
              const element = document.activeElement;
              if (element === document.body) return null;
              const style = getComputedStyle(element);
              return [element.id || element.textContent || element.value,
                      style.outlineStyle !== 'none' && style.outlineWidth !== '0px'];
            }"""
        )
        if name is None:
            break
        reached.append(name)
    assert all(is_visible for _, is_visible in reached)
    names = [name for name, _ in reached]
    assert names == [
        *("frame", "layer", "mean of all 2", "H0", "H1", "Pictures of all heads"),
        *("two", "Zwei", "stretch", "auto", "mass", "numbers", "gold"),
        *("save-svg", "save-png"),
        "The same as a table",
    ]


# Choices


def test_head_chips_choose_what_the_mean_is_taken_of(show):
    heads = np.random.default_rng(1).dirichlet(np.ones(6), (3, 6))
    page = show(attention_view(heads, SOURCE, TARGET))
    chips = page.locator("#heads button")

    def pressed():
        return [chip.get_attribute("aria-pressed") == "true" for chip in chips.all()]

    def check(expected):
        np.testing.assert_allclose(shown(page), expected, atol=0.0075)
        np.testing.assert_allclose(shown(page).sum(axis=1), 1, atol=6 / 255 + 0.03)

    assert chips.all_inner_texts() == ["mean of all 3", "H0", "H1", "H2"]
    assert pressed() == [True, False, False, False]
    check(heads.mean(axis=0))
    chips.nth(2).click()
    assert pressed() == [False, False, True, False]
    check(heads[1])
    assert "head 1" in page.locator("#map-caption").inner_text()
    chips.nth(3).click()
    check(heads[1:].mean(axis=0))
    chips.nth(2).click()
    check(heads[2])
    chips.nth(3).click()
    assert pressed() == [True, False, False, False]


def test_heads_chosen_together_have_lines_of_their_colours(show):
    heads = np.stack([np.eye(6), np.eye(6)[::-1], WEIGHTS])
    page = show(attention_view(heads, SOURCE, TARGET))

    def colors():
        paths = page.locator("#links path").evaluate_all(
            "paths => paths.map(path => getComputedStyle(path).stroke)"
        )
        return {color: paths.count(color) for color in paths}

    def of(head):
        chip = page.locator("#heads button").nth(head + 1)
        return chip.locator(".swatch").evaluate(
            "i => getComputedStyle(i).backgroundColor"
        )

    assert len({of(head) for head in range(3)}) == 3
    word(page, "target", 1).hover()
    assert not {of(head) for head in range(3)} & set(colors())
    for head in (0, 2):
        page.locator("#heads button").nth(head + 1).click()
    page.mouse.move(0, 0)
    assert colors() == {of(0): 6, of(2): 6}  # the strongest of each target
    word(page, "target", 1).hover()
    assert colors() == {of(0): 1, of(2): 2}
    # For those who cannot tell the colours.
    assert readout(page).endswith("H0 dogs 1.00, H2 dogs 0.60")
    starts = page.locator("#links path").evaluate_all(
        "paths => paths.map(path => path.getPointAtLength(0).x)"
    )
    assert min(abs(starts[0] - x) for x in starts[1:]) >= 4  # side by side
    page.locator("#heads button").nth(1).click()
    assert colors() == {of(2): 6} or colors() == {of(2): 2}
    assert "H2" not in readout(page)


def test_pictures_of_all_heads_open_on_a_click_and_choose(show):
    layers = {
        "encoder": WEIGHTS[::-1],
        "decoder": np.stack([np.eye(6), WEIGHTS, WEIGHTS[:, ::-1]]),
    }
    page = show(attention_view(layers, SOURCE, TARGET))
    pictures = page.locator("#gallery .picture")
    assert pictures.count() == 0
    page.locator("#gallery summary").click()
    pictures.nth(3).wait_for()
    assert pictures.count() == 4
    boxes = [picture.locator("canvas").bounding_box() for picture in pictures.all()]
    assert min(min(box["width"], box["height"]) for box in boxes) >= 64
    assert boxes[0]["y"] < boxes[1]["y"] == boxes[3]["y"]  # a row for each layer
    assert boxes[0]["x"] == boxes[1]["x"] < boxes[2]["x"] < boxes[3]["x"]  # by heads
    canvas = "#gallery .picture:nth-of-type(4) canvas"
    np.testing.assert_allclose(painted(page, canvas), WEIGHTS[:, ::-1], atol=0.005)

    def pressed():
        return [p.get_attribute("aria-pressed") == "true" for p in pictures.all()]

    assert pictures.nth(2).get_attribute("aria-label") == "decoder, head 1"
    pictures.nth(2).click()
    assert page.locator("#layer").input_value() == "decoder"
    np.testing.assert_allclose(painted(page), WEIGHTS, atol=0.005)
    pictures.nth(3).click()
    assert pressed() == [False, False, True, True]
    assert "decoder, mean of 2 heads" in page.locator("#scale").inner_text()
    page.get_by_label("scale rows").check()
    scaled = WEIGHTS[:, ::-1] / WEIGHTS.max(axis=1, keepdims=True)
    np.testing.assert_allclose(painted(page, canvas), scaled, atol=0.008)
    page.set_viewport_size({"width": 390, "height": 800})
    settle(page)
    assert page.evaluate("() => document.body.scrollWidth") <= 390
    assert pictures.nth(3).locator("canvas").bounding_box()["width"] >= 64


def test_one_head_has_no_pictures_to_choose_from(show):
    page = show(attention_view(WEIGHTS, SOURCE, TARGET))
    assert page.locator("#gallery").is_hidden()


def test_the_layer_chosen_is_shown_with_its_own_heads(show):
    layers = {"encoder": WEIGHTS[:, ::-1], "decoder/cross": np.stack([WEIGHTS] * 2)}
    page = show(attention_view(layers, SOURCE, TARGET))
    assert page.locator("#heads").is_hidden()
    np.testing.assert_allclose(shown(page), WEIGHTS[:, ::-1], atol=0.0075)
    word(page, "target", 2).click()
    assert readout(page).startswith("spielen attends to in 1.00")
    page.locator("#layer").select_option("decoder/cross")
    assert readout(page).startswith("spielen attends to play 1.00")
    np.testing.assert_allclose(shown(page), WEIGHTS, atol=0.0075)
    assert page.locator("#heads button").count() == 3
    assert "decoder/cross, mean of 2" in page.locator("#map-caption").inner_text()


def test_of_many_frames_the_last_is_in_front(show):
    names = [str(n) for n in range(150)]
    views = {name: attention_view(np.eye(2), ["a", name], ["c", "d"]) for name in names}
    page = show(AttentionView.join(views))
    assert page.locator("#source .word").all_inner_texts() == ["a", "149"]


def test_the_slider_over_frames_changes_words_and_weights(show):
    view = AttentionView.join(
        {
            "first": attention_view(WEIGHTS, SOURCE, TARGET),
            "last": attention_view(np.eye(2), ["a", "b"], ["c", "d"]),
        },
        frame_name="epoch",
    )
    page = show(view)
    assert page.locator("#frames").inner_text().split() == ["epoch", "last"]
    word(page, "target", 1).click()
    assert readout(page).startswith("d attends to b 1.00")
    page.locator("#frame").fill("0")
    assert page.locator("#target .word").all_inner_texts() == TARGET
    assert readout(page).startswith("Hunde attends to dogs 0.60")
    word(page, "target", 5).click()
    page.locator("#frame").fill("1")
    assert chosen(page) == []  # there is no such word


@pytest.mark.parametrize("layout", ["horizontal", "vertical"])
def test_lines_run_between_their_words_in_both_layouts(show, layout):
    page = show(attention_view(WEIGHTS, SOURCE, TARGET, layout=layout))
    label = "across" if layout == "horizontal" else "down"
    assert page.get_by_label(label).is_checked()
    for _ in range(2):
        check_line(page)
        other = "down" if page.get_by_label("across").is_checked() else "across"
        page.get_by_label(other).check()
    assert page.get_by_label(label).is_checked()


def check_line(page):
    """From the edge of "play" to the facing edge of "spielen"."""
    word(page, "target", 2).hover()
    stage = page.locator("#stage").bounding_box()
    path = page.locator("#links path").get_attribute("d")
    numbers = [float(n) for n in re.findall(r"[\d.]+", path)]
    left = stage["x"] - page.locator("#stage").evaluate("stage => stage.scrollLeft")
    start = numbers[0] + left, numbers[1] + stage["y"]
    end = numbers[-2] + left, numbers[-1] + stage["y"]
    a = word(page, "source", 2).bounding_box()
    b = word(page, "target", 2).bounding_box()
    if layout_of(page) == "horizontal":
        expected = [a["x"] + a["width"] / 2, a["y"] + a["height"]]
        expected += [b["x"] + b["width"] / 2, b["y"]]
    else:
        expected = [a["x"] + a["width"], a["y"] + a["height"] / 2]
        expected += [b["x"], b["y"] + b["height"] / 2]
    np.testing.assert_allclose([*start, *end], expected, atol=0.2)


def layout_of(page):
    return page.locator("#stage").get_attribute("data-layout")


@pytest.mark.parametrize(
    ("words", "width", "expected"),
    [
        (6, 1280, "horizontal"),
        (16, 1280, "vertical"),
        (6, 390, "vertical"),
        (2, 390, "horizontal"),
    ],
)
def test_sentences_that_would_wrap_run_down_and_keep_their_lines(
    show, words, width, expected
):
    view = attention_view(np.eye(words), [f"word{i}" for i in range(words)])
    page = show(view, viewport={"width": width, "height": 800})
    assert page.get_by_label("to fit").is_checked()
    assert layout_of(page) == expected
    assert page.locator("#links path.rest").count() == words


def test_the_layout_follows_the_width_unless_the_reader_chose(show):
    page = show(attention_view(WEIGHTS, SOURCE, TARGET))
    narrow, wide = ({"width": width, "height": 800} for width in (390, 1100))
    for size, expected in [(narrow, "vertical"), (wide, "horizontal")]:
        page.set_viewport_size(size)
        page.locator(f"#stage[data-layout={expected}]").wait_for()
        check_line(page)
    page.get_by_label("down").check()
    page.set_viewport_size(narrow)
    settle(page)
    assert layout_of(page) == "vertical"
    page.get_by_label("across").check()
    assert layout_of(page) == "horizontal"
    tops = [word(page, "target", i).bounding_box()["y"] for i in range(5)]
    assert max(tops) - min(tops) < 1  # one row, which is moved sideways
    check_line(page)
    page.locator("#stage").evaluate("stage => { stage.scrollLeft = 60; }")
    check_line(page)
    assert page.locator("#stage").evaluate("stage => stage.scrollLeft") > 20


@pytest.mark.parametrize("count", [6, 16])
def test_sentences_and_heat_map_share_the_width_of_a_desktop(show, count):
    view = attention_view(np.eye(count), [f"word{i}" for i in range(count)])
    page = show(view, viewport={"width": 1280, "height": 800})
    stage, grid, view = (
        page.locator(name).bounding_box() for name in ("#stage", "#grid", "#view")
    )
    assert stage["x"] + stage["width"] <= grid["x"]
    for box in (stage, grid):  # nothing is between them, all is in sight
        assert 0 < box["y"] and box["y"] + box["height"] <= 800
    controls = page.locator("#options").bounding_box()
    assert controls["y"] >= max(b["y"] + b["height"] for b in (stage, grid))
    cells = page.locator("#cells").bounding_box()["width"]
    assert cells >= 330
    first, last = (word(page, "source", i).bounding_box() for i in (0, count - 1))
    if layout_of(page) == "horizontal":
        assert last["x"] + last["width"] - first["x"] + cells > 0.7 * view["width"]
    size = page.locator("#rows span").first.evaluate(
        "n => getComputedStyle(n).fontSize"
    )
    assert size == "16px"


def test_lines_at_rest_tell_strong_links_from_middling_ones(show):
    weights = [[0.94, 0.06], [0.49, 0.51], [0.8, 0.2]]
    page = show(attention_view(weights, ["a", "b"], ["x", "y", "z"]))
    widths, opacities = (
        page.locator("#links path.rest").evaluate_all(
            "(paths, name) => paths.map(path => Number(path.getAttribute(name)))", name
        )
        for name in ("stroke-width", "stroke-opacity")
    )
    assert widths[0] > 1.25 * widths[2] and widths[2] > 1.5 * widths[1]
    assert opacities[0] > opacities[2] > opacities[1] + 0.1


# Fingers


def test_on_a_phone_the_page_speaks_of_tapping(show):
    view = attention_view(WEIGHTS, SOURCE, TARGET)
    page = show(view, viewport={"width": 390, "height": 844}, has_touch=True)
    hint = page.locator("#keys").inner_text()
    assert hint == "Tap a word to see where it looks. Tap it again to let go."
    assert "arrow keys" in show(view).locator("#keys").inner_text()
    word(page, "target", 1).tap()
    assert readout(page).startswith("Hunde attends to dogs")
    word(page, "target", 2).tap()
    assert chosen(page) == ["spielen"]
    word(page, "target", 2).tap()
    assert (chosen(page), readout(page)) == ([], "")
    assert page.locator("#keys").is_visible()


# Heat map


def test_a_cell_pointed_at_names_its_two_words_and_a_click_holds_it(show):
    page = show(attention_view(WEIGHTS, SOURCE, TARGET))
    box = page.locator("#cells").bounding_box()
    cell = box["width"] / 6
    page.locator("#cells").hover(position={"x": 2.5 * cell, "y": 1.5 * cell})
    assert readout(page).startswith("Hunde attends to play 0.31. Entropy")
    assert page.locator("#band").bounding_box()["height"] == pytest.approx(cell)
    page.locator("#cells").click(position={"x": 2.5 * cell, "y": 1.5 * cell})
    page.mouse.move(0, 0)
    assert chosen(page) == ["Hunde"]


def test_the_heat_map_shows_weights_from_0_to_1_or_rows_in_full_colour(show):
    weights = [[0.2] * 5, [1.0, 0, 0, 0, 0]]
    page = show(attention_view(weights, list("abcde"), ["x", "y"]))
    np.testing.assert_allclose(painted(page), weights, atol=0.005)
    assert page.locator("#scaled").is_hidden()
    page.get_by_label("scale rows to their largest weight").check()
    np.testing.assert_array_equal(painted(page), [[1] * 5, [1, 0, 0, 0, 0]])
    assert page.locator("#scale").inner_text().endswith("/ largest in its row")
    assert page.locator("#scaled").inner_text() == (
        "Rows are scaled: the strongest colour is the largest weight of its row, not 1."
    )
    word(page, "target", 0).hover()  # the colours of words say the same
    mark = word(page, "source", 3).evaluate("w => w.style.getPropertyValue('--weight')")
    assert float(mark) == 1


def test_of_pale_weights_the_page_says_how_to_see_more(show):
    page = show(attention_view(np.full((3, 5), 0.2), list("abcde"), list("xyz")))
    assert page.locator("#scaled").inner_text() == (
        "The largest weight is 0.20: scale rows to see more."
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_weights_are_painted_in_the_blues_of_pictures(show, scheme):
    weights = np.arange(11) / 10
    page = show(
        attention_view(weights[:, None], ["a"], [f"{w}" for w in weights]),
        color_scheme=scheme,
    )
    ramp = BLUES if scheme == "light" else BLUES[::-1]  # dark is nothing on dark pages
    np.testing.assert_allclose(painted(page, ramp=ramp)[:, 0], weights, atol=0.005)
    # A reader may change over while the page is open.
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    settle(page)
    np.testing.assert_allclose(
        painted(page, ramp=ramp[::-1])[:, 0], weights, atol=0.005
    )


def test_numbers_equal_those_of_the_library(show):
    page = show(attention_view(WEIGHTS, SOURCE, TARGET))
    page.get_by_label("entropy and coverage").check()
    for name, expected in [
        ("entropy", attention_entropy(WEIGHTS)),
        ("coverage", attention_coverage(WEIGHTS)),
    ]:
        texts = page.locator(f"#{name} span").all_inner_texts()
        numbers = [float(text) for text in texts]
        np.testing.assert_allclose(numbers, expected, atol=0.015)
    assert page.locator("#entropy .flag").all_inner_texts() == ["1.00"]
    caption = page.locator("#map-caption").inner_text()
    assert "Spread evenly: “\u2068</s>\u2069”" in caption


@pytest.mark.parametrize("special", ["dim", "keep"])
def test_gold_links_are_ringed_and_the_error_rate_is_told(show, special):
    gold = "0-0 1-1 2p1 3-3 5-4"
    page = show(attention_view(WEIGHTS, SOURCE, TARGET, gold=gold, special=special))
    assert page.locator("#rings .sure").count() == 4
    ring = page.locator("#rings .possible")
    assert (ring.get_attribute("cx"), ring.get_attribute("cy")) == ("2.5", "1.5")
    assert ring.evaluate("ring => getComputedStyle(ring).strokeDasharray") != "none"
    # Five links, as "</s>" makes none, of which four are sure: 1 - (4 + 4) / (5 + 4).
    rate = re.search(r"links: (0\.11)\.", page.locator("#map-caption").inner_text())[1]
    figure = plot_attention(WEIGHTS, SOURCE, TARGET, gold=gold, special=special)
    assert f"Alignment error rate {rate}." in figure.alt_text
    word(page, "target", 1).hover()
    assert page.locator("#source .sure").all_inner_texts() == ["dogs"]
    assert page.locator("#source .possible").all_inner_texts() == ["play"]
    page.get_by_label("gold links").uncheck()
    assert page.locator("#rings circle").count() == 0
    assert page.locator("#source .sure").count() == 0


def test_without_special_tokens_page_and_picture_link_the_next_word(show):
    words = ["a", "b", "</s>"]
    weights = [[0.2, 0.1, 0.7], [0.1, 0.6, 0.3], [0, 0, 1]]
    gold = "0-0 1-1 2-2"
    for special, rate in (("drop", "0.00"), ("dim", "0.50")):
        page = show(attention_view(weights, words, gold=gold, special=special))
        assert f"links: {rate}." in page.locator("#map-caption").inner_text()
        figure = plot_attention(weights, words, gold=gold, special=special)
        assert f"Alignment error rate {rate}." in figure.alt_text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pale_words_can_be_read_on_the_darkest_ground(show, scheme):
    page = show(
        attention_view([[0, 1], [0.5, 0.5]], ["a", "</s>"]), color_scheme=scheme
    )
    for target in (0, 1):
        word(page, "target", target).hover()
        text, ground, alpha = word(page, "source", 1).evaluate(READ_COLORS)
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        under = np.array([int(n) / 255 for n in re.findall(r"\d+", paper)[:3]])
        seen = np.array(ground) * alpha + under * (1 - alpha)
        light, dark = sorted([luminance(text), luminance(seen)], reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


# What `color-mix` computes to: "color(srgb 0.1 0.2 0.3 / 0.5)".
READ_COLORS = """
async word => {
  await Promise.all(word.getAnimations().map((each) => each.finished));
  const style = getComputedStyle(word);
  const numbers = (color) => color.match(/[\\d.]+(?:e-\\d+)?/g).map(Number);
  const ground = numbers(style.backgroundColor);
  return [numbers(style.color).slice(0, 3), ground.slice(0, 3), ground[3] ?? 1];
}
"""


def luminance(color):
    channels = np.asarray(color)
    linear = np.where(
        channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
    )
    return linear @ [0.2126, 0.7152, 0.0722]


# Any text


def test_hostile_tokens_are_text_and_nothing_else(show):
    weights = np.full((len(HOSTILE), len(HOSTILE)), 1 / len(HOSTILE))
    page = show(attention_view(weights, HOSTILE, title=HOSTILE[0]))
    for index in range(len(HOSTILE)):
        word(page, "target", index).hover()
    page.locator("#table summary").click()
    assert page.locator("img, .word *:not(bdi), td *, h1 *").count() == 0
    assert page.locator("h1").inner_text() == HOSTILE[0]
    data = page.evaluate(
        "() => JSON.parse(document.getElementById('data').textContent)"
        ".frames[0].source.map(token => escape(token.text))"
    )
    expected = page.evaluate("tokens => tokens.map(escape)", HOSTILE[:8])
    assert data[:8] == expected
    assert data[8] == "%uD800"
    assert word(page, "source", 7).text_content() == HOSTILE[7]
    # Nothing reaches out of the page, however long the word.
    assert page.evaluate("() => document.body.scrollWidth") <= 1100


@pytest.mark.parametrize("width", [320, 1100])
@pytest.mark.parametrize("layout", ["auto", "horizontal", "vertical"])
def test_no_words_overlap_and_nothing_is_cut_off(show, layout, width):
    words = [f"word{'d' * (i % 7)}" for i in range(60)]
    view = attention_view(np.eye(60), words, layout=layout)
    page = show(view, viewport={"width": width, "height": 800})
    boxes = page.evaluate(
        """() => Object.fromEntries(["source", "target", "rows", "columns"].map(
          id => [id, [...document.getElementById(id).children].map(element => {
            const box = element.getBoundingClientRect();
            return [box.left, box.top, box.right, box.bottom];
          })]))"""
    )
    for name, group in boxes.items():
        group = np.array(group)
        assert len(group) > 5
        assert (group[:, 0] >= 0).all()
        # Sentences that must run across are moved sideways.
        if layout != "horizontal" or name in ("rows", "columns"):
            assert (group[:, 2] <= width + 0.5).all()
        for i, box in enumerate(group):
            rest = group[i + 1 :]
            apart = (rest[:, :2] >= box[2:] - 0.6) | (rest[:, 2:] <= box[:2] + 0.6)
            assert apart.any(axis=1).all(), (name, i)
    assert page.evaluate("() => document.body.scrollWidth") <= width
    word(page, "target", 59).hover()  # comes into sight
    assert word(page, "target", 59).bounding_box()["x"] < width


@pytest.mark.parametrize("forced", ["none", "active"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(show, scheme, forced):
    heads = np.stack([[WEIGHTS] * 2] * 2)
    view = attention_view(heads, SOURCE, TARGET, gold="0-0 1p1")
    page = show(
        view, color_scheme=scheme, forced_colors=forced, reduced_motion="reduce"
    )
    page.get_by_label("entropy and coverage").check()
    page.locator("#table summary").click()
    word(page, "target", 2).click()
    lowest = page.evaluate(
        """() => {
          const context = Object.assign(document.createElement('canvas'),
            { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
          const blend = (colors) => {
            context.clearRect(0, 0, 1, 1);
            for (const color of colors) {
              context.fillStyle = color;
              context.fillRect(0, 0, 1, 1);
            }
            return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
          };
          const luminance = (rgb) => rgb.map(c => c / 255)
            .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
          const found = [];
          for (const element of document.querySelectorAll('body *')) {
            const own = [...element.childNodes].some(
              node => node.nodeType === 3 && node.textContent.trim());
            if (!own || !element.checkVisibility() || element.matches('script'))
              continue;
            const grounds = [];
            for (let e = element; e; e = e.parentElement)
              grounds.unshift(getComputedStyle(e).backgroundColor);
            const pair = [blend(grounds),
              blend([...grounds, getComputedStyle(element).color])].map(luminance);
            const [dark, light] = pair.sort((a, b) => a - b);
            found.push([(light + 0.05) / (dark + 0.05), element.textContent]);
          }
          return found.sort((a, b) => a[0] - b[0]);
        }"""
    )
    assert len(lowest) > 60
    assert lowest[0][0] >= 4.5, lowest[0]
    paper = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper))) > 382) == (scheme == "light")


def test_forced_colours_keep_lines_and_the_word_chosen(show):
    view = attention_view(WEIGHTS, SOURCE, TARGET)
    page = show(view, forced_colors="active", reduced_motion="reduce")
    word(page, "target", 2).click()
    stroke = page.locator("#links path").evaluate("p => getComputedStyle(p).stroke")
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert stroke != ground
    colors = word(page, "target", 2).evaluate(
        "w => [getComputedStyle(w).backgroundColor, getComputedStyle(w).color]"
    )
    assert colors[0] not in (ground, colors[1])


# Large, saved, embedded


def test_six_layers_of_eight_heads_are_drawn_and_chosen(show):
    weights = np.random.default_rng(2).dirichlet(np.ones(30), (6, 8, 30))
    page = show(attention_view(weights, [f"w{i}" for i in range(30)]))
    assert page.locator("#layer option").count() == 6
    assert page.locator("#heads button").count() == 9
    page.locator("#layer").select_option("layer 5")
    page.locator("#heads button").nth(8).click()
    np.testing.assert_allclose(shown(page), weights[5, 7], atol=0.0075)
    word(page, "target", 29).hover()
    order = np.argsort(-weights[5, 7, 29])[:3]
    assert re.findall(r"w\d+", readout(page)) == ["w29", *(f"w{i}" for i in order)]


def test_the_picture_can_be_saved_as_svg_and_png(show):
    page = show(attention_view(WEIGHTS, SOURCE, TARGET))
    word(page, "target", 1).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save SVG").click()
    svg = download.value.path().read_text(encoding="utf-8")
    assert download.value.suggested_filename == "attention.svg"
    assert all(f">{text}<" in svg for text in SOURCE + TARGET[:-1])
    assert svg.count("<path") == 2
    assert svg.count("<image") == 2  # cells, and the key of colours
    assert 'role="img"' in svg and "Hunde attends to" in svg
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PNG").click()
    image = Image.open(io.BytesIO(download.value.path().read_bytes()))
    assert image.size == tuple(2 * int(n) for n in svg_size(svg))
    assert len(image.convert("RGB").getcolors(1_000_000)) > 20


def svg_size(svg):
    return re.search(r'width="(\d+)" height="(\d+)"', svg).groups()


def empty_share(drawn, side=128):
    """How many squares of a picture have nothing in them."""
    height, width = (-(-n // side) * side for n in drawn.shape)
    whole = np.zeros((height, width), dtype=bool)
    whole[: drawn.shape[0], : drawn.shape[1]] = drawn
    squares = whole.reshape(height // side, side, width // side, side)
    return 1 - squares.any(axis=(1, 3)).mean()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("layout", ["auto", "horizontal"])
def test_a_saved_picture_has_all_that_is_seen_and_little_else(show, layout, width):
    count = 6 if layout == "auto" else 14
    words, gold = [f"word{i}" for i in range(count)], "0-0 1p2"
    view = attention_view(np.eye(count), words, gold=gold, layout=layout)
    page = show(view, viewport={"width": width, "height": 800})
    word(page, "target", 0).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PNG").click()
    image = Image.open(io.BytesIO(download.value.path().read_bytes())).convert("RGB")
    found = np.array(image).astype(int)
    paper = found[0, 0]
    drawn = abs(found - paper).sum(axis=-1) > 3
    for axis in (0, 1):
        inked = np.flatnonzero(drawn.any(axis=axis))
        margins = inked[0], drawn.shape[1 - axis] - 1 - inked[-1]
        assert 0 < min(margins) and max(margins) <= 60  # of pixels twice as fine
    assert empty_share(drawn) < 0.65
    cell = 2 * page.locator("#cells").bounding_box()["width"] / count
    full = abs(found - 255 * BLUES[255]).sum(axis=-1) <= 3
    # Less what rings and the frame round the row chosen cover.
    assert 0.8 * count <= full.sum() / cell**2 <= 1.02 * count
    colors = page.evaluate(
        "() => getComputedStyle(document.documentElement).getPropertyValue('--gold')"
    )
    gold = [int(colors.strip()[i : i + 2], 16) for i in (1, 3, 5)]
    ringed = (abs(found - gold).sum(axis=-1) <= 3).sum()
    assert ringed > 2 * 2 * np.pi * 0.3 * cell  # two rings and a word's frame


def test_the_frame_in_a_notebook_works_though_it_is_a_stranger_there(browser):
    page = browser.new_page()
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    html = attention_view(WEIGHTS, SOURCE, TARGET)._repr_html_()
    page.set_content(f"<!doctype html><p id=outside>{html}")
    frame = page.frame_locator("iframe")
    frame.locator("#target .word").nth(1).hover()
    assert frame.locator("#readout").inner_text().startswith("Hunde attends to dogs")
    inner = page.frames[1]
    assert inner.evaluate("() => origin") == "null"
    assert [url for url in requests if not url.startswith("about:")] == []
    page.close()


def test_without_scripts_the_page_shows_its_table(show):
    view = attention_view(WEIGHTS, SOURCE, TARGET)
    page = show(view, java_script_enabled=False)
    assert page.locator("#fallback").is_visible()
    assert page.locator("#fallback td", has_text="0.60").count() == 2
    assert page.locator("#view").is_hidden()


def test_the_page_draws_anew_when_it_is_given_other_data(show):
    page = show(attention_view(WEIGHTS, SOURCE, TARGET))
    page.get_by_label("down").check()
    word(page, "target", 1).click()
    other = attention_view(np.eye(2), ["a", "b"], ["c", "d"], title="Other")
    page.evaluate("data => showAttention(data)", other.data)
    assert page.title() == page.locator("h1").inner_text() == "Other"
    assert page.locator("#target .word").all_inner_texts() == ["c", "d"]
    assert chosen(page) == []
    assert page.get_by_label("down").is_checked()  # the reader's choice stays
    word(page, "target", 0).hover()
    assert readout(page) == "c attends to a 1.00. Entropy 0.00."
