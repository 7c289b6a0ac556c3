"""Tests of the local page and of exported pages, in a real browser."""

from contextlib import contextmanager

import pytest

from nmt.app.pages import export
from tests.app.test_server import Shouter, serving
from tests.page.test_view_browser import browser  # noqa: F401


@contextmanager
def new_page(chromium, may_fail=False, **options):
    """Open an empty page, which keeps its requests in `requests`.

    At the end no error may have been in it, answers that refuse a request apart,
    unless `may_fail`.
    """
    context = chromium.new_context(**options)
    page = context.new_page()
    page.requests, errors = [], []
    page.on("request", lambda request: page.requests.append(request))
    page.on("pageerror", lambda error: errors.append(str(error)))

    def heed(message):
        refusal = "the server responded with a status of 4" in message.text
        if message.type == "error" and not refusal:
            errors.append(message.text)

    page.on("console", heed)
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    yield page
    context.close()
    assert may_fail or not errors, errors


@pytest.fixture(scope="module")
def server():
    with serving(Shouter()) as server:
        yield server


@pytest.fixture
def page(browser, server):  # noqa: F811
    """The local page, opened; at the end it must have asked its own server alone."""
    with new_page(browser) as page:
        page.goto(server.url)
        yield page
        assert {request.url for request in page.requests} <= {
            server.url,
            f"{server.url}translate",
        }


def translate(page, text):
    """Type a text and send it by Enter."""
    page.get_by_label("Sentence in English").fill(text)
    page.get_by_label("Sentence in English").press("Enter")


def words(page, side):
    return page.locator(f"#{side} .word").all_inner_texts()


def test_a_sentence_is_typed_and_its_translation_shown(page):
    assert not page.locator("#view").is_visible()
    assert page.get_by_text("demonstration").is_visible()
    translate(page, "the cat sleeps")
    page.locator("#view").wait_for()
    assert page.locator("#translation").inner_text() == "THE CAT SLEEPS"
    assert words(page, "source") == ["the", "cat", "sleeps", "</s>"]
    assert words(page, "target") == ["THE", "CAT", "SLEEPS", "</s>"]
    translate(page, "a dog")
    page.get_by_text("A DOG").first.wait_for()
    assert words(page, "target") == ["A", "DOG", "</s>"]


def test_pointing_at_a_word_shows_where_it_looked(page):
    translate(page, "the cat sleeps")
    page.locator("#target .word").nth(1).hover()
    assert page.locator("#readout").inner_text().startswith("CAT attends to cat 0.9")
    page.locator("#source .word").nth(2).hover()
    assert "is attended to by SLEEPS" in page.locator("#readout").inner_text()
    assert page.locator("#links path").count() >= 1


def test_beams_and_beginning_are_taken_from_the_form(page):
    page.get_by_label("Beams").fill("2")
    page.get_by_label("Translation begins with").fill("LE CHIEN")
    page.get_by_label("Sentence in English").fill("the dog runs")
    page.get_by_role("button", name="Translate").click()
    page.locator("#view").wait_for()
    assert page.locator("#translation").inner_text() == "LE CHIEN RUNS"
    assert page.locator("#score").inner_text() == "log-probability -2.00"
    page.get_by_label("Beams").fill("3")
    page.get_by_label("Beams").press("Enter")
    page.get_by_text("-3.00").wait_for()
    assert words(page, "target") == ["LE", "CHIEN", "RUNS", "</s>"]


def test_hostile_text_stays_text(page):
    hostile = "</script><img src=x onerror=document.title='no'> <b>bold</b> & '\""
    translate(page, hostile)
    page.locator("#view").wait_for()
    assert page.locator("#translation").inner_text() == hostile.upper()
    assert words(page, "source")[:-1] == hostile.split()
    assert page.locator("img, b:has-text('bold')").count() == 0
    assert page.title() == "English → Spanish · folder"


def test_what_is_wrong_is_said_and_goes_away(page):
    page.get_by_label("Translation begins with").fill("#")
    translate(page, "a")
    complaint = page.get_by_role("alert")
    page.get_by_text("cannot begin with '#'").wait_for()
    page.get_by_label("Translation begins with").fill("")
    translate(page, "a")
    page.locator("#view").wait_for()
    assert complaint.inner_text() == ""
    # Longer than the form lets anybody type.
    page.get_by_label("Sentence in English").evaluate(
        "(field) => { field.value = 'x'.repeat(10000); field.form.requestSubmit(); }"
    )
    page.get_by_text("text has 10000 characters").wait_for()


def test_a_new_sentence_gives_up_the_one_that_is_still_translated(page):
    page.route("**/translate", lambda route: None, times=1)  # never answered
    with page.expect_event("requestfailed") as given_up:
        translate(page, "first")
        translate(page, "second")
    assert given_up.value.post_data_json["text"] == "first"
    page.get_by_text("SECOND").first.wait_for()
    assert page.locator("#translation").inner_text() == "SECOND"
    assert page.get_by_role("alert").inner_text() == ""


def test_the_example_is_translated_at_one_key_and_replaced_by_typing(page):
    assert page.get_by_role("heading", level=1).inner_text() == page.title()
    page.keyboard.press("Enter")
    page.get_by_text("THE SMALL DOG DOES NOT SEE IT.").first.wait_for()
    page.reload()
    page.keyboard.type("hello")
    assert page.get_by_label("Sentence in English").input_value() == "hello"


@pytest.mark.parametrize("width", [390, 1280])
def test_form_translation_and_picture_are_together_and_aligned(browser, server, width):  # noqa: F811
    with new_page(browser, viewport={"width": width, "height": 900}) as page:
        page.goto(server.url)
        translate(page, "the cat sleeps")
        page.locator("#view").wait_for()
        box = {
            name: page.locator(name).bounding_box()
            for name in (
                "#text",
                "#prefix",
                "#translate button",
                "#translation",
                "#source",
            )
        }
        button, prefix = box["#translate button"], box["#prefix"]
        text_end = box["#text"]["x"] + box["#text"]["width"]
        assert button["x"] + button["width"] == pytest.approx(text_end)
        assert prefix["x"] == box["#text"]["x"] == box["#translation"]["x"]
        if width > 1000:
            bottom = prefix["y"] + prefix["height"]
            assert button["y"] + button["height"] == pytest.approx(bottom)
        # Both in sight, and nothing between them but what is chosen to be seen.
        assert box["#source"]["y"] < 750
        foot = page.get_by_text("demonstration on your own machine").bounding_box()
        table = page.locator("#table").bounding_box()
        assert foot["y"] > table["y"]


def test_a_server_that_has_stopped_is_told(browser):  # noqa: F811
    with new_page(browser, may_fail=True) as page:
        with serving(Shouter()) as server:
            page.goto(server.url)
        translate(page, "a")
        page.get_by_text("the program that serves this page has stopped").wait_for()


def test_exported_pages_open_from_the_disk(browser, tmp_path):  # noqa: F811
    sentences = ["the cat <i>sleeps</i>", "שלום עולם"]
    index = export(Shouter()(sentences), tmp_path / "pages")
    with new_page(browser) as page:
        page.goto(index.as_uri())
        assert page.get_by_role("listitem").count() == 2
        assert page.locator("li svg path").count() >= 2
        page.get_by_role("link").first.click()
        page.locator("#view").wait_for()
        assert words(page, "target") == ["THE", "CAT", "<I>SLEEPS</I>", "</s>"]
        page.go_back()
        page.get_by_role("link").nth(1).click()
        page.locator("#source[dir=rtl]").wait_for()
        assert all(request.url.startswith("file:") for request in page.requests)
