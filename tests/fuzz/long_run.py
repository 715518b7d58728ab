"""The long run of the fuzz tests: `make fuzz`. Each thousand cases run in a process of their own, within limits.

A process that needs more memory, or longer, or dies is a finding, as an exception that is not our own is. Every case
has its own seed: `--kind character --first 812 --cases 1` runs one again.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).parents[2]
CASES = {"packet": 1_000_000, "session": 10_000, "profile": 10_000, "settings": 10_000, "weights": 10_000}
CASES |= {"character": 10_000}
PER_PROCESS = {"packet": 20_000}
MEMORY_BYTES = 8 * 2**30  # address space, of which torch alone takes several
CASE_S = 20  # one case, at most
PROCESS_S = 1800


def child(kind, first, cases):
    """Run cases; print one line for each finding, and the number done."""
    import signal

    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "receivers"), str(ROOT)]
    from fuzz.targets import KINDS, generator

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, first + cases):
            signal.alarm(CASE_S)  # ends the process, wherever it is
            try:
                KINDS[kind](Path(folder), generator(kind, number))
            except Exception as exc:  # noqa: BLE001 - the finding
                found += 1
                where = traceback.extract_tb(exc.__traceback__)[-1]
                print(f"{kind} {number}: {type(exc).__name__} at {where.filename}:{where.lineno}: {exc!s:.120}")
            print(f"at {number}", file=sys.stderr, flush=True)
            signal.alarm(0)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"done {peak_mb}")
    return found


def run(kind, first, cases):
    """Run one process; returns its findings and its peak of memory in MB."""
    command = [sys.executable, __file__, "--child", "--kind", kind, "--first", str(first), "--cases", str(cases)]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_S, check=False)
    except subprocess.TimeoutExpired:
        return [f"{kind} {first}: more than {PROCESS_S} s"], 0
    lines = result.stdout.splitlines()
    if lines and lines[-1].startswith("done"):
        return lines[:-1], int(lines[-1].split()[1])
    last = [line for line in result.stderr.splitlines() if line.startswith("at ")]
    after = last[-1].removeprefix("at ") if last else str(first - 1)
    return [*lines, f"{kind}: process ended with {result.returncode} in the case after {after}"], 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=sorted(CASES))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--cases", type=int, help="for each kind; the default is a million packets, 10,000 files")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.kind, given.first, given.cases)
        return 0
    bad = 0
    for kind in [given.kind] if given.kind else CASES:
        count, start_s, peak_mb, findings = given.cases or CASES[kind], time.monotonic(), 0, []
        step = PER_PROCESS.get(kind, 1000)
        for first in range(given.first, given.first + count, step):
            new, mb = run(kind, first, min(step, given.first + count - first))
            findings, peak_mb = findings + new, max(peak_mb, mb)
        print("\n".join(findings[:20]))
        took_s = time.monotonic() - start_s
        print(f"{kind:10} {count:9,} cases  {took_s:8.1f} s  {peak_mb:5} MB  {len(findings)} findings", flush=True)
        bad += len(findings)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
