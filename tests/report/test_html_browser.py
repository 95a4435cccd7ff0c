"""The page in a real browser: it asks for nothing, complains of nothing, and fits on a telephone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.report.html import html_report
from conformance.result import Outcome
from tests.report.browser import Browser, Tab, chromium, opened
from tests.report.findings import CRASH, DAMAGE, HOSTILE, RACE, hostile
from tests.report.records import EVERY_OUTCOME, record, together

EXAMPLES = {"STATE-CRASH-01": CRASH, "STATE-LIST-01": RACE, "STATE-VALUE-01": hostile(2_000), "STATE-CORR-02": DAMAGE}
#: Of a telephone, and of a usual screen, in pixels.
NARROW, WIDE = 400, 1200


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser."""
    program = chromium()
    if program is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    found = Browser(program, tmp_path_factory.mktemp("profile"))
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a page with all kinds of findings, of one store with a hostile name and of another."""
    outcomes: dict[str, Outcome] = {**EVERY_OUTCOME, **dict.fromkeys(EXAMPLES, "fail")}
    one = record(outcomes, examples=EXAMPLES, name=f"one {HOSTILE}", lacks={"ttl": HOSTILE * 20})
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html_report(together(one, record(name="two"))), encoding="utf-8")
    return path.as_uri()


def is_quiet(tab: Tab, address: str) -> bool:
    """Return whether a tab has asked for nothing but the page, and neither page nor browser complains."""
    requested = [one for one in tab.requested() if not one.startswith("data:")]
    return (requested, tab.complaints()) == ([address], [])


@pytest.mark.parametrize("scripts", [False, True], ids=["without-scripts", "with-scripts"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_it_asks_for_nothing_and_fits(browser: Browser, address: str, width: int, *, scripts: bool) -> None:
    """With JavaScript and without it, on a narrow and on a wide screen, all details open or closed."""
    with opened(browser, address, width=width, scripts=scripts) as tab:
        assert is_quiet(tab, address), (tab.requested(), tab.complaints())
        assert tab.content_width() <= width
        tab.call("Emulation.setScriptExecutionDisabled", value=False)
        assert tab.value("document.querySelectorAll('details').forEach(one => { one.open = true }); 7") == 7
        assert tab.content_width() <= width
        assert is_quiet(tab, address)


def test_what_is_looked_for_would_be_seen(browser: Browser, address: str) -> None:
    """A page that is too wide, one that asks for something, and one that complains are noticed."""
    with opened(browser, address, width=NARROW) as tab:
        tab.value("document.body.style.minWidth = '900px'")
        assert tab.content_width() >= 900
        tab.value("console.log('hm')")
        assert not is_quiet(tab, address)
    with opened(browser, address) as tab:
        assert tab.value("fetch('https://example.invalid/').catch(() => 'refused')") == "refused"
        assert not is_quiet(tab, address)


def test_it_is_read_without_scripts(browser: Browser, address: str) -> None:
    """Details open by themselves, and a button that only a script can serve is not shown."""
    with opened(browser, address, scripts=False) as tab:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)
        assert tab.value("[...document.querySelectorAll('.copy')].map(one => one.hidden)") == [True, True]
        tab.value("document.querySelector('.suite > summary').click()")
        assert tab.value("document.querySelector('.suite').open") is True


def test_a_script_can_be_copied(browser: Browser, address: str) -> None:
    """The button takes the text of the script, or marks it where it may not, and says which; keys reach it."""
    pressed = """
    (async () => {
        const button = document.querySelector('.copy');
        button.closest('details').open = true;
        const said = new Promise(done => {
            new MutationObserver(() => done(button.textContent)).observe(button, { childList: true });
        });
        button.click();
        return [button.hidden, button.tabIndex, await said];
    })()
    """
    with opened(browser, address) as tab:
        assert tab.value(pressed) in ([False, 0, "Copied"], [False, 0, "Selected: press Ctrl+C"])


def test_an_anchor_opens_its_finding(browser: Browser, address: str) -> None:
    """A link to a code leads to the finding, also where that is closed."""
    with opened(browser, address) as tab:
        anchor = tab.value("[...document.querySelectorAll('article')].map(one => one.id).pop()")
        assert tab.value(f"document.getElementById({anchor!r}).closest('details').open") is False
    with opened(browser, f"{address}#{anchor}") as tab:
        assert tab.value(f"document.getElementById({anchor!r}).closest('details').open") is True


def test_dark_pages_are_dark(browser: Browser, address: str) -> None:
    """The ground follows what the reader prefers."""
    ground = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, address) as tab:
        light = tab.value(ground)
    with opened(browser, address, dark=True) as tab:
        assert tab.value(ground) != light


def test_hostile_texts_do_nothing(browser: Browser, address: str) -> None:
    """What a store says is read as it is: it made no element."""
    with opened(browser, address) as tab:
        assert tab.value("document.scripts.length") == 1
        assert tab.value("document.title").startswith("one <script>alert(1)</script>")
