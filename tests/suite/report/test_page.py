"""The pages in a real Chromium: what one sees, types, clicks; and that no sample does anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from scalebox.model import Verdict
from scalebox.suite import report
from scalebox.suite import results as files
from scalebox.suite.report import browse
from scalebox.suite.results import Evidence, Missing, TaskLine
from scalebox.suite.tasks import FailingCase, Sample
from tests.suite.folders import config, make_run, result, write_run
from tests.suite.report.chromium import Page, browser

pytestmark = pytest.mark.asyncio(loop_scope="module")

Opened = Callable[..., Any]
ROWS = "[...document.querySelectorAll('.rows tbody tr.row')]"
PAGE_ROWS = 50
DOWN, UP, ESCAPE, ENTER = ("ArrowDown", 40), ("ArrowUp", 38), ("Escape", 27), ("Enter", 13)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Opened]:
    async with browser(tmp_path_factory.mktemp("profile")) as opens:
        yield opens


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a sample a task."""
    folder = make_run(tmp_path_factory.mktemp("single"), tasks=60)
    report.write(folder)
    return folder


def quiet(page: Page, file: Path) -> None:
    """Nothing went wrong, and nothing but the page was asked for."""
    assert page.errors == []
    assert page.dialogs == []
    assert page.requests == [file.as_uri()]


async def rows(page: Page) -> int:
    found = await page.ask(f"{ROWS}.length")
    assert isinstance(found, int)
    return found


async def test_the_headline_has_its_interval_and_plots_have_their_data(
    opened: Opened, single: Path
) -> None:
    async with opened() as page:
        await page.open(single / "report.html")
        headline = await page.text(".headline")
        assert "pass@1" in headline
        assert "95 % interval" in headline
        captions = await page.ask(
            "[...document.querySelectorAll('figure')].map(one => [one.querySelector('figcaption')"
            ".innerText, one.querySelectorAll('svg :is(rect, circle)').length,"
            "one.querySelector('svg').getBoundingClientRect().height > 60])"
        )
        plots = {title.split(" ")[0]: (shapes, tall) for title, shapes, tall in captions}
        assert plots.keys() >= {"Rates", "Verdicts", "By", "CPU"}
        assert all(shapes >= 3 and tall for shapes, tall in plots.values())
        # Drawn in colours of the page, not in the black of a style that was refused.
        fill = await page.ask("getComputedStyle(document.querySelector('rect.v-accepted')).fill")
        assert fill == "rgb(60, 141, 107)"
        quiet(page, single / "report.html")


async def test_the_table_filters_by_text_verdict_and_group(opened: Opened, single: Path) -> None:
    found = files.read(single / "results.jsonl")
    wrong = [one for one in found if one.verdict is Verdict.WRONG_ANSWER]
    async with opened() as page:
        await page.open(single / "report.html")
        assert await page.text("#shown") == "60 of 60 problems"
        assert await rows(page) == PAGE_ROWS
        await page.click('[data-chip="wrong_answer"]')
        assert await page.text("#shown") == f"{len(wrong)} of 60 problems"
        verdicts = await page.ask(f"{ROWS}.map(one => one.cells[1].innerText.trim())")
        assert set(verdicts) == {"wrong answer"}
        await page.type("#find", wrong[1].task.lower())
        same = [one for one in wrong if one.task.startswith(wrong[1].task)]
        await page.until(f"{ROWS}.length === {len(same)}")
        await page.click('[data-chip="wrong_answer"]')
        await page.press(*ESCAPE)  # the chip has the focus: nothing happens
        await page.ask("document.getElementById('find').focus()")
        await page.press(*ESCAPE)
        assert await page.text("#shown") == "60 of 60 problems"
        hard = [one for one in found if one.groups["difficulty"] == "hard"]
        await page.ask(
            "(() => { const one = document.querySelector('[data-group=\"difficulty\"]');"
            "one.value = [...one.options].find(option => option.text === 'hard').value;"
            "one.dispatchEvent(new Event('change')); })()"
        )
        assert await page.text("#shown") == f"{len(hard)} of 60 problems"
        await page.type("#find", "no such problem")
        await page.until("document.querySelector('.rows tbody').innerText.includes('like that')")
        quiet(page, single / "report.html")


async def test_a_row_opens_with_its_failing_case_and_the_first_difference(
    opened: Opened, single: Path
) -> None:
    wrong = next(
        one for one in files.read(single / "results.jsonl") if one.verdict is Verdict.WRONG_ANSWER
    )
    number = int(wrong.task.removeprefix("Sums/"))
    async with opened() as page:
        await page.open(single / "report.html")
        await page.click('[data-chip="wrong_answer"]')
        await page.click(".rows .open")
        assert await page.text(".detail .failing") == (
            "First case that failed: 3 (wrong answer): token 5 differs"
        )
        assert (await page.text(".detail pre.expected")).split() == [
            str(number + more) for more in (0, 2, 5, 9)
        ]
        assert (await page.text(".detail pre.got")).split()[2:] == ["0", "0"]
        assert await page.text(".detail pre.expected mark") == str(number + 5)[0]
        assert await page.text(".detail pre.got mark") == "0"
        assert "First difference: line 3, column 1" in await page.text(".detail")
        assert (await page.text(".detail pre.input")).startswith("4\n")
        assert "itertools.accumulate" in await page.text(".detail pre.sample")
        assert "print all sums" in await page.text(".detail pre.prompt")
        assert "case 3 of 10 failed" in await page.text(".detail")
        await page.click(".rows .open")
        assert await page.ask("document.querySelector('.detail')") is None
        quiet(page, single / "report.html")


async def test_a_crash_shows_what_the_program_wrote_to_its_error_output(
    opened: Opened, single: Path
) -> None:
    async with opened() as page:
        await page.open(single / "report.html")
        await page.click('[data-chip="runtime_error"]')
        await page.click(".rows .open")
        assert "IndexError: list index out of range" in await page.text(".detail pre.errors")


async def test_a_program_that_does_not_compile_failed_no_case(
    opened: Opened, tmp_path: Path
) -> None:
    skipped = FailingCase(name="first", verdict=Verdict.SKIPPED, input="1 2", got="")
    message = "SyntaxError: '(' was never closed"
    folder = write_run(
        tmp_path / "run",
        config(),
        [result("a", 0, Verdict.COMPILE_ERROR)],
        evidence=[Evidence(task="a", index=0, failing=skipped, message=message)],
    )
    report.write(folder)
    async with opened() as page:
        await page.open(folder / "report.html")
        await page.click(".rows .open")
        assert message in await page.text(".detail")
        assert await page.ask("document.querySelector('.detail .failing')") is None
        assert await page.ask("document.querySelector('.detail pre.input')") is None


async def test_the_keyboard_is_enough(opened: Opened, single: Path) -> None:
    async with opened() as page:
        await page.open(single / "report.html")
        await page.call("Input.dispatchKeyEvent", type="keyDown", key="/", text="/")
        await page.call("Input.dispatchKeyEvent", type="keyUp", key="/")
        assert await page.ask("document.activeElement.id") == "find"
        for key in (DOWN, DOWN, DOWN, UP):
            await page.press(*key)
        assert await page.ask(f"{ROWS}.indexOf(document.activeElement.closest('tr'))") == 1
        await page.call(
            "Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", text="\r",
            windowsVirtualKeyCode=ENTER[1],
        )  # fmt: skip
        await page.until("document.querySelectorAll('.detail').length === 1")
        assert await page.ask("document.activeElement.getAttribute('aria-expanded')") == "true"
        await page.press(*ESCAPE)
        assert await page.ask("document.querySelectorAll('.detail').length") == 0
        assert await page.ask(f"{ROWS}.indexOf(document.activeElement.closest('tr'))") == 1


async def test_columns_sort_both_ways(opened: Opened, single: Path) -> None:
    async with opened() as page:
        await page.open(single / "report.html")
        head = 'th[data-column="time"]'
        times = f"{ROWS}.map(one => one.cells[5].innerText)"
        await page.click(f"{head} button")
        assert await page.ask(f"document.querySelector('{head}').ariaSort") == "descending"
        longest = await page.ask(times)
        await page.click(f"{head} button")
        assert await page.ask(f"document.querySelector('{head}').ariaSort") == "ascending"
        shortest = await page.ask(times)
        assert longest[0] == shortest[-1] or longest[0].endswith(" s")
        assert shortest == sorted(shortest, key=seconds)
        assert longest == sorted(longest, key=seconds, reverse=True)


def seconds(shown: str) -> float:
    value, unit = shown.split()
    return float(value) * {"s": 1, "ms": 0.001}[unit]


async def test_several_samples_can_be_gone_through(opened: Opened, tmp_path: Path) -> None:
    missing = [Missing(task="Sums/0", index=9, why="the endpoint refused")]
    folder = make_run(tmp_path / "run", tasks=30, n=8, missing=missing)
    report.write(folder)
    async with opened() as page:
        await page.open(folder / "report.html")
        warning = await page.text(".warning")
        assert "1 of 241 samples are missing" in warning
        assert "Sums/0, sample 9: the endpoint refused" in warning
        assert "of the samples that are there" in await page.text(".headline")
        assert await page.ask("document.querySelectorAll('polygon.band').length") == 2
        await page.click('[data-chip="wrong_answer"]')
        await page.click(".rows .open")
        assert await page.ask("document.querySelectorAll('.detail .pick').length") == 8
        # The first sample that is wrong is the one that is shown first.
        assert "accepted" not in await page.text(".detail .case b")
        await page.click('.detail .pick[title="accepted"]')
        assert await page.text(".detail .case b") == "accepted"
        assert await page.ask("document.querySelector('.detail .failing')") is None
        quiet(page, folder / "report.html")


async def test_two_runs_are_shown_side_by_side(opened: Opened, tmp_path: Path) -> None:
    first = make_run(tmp_path / "a", tasks=40)
    second = make_run(tmp_path / "b", tasks=40, seed=2, skill=0.9, model="model-b")
    written = report.write_comparison(first, second, tmp_path / "out")
    assert [one.name for one in written] == ["report.html", "report.md", "comparison.json"]
    async with opened() as page:
        await page.open(tmp_path / "out" / "report.html")
        assert await page.text("h1") == "model-a → model-b"
        assert "difference of pass@1" in await page.text(".headline")
        assert "McNemar" in await page.text(".facts")
        await page.click('[data-chip="better"]')
        results = await page.ask(f"{ROWS}.map(one => one.cells[1].innerText)")
        assert results
        assert all("→" in one and "accepted" in one.split("→")[1] for one in results)
        await page.click(".rows .open")
        assert await page.ask("document.querySelectorAll('.detail .picks').length") == 2
        await page.click(".detail .picks:first-of-type .pick")
        assert "model-a, sample 0" in await page.text(".detail .case")
        quiet(page, tmp_path / "out" / "report.html")


async def test_ten_thousand_problems_are_paged(opened: Opened, tmp_path: Path) -> None:
    results = [
        result(f"task-{place}", 0, Verdict.WRONG_ANSWER if place % 7 else Verdict.ACCEPTED)
        for place in range(10_000)
    ]
    folder = write_run(tmp_path / "run", config(resamples=100), results)
    report.write(folder)
    async with opened() as page:
        await page.open(folder / "report.html")
        assert await rows(page) == 50
        assert await page.text("#where") == "1 to 50 of 10,000"
        await page.click("#on")
        assert await page.text("#where") == "51 to 100 of 10,000"
        await page.type("#find", "task-9999")
        await page.until(f"{ROWS}.length === 1")
        quiet(page, folder / "report.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_can_be_read_by_day_and_by_night(
    scheme: str, opened: Opened, single: Path
) -> None:
    async with opened() as page:
        await page.colours(scheme)
        await page.open(single / "report.html")
        colours = await page.ask(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body)"
            ".backgroundColor].map(one => one.match(/\\d+/g).slice(0, 3).map(Number))"
        )
        ink, paper = (sum(channels) / 3 for channels in colours)
        assert (ink > paper) == (scheme == "dark")
        assert abs(ink - paper) > 150


@pytest.mark.parametrize("width", [1280, 420])
async def test_the_page_fits_its_window(width: int, opened: Opened, single: Path) -> None:
    async with opened(width, 900) as page:
        await page.open(single / "report.html")
        await page.click(".rows .open")
        assert await page.ask("document.documentElement.scrollWidth") <= width


# --- hostile texts -------------------------------------------------------------------------------

EVIL = (
    "</script></pre></svg></title></style><script>window.hacked = 1; alert(1)</script>"
    "<img src='http://127.0.0.1:{port}/img' onerror='window.hacked = 2'>"
    "<iframe src='http://127.0.0.1:{port}/frame'></iframe><!-- <script> ]]> &lt;b&gt; \" ' `"
    "{{{{x}}}} ${{alert(1)}} javascript:alert(1) \u2028 \x00 \x1b[31m \u202egnp.exe \u200b\ufeff"
)


async def test_hostile_texts_run_nothing_and_fetch_nothing(opened: Opened, tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    evil = EVIL.format(port=server.sockets[0].getsockname()[1])
    folder = hostile_run(tmp_path / "run", evil)
    report.write(folder)
    report.write_comparison(folder, folder, tmp_path / "out")
    pages = [folder / "report.html", tmp_path / "out" / "report.html"]
    for file in pages:
        async with opened() as page:
            await page.open(file)
            await page.click('[data-chip="wrong_answer"]')
            await page.click(".rows .open")
            assert "gnp.exe" in await page.text(".detail pre.expected")
            assert await page.ask("typeof window.hacked") == "undefined"
            assert await page.ask("document.querySelectorAll('img, iframe').length") == 0
            assert await page.ask("document.scripts.length") == 2
            seen = await page.ask("document.body.innerText")
            assert not set(seen) & set("\x00\x1b\u2028\u202e\u200b\ufeff")
            assert "⟨U+202E⟩gnp.exe" in seen
            assert "⟨U+0000⟩" in seen
            assert await page.ask("document.documentElement.scrollWidth") <= 1280
            quiet(page, file)
    server.close()
    assert asked == []


def hostile_run(folder: Path, evil: str) -> Path:
    """A run that says the same everywhere where others' texts can stand."""
    results = [
        result(evil, 0, Verdict.WRONG_ANSWER, groups={evil: evil}, finish=evil, parts={evil: True}),
        result("tame", 0, groups={evil: "tame"}),
    ]
    case = FailingCase(
        name=evil, verdict=Verdict.WRONG_ANSWER, message=evil, input=evil, expected=evil,
        got=evil + "!", error_output=evil,
    )  # fmt: skip
    return write_run(
        folder,
        config(model=evil, benchmark=evil),
        results,
        evidence=[Evidence(task=evil, index=0, failing=case, message=evil, cpu_time_s=1e300)],
        tasks=[TaskLine(id=evil, prompt=evil, groups={evil: evil})],
        samples=[Sample(task=evil, index=0, text=evil)],
        missing=[Missing(task=evil, index=7, why=evil)],
        manifest={evil: {evil: [evil]}, "benchmark": evil},
    )


async def test_the_policy_refuses_what_is_not_the_pages_own(
    opened: Opened, single: Path, tmp_path: Path
) -> None:
    """Even with a hole in the escaping nothing would run: one is made here."""
    page_text = (single / "report.html").read_text()
    holed = page_text.replace("</body>", "<script>window.hacked = 1</script></body>")
    (tmp_path / "holed.html").write_text(holed)
    async with opened() as page:
        await page.open(tmp_path / "holed.html")
        assert await page.ask("typeof window.hacked") == "undefined"
        async with asyncio.timeout(10):
            while not any("Content Security Policy" in one for one in page.errors):
                await asyncio.sleep(0.02)


# --- bounds --------------------------------------------------------------------------------------


async def test_megabytes_are_cut_in_their_middle(opened: Opened, tmp_path: Path) -> None:
    text = "HEAD " + "\u202e" * 3_000_000 + " TAIL"
    folder = write_run(
        tmp_path / "run",
        config(),
        [result("a", 0, Verdict.WRONG_ANSWER)],
        samples=[Sample(task="a", index=0, text=text)],
    )
    report.write(folder)
    assert (folder / "report.html").stat().st_size < 300_000
    async with opened() as page:
        await page.open(folder / "report.html")
        await page.click(".rows .open")
        shown = await page.text(".detail pre.sample")
        assert shown.startswith("HEAD")
        assert shown.endswith("TAIL")
        assert "more characters" in shown


async def test_a_page_that_would_be_too_large_keeps_the_failures(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browse, "MAX_BYTES", 60_000)
    monkeypatch.setattr(browse, "ROOM_CHARS", 100_000)
    folder = make_run(tmp_path / "run", tasks=100, n=2)
    report.write(folder)
    size = len((folder / "report.html").read_bytes())
    assert size < 60_000 + 80_000  # with style, program and plots
    async with opened() as page:
        await page.open(folder / "report.html")
        assert "texts are not on this page" in await page.text(".notes")
        await page.click('[data-chip="wrong_answer"]')
        await page.click(".rows .open")
        assert "itertools.accumulate" in await page.text(".detail pre.sample")


async def test_without_a_browser_the_test_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssertionError, match="apt-get install chromium"):
        async with browser(tmp_path):
            pass
