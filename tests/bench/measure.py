"""Runs the benchmarks interleaved and makes of what they say a table, JSON and plots. Called by tests/bench/compare.

A case is one benchmark of one program. A round runs every case once, each in a process of its own, so that what disturbs
the machine for a while disturbs all subjects alike. The figure of a case is the median of its rounds; the spread is the
distance between its lowest and highest round, in percent of the median. Ratios are those of medians of the same run.
"""

import argparse
import json
import pathlib
import platform
import re
import statistics
import subprocess
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

PROGRAMS = ["throughput", "latency", "calls", "memory", "redis"]

# Whom ratios are told against, where there are several of ours: above 1 is then more than theirs.
REFERENCES = ["hiredis", "unbridged"]


def cases_of(program, pattern):
    listed = subprocess.run([program, "--benchmark_list_tests=true"], check=True, capture_output=True, text=True)
    return [line for line in listed.stdout.splitlines() if re.search(pattern, line)]


def run_case(program, case, min_time):
    """One run of one case: its figures by name, or None if the benchmark says that it went wrong."""
    done = subprocess.run(
        [
            program,
            f"--benchmark_filter=^{re.escape(case)}$",
            f"--benchmark_min_time={min_time}",
            "--benchmark_format=json",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    result = json.loads(done.stdout)["benchmarks"][0]
    if result.get("error_occurred"):
        print(f"{case}: {result['error_message']}", file=sys.stderr)
        return None
    known = ["items_per_second", "p50", "p90", "p99", "max", "delivered", "ns", "processor_ns", "allocations", "bytes", "bytes_before_the_first_event"]
    figures = {name: result[name] for name in known if name in result}
    if case.startswith("calls/limit"):
        figures["ns"] = result["real_time"] * {"ns": 1, "us": 1e3, "ms": 1e6}[result["time_unit"]]
    return figures


class Results:
    """The rounds of every case."""

    def __init__(self):
        self.rounds = {}

    def add(self, case, figures):
        for name, value in figures.items():
            self.rounds.setdefault(case, {}).setdefault(name, []).append(value)

    def median(self, case, figure):
        values = self.rounds.get(case, {}).get(figure)
        return statistics.median(values) if values else None

    def spread(self, case, figure):
        values = self.rounds[case][figure]
        middle = statistics.median(values)
        return 100 * (max(values) - min(values)) / middle if middle else 0.0

    def scenarios(self):
        """Scenario -> subject -> case, in the order in which they were measured."""
        found = {}
        for case in self.rounds:
            scenario, subject = short_name(case).rsplit("/", 1)
            found.setdefault(scenario, {})[subject] = case
        return found

    def case(self, scenario, subject):
        return self.scenarios().get(scenario, {}).get(subject)


def short_name(case):
    return re.sub(r"/(manual_time|iterations:\d+|real_time)", "", case)


def number(value):
    if value is None:
        return ""
    if value >= 1e6:
        return f"{value / 1e6:.1f} M"
    if value >= 1e4:
        return f"{value / 1e3:.1f} k"
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def table(results):
    lines = []
    for scenario, subjects in results.scenarios().items():
        figures = list(dict.fromkeys(name for case in subjects.values() for name in results.rounds[case]))
        ours = subjects.get("actorbus")
        reference = next((subjects[name] for name in REFERENCES if name in subjects), None)
        lines += [f"### {scenario}", "", "| subject | " + " | ".join(f"{f} | ±" for f in figures) + " | ratio |"]
        lines.append("|---|" + "---:|---:|" * len(figures) + "---:|")
        for subject, case in subjects.items():
            row = [subject]
            for figure in figures:
                value = results.median(case, figure)
                row += [number(value), f"{results.spread(case, figure):.0f} %" if value is not None else ""]
            if reference:
                row.append(ratio(results, case, reference, figures[0]))
            else:
                row.append(ratio(results, ours, case, figures[0]) if ours else "")
            lines.append("| " + " | ".join(row) + " |")
        lines.append("")
    return "\n".join(lines)


def ratio(results, ours, other, figure):
    """Ours over the other: above 1 is more events a second, or, of a latency, longer."""
    mine, theirs = results.median(ours, figure), results.median(other, figure)
    return f"{mine / theirs:.2f}" if mine and theirs else ""


def plot_throughput(results, out):
    scenarios = {n: s for n, s in results.scenarios().items() if "actorbus" in s and results.median(s["actorbus"], "items_per_second")}
    if not scenarios:
        return
    figure, axes = plt.subplots(len(scenarios), 1, figsize=(9, 0.6 + 2.4 * len(scenarios)), squeeze=False)
    for axis, (scenario, subjects) in zip(axes[:, 0], scenarios.items()):
        ordered = sorted(subjects, key=lambda s: results.median(subjects[s], "items_per_second"))
        values = [results.median(subjects[s], "items_per_second") / 1e6 for s in ordered]
        colours = ["#c0392b" if s == "actorbus" else "#bbbbbb" if s.startswith("limit") else "#34699a" for s in ordered]
        axis.barh(ordered, values, color=colours)
        axis.set_title(f"{scenario}: million deliveries a second", loc="left", fontsize=10)
        axis.tick_params(labelsize=8)
    figure.tight_layout()
    figure.savefig(out / "throughput.svg")
    plt.close(figure)


def plot_latency(results, out):
    scenarios = {n: s for n, s in results.scenarios().items() if any("p50" in results.rounds[c] for c in s.values())}
    if not scenarios:
        return
    figure, axes = plt.subplots(len(scenarios), 1, figsize=(9, 0.6 + 2.6 * len(scenarios)), squeeze=False)
    for axis, (scenario, subjects) in zip(axes[:, 0], scenarios.items()):
        for place, (subject, case) in enumerate(subjects.items()):
            p50, p99 = (results.median(case, p) / 1000 for p in ("p50", "p99"))
            colour = "#c0392b" if subject.startswith("actorbus") else "#34699a"
            axis.plot([p50, p99], [place, place], color=colour, linewidth=2)
            axis.plot([p50], [place], "o", color=colour)
            axis.plot([p99], [place], "|", color=colour, markersize=12)
        axis.set_yticks(range(len(subjects)), list(subjects), fontsize=8)
        axis.set_xscale("log")
        axis.set_title(f"{scenario}: p50 (dot) to p99 (bar), microseconds", loc="left", fontsize=10)
    figure.tight_layout()
    figure.savefig(out / "latency.svg")
    plt.close(figure)


def plot_growth(results, out):
    families = ["subscribers", "idle_topics", "round_robin", "idle_patterns"]
    present = {f: results.scenarios()[f] for f in families if f in results.scenarios()}
    if not present:
        return
    figure, axis = plt.subplots(figsize=(9, 4.5))
    for family, subjects in present.items():
        points = sorted((int(n), 1e9 / results.median(c, "items_per_second")) for n, c in subjects.items())
        axis.plot(*zip(*points), marker="o", label=family)
    axis.set_xscale("log")
    axis.set_ylim(bottom=0)
    axis.set_xlabel("how many")
    axis.set_ylabel("nanoseconds a delivery")
    axis.legend()
    figure.tight_layout()
    figure.savefig(out / "growth.svg")
    plt.close(figure)


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", info)
    return {
        "processor": model.group(1) if model else platform.processor(),
        "processors": info.count("processor\t"),
        "kernel": platform.release(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="the folder of the benchmark programs")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="where results go")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each case")
    parser.add_argument("--filter", default=".", help="a regular expression; cases that it does not find are left out")
    parser.add_argument("--min-time", type=float, default=0.3, help="seconds a case repeats itself for at least")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    cases = []
    for name in PROGRAMS:
        program = options.programs / f"actorbus_bench_{name}"
        cases += [(program, case) for case in cases_of(program, options.filter)]
    if not cases:
        sys.exit(f"no case matches {options.filter!r}")
    results = Results()
    for index in range(options.rounds):
        for place, (program, case) in enumerate(cases):
            print(f"round {index + 1} of {options.rounds}, case {place + 1} of {len(cases)}: {case}", flush=True)
            figures = run_case(program, case, options.min_time)
            if figures:
                results.add(case, figures)

    text = table(results)
    print(text)
    (options.out / "table.md").write_text(text)
    (options.out / "results.json").write_text(json.dumps({"machine": machine(), "rounds": results.rounds}, indent=1))
    plot_throughput(results, options.out)
    plot_latency(results, options.out)
    plot_growth(results, options.out)


if __name__ == "__main__":
    main()
