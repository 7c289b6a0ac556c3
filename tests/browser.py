"""A real browser for tests: Playwright driving the Chromium that is installed."""

import os
import shutil
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window, or a plain skip where there is none."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="needs Playwright: pip install playwright"
    )
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), None
    )
    if found is None:
        pytest.skip("needs a Chromium on the PATH, or its path in CHROMIUM")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@contextmanager
def new_page(browser, may_fail=False, **options):
    """Open an empty page, which keeps its requests in `requests`.

    At the end no error may have been in it, answers that refuse a request apart,
    unless `may_fail`.
    """
    context = browser.new_context(**options)
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
