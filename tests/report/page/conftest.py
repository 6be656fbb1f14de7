import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def measured(measured_folder: Path) -> Path:
    return (measured_folder / "results" / "latest").resolve()


# Playwright leaves an event loop running in this thread for as long as it is there.
@pytest.fixture(scope="module")
def browser(starts_processes: None) -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.fail(
            "these tests need Chromium: apt-get install --no-install-recommends chromium", pytrace=False
        )
    with sync_playwright() as playwright:
        # Without its sandbox it also runs as root; the page is our own.
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens a file in a window of its own. The test fails if it says anything, or asks for anything else."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    requests: list[str] = []
    opened: list[str] = []

    def open_file(path: Path, **how: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | how))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        opened.append(path.as_uri())
        page.goto(path.as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert complaints == []
    assert requests == opened
