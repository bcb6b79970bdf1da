"""The benchmark's parts: the same work for all ways, and no figure of a wrong run."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from bench import bench, interpreters, measure, workloads
from bench.measure import Round, UnexpectedReportError
from scalebox.client.local import async_local
from scalebox.model import StdioCase, StdioTests, Submission


def _measured() -> bench.Measured:
    measured = bench.Measured("w")
    for wall_s, theirs_s in ((1.0, 8.0), (2.0, 20.0), (4.0, 36.0)):
        measured.add(
            "scalebox",
            Round(
                100, wall_s, programs_s=0.9, zygotes_s=0.06, daemon_s=0.04, client_s=0.5,
                machine_s=1.2,
            ),
        )  # fmt: skip
        measured.add("subprocess pool", Round(100, theirs_s, programs_s=7.0))
        measured.add("in-process exec", Round(100, wall_s / 2, programs_s=0.1))
    return measured


def test_rates_and_ratios_are_medians_of_the_rounds() -> None:
    measured = _measured()
    assert measured.rate("scalebox") == 50
    assert measured.ratio("subprocess pool") == 9
    assert measured.ratio("in-process exec") == 0.5
    assert measured.ratio("something else") is None


def test_cpu_is_told_by_who_spent_it_and_the_client_is_apart() -> None:
    measured = _measured()
    assert measured.per_case_ms("service_s") == pytest.approx(10.0)
    assert measured.per_case_ms("daemon_s") == pytest.approx(0.4)
    assert measured.share("service_s") == pytest.approx(0.9)
    assert measured.share("machine_s") == pytest.approx(0.75)
    row = measured.rows()[0]
    assert row["elsewhere_ms"] == 0.0  # less than nothing: clocks differ
    assert row["together_ms"] == pytest.approx(10.0)
    assert row["client_ms"] == pytest.approx(5.0)


def test_the_figures_that_issues_name_are_there() -> None:
    names = ("python", "cpp", "calls", "real")
    figures = bench.figures_of(dict.fromkeys(names, _measured()))
    assert {
        "python_trivial_cases_per_s", "ratio_to_subprocess_pool", "ratio_to_inprocess_exec",
        "cpp_trivial_cases_per_s", "call_cases_per_s", "cpu_ms_per_case",
        "daemon_cpu_ms_per_case", "real_share_in_submissions", "cold_python_cpu_ms",
    } <= figures.keys()  # fmt: skip


def test_budgets_that_do_not_hold_are_named() -> None:
    figures = bench.figures_of({"python": _measured()})
    rest = {
        "start_time_s": 0.5,
        "daemon_rss_idle_bytes": 50e6,
        "slot_rss_bytes": 9e6,
        "slot_pss_bytes": 9e6,
    }
    broken = {
        promise.text.split()[0]
        for promise in bench.promises_of(figures | rest, ["python"])
        if not promise.holds
    }
    assert broken == {"python_trivial_cases_per_s", "cpu_ms_per_case", "daemon_cpu_ms_per_case"}


def test_what_was_asked_for_and_not_measured_breaks_its_promise() -> None:
    assert not all(promise.holds for promise in bench.promises_of({}, ["real"]))


def test_a_row_that_cannot_be_measured_says_why() -> None:
    assert bench.Measured("numpy", note="no network").rows()[0]["way"] == "not measured: no network"


@pytest.mark.parametrize("workload", [workloads.TRIVIAL, workloads.CALLS, workloads.IMPORTS])
async def test_all_ways_solve_the_same_work(workload: workloads.Workload) -> None:
    small = replace(workload, submissions=4, rival_submissions=4)
    async with async_local() as client, measure.rivals(interpreters.default()) as rivals:
        measured = await bench.interleave(client, rivals, small, rounds=1)
    assert set(measured.rounds) == {"scalebox", "subprocess pool", "in-process exec"}
    for rounds in measured.rounds.values():
        assert rounds[0].cases == 80
        assert rounds[0].wall_s > 0
        assert rounds[0].programs_s > 0
    assert measured.rounds["scalebox"][0].daemon_s > 0


async def test_a_wrong_report_ends_the_benchmark() -> None:
    tests = StdioTests(cases=[StdioCase(input="1 2\n", answer="4\n")])
    wrong = Submission(language="python", source="print(3)", tests=tests)
    async with async_local() as client:
        with pytest.raises(UnexpectedReportError, match="wrong_answer, 0/1"):
            await measure.judge(client, [wrong])


async def test_a_wrong_output_of_a_rival_ends_the_benchmark() -> None:
    unit = workloads.TRIVIAL.make(random.Random(1), 1)[0]
    wrong = replace(unit, cases=[("1 2\n", "4\n")])
    async with measure.rivals(interpreters.default()) as rivals:
        for mode in ("subprocess", "exec"):
            with pytest.raises(UnexpectedReportError, match="got 0 of 1"):
                await rivals.run(mode, [wrong])


def test_rounds_of_python_have_sources_of_their_own() -> None:
    rng = random.Random(1)
    units = [unit for _ in range(3) for unit in workloads.TRIVIAL.make(rng, 50)]
    assert len({unit.source for unit in units}) == 150


def test_compiled_rivals_are_compiled_once_a_source(tmp_path: Path) -> None:
    units = workloads.CPP.make(random.Random(1), 2)
    natives = bench.compile_natives([*units, *units], tmp_path)
    assert len(natives) == 2
    assert all(Path(binary).is_file() for binary in natives.values())


def test_what_no_counter_holds_is_overhead_and_not_the_programs() -> None:
    plain = Round(100, 1.0, programs_s=0.91, zygotes_s=0.05, daemon_s=0.04, machine_s=1.5)
    honest = replace(plain, uncounted_s=0.1)
    assert honest.service_s == pytest.approx(1.1)
    assert honest.elsewhere_s == pytest.approx(0.4)
    measured = bench.Measured("real")
    measured.add("scalebox", plain)
    assert measured.share("service_s") > 0.90
    measured.add("scalebox", honest)
    measured.add("scalebox", honest)
    assert measured.share("service_s") < 0.90


async def test_totals_are_the_kernels_and_not_the_daemons_own_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    units = workloads.TRIVIAL.make(random.Random(3), 20)
    readings = iter([100.0, 107.0])
    monkeypatch.setattr(measure, "kernel_cpu_s", lambda *_: next(readings))
    async with async_local() as client:
        one = await measure.judge(client, [unit.submission for unit in units])
    assert one.service_s == pytest.approx(7.0)
