#!/usr/bin/env python3
"""Measures `gpudoc scan` beside NVIDIA's cuobjdump in one run, and prints a table in Markdown.

    tests/bench/scan.py target/release/gpudoc CUOBJDUMP libtorch_cuda.so --environment venv/lib/python3.11/site-packages

Wall time from start to exit, output thrown away. The programs take turns, so that a busy moment of the machine falls on
both. Peak memory is what the kernel reports of each child; a child starts as a copy of this program, which is therefore
the least that can be shown. Cold means: the library's pages are dropped before each run, for which the file system must
be a real one (`--drop-caches`, as root: everything that is cached is dropped, the programs and folders too).
"""

import argparse
import os
import pathlib
import statistics
import sys
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gpudoc")
    parser.add_argument("cuobjdump")
    parser.add_argument("library", help="libtorch_cuda.so of torch 2.7.1 is what the goals are set for")
    parser.add_argument("--environment", help="a folder with a whole installation")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--peer-runs", type=int, default=20, help="runs of cuobjdump, which takes seconds")
    parser.add_argument("--drop-caches", action="store_true", help="drop all caches before each cold run")
    arguments = parser.parse_args()
    library, environment = arguments.library, arguments.environment
    ours = [arguments.gpudoc, "scan", library]
    theirs = [arguments.cuobjdump, "-lelf", library]
    size = os.stat(library).st_size / 2**20
    print(f"{os.path.basename(library)}, {size:.0f} MiB; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| what | runs | median | quartiles | least to most | CPU | peak memory |")
    print("|---|---|---|---|---|---|---|", flush=True)

    run(theirs)  # Warms the cache: it reads everything.
    fast, slow = [], []
    for index in range(max(arguments.runs, arguments.peer_runs)):
        if index < arguments.peer_runs:
            slow.append(run(theirs))
            run(ours)
        if index < arguments.runs:
            fast.append(run(ours))
    ours_median = row("`gpudoc scan`, warm", fast)
    theirs_median = row("`cuobjdump -lelf`, warm", slow)
    forget = drop_caches if arguments.drop_caches else lambda: drop([library])
    row("`gpudoc scan`, cold", [(forget(), run(ours))[1] for _ in range(arguments.runs)])
    run(theirs)
    if environment:
        libraries = [path for path in pathlib.Path(environment).rglob("*.so*") if path.is_file()]
        total = sum(path.stat().st_size for path in libraries) / 2**30
        row("nothing: `gpudoc --version`", [run([arguments.gpudoc, "--version"]) for _ in range(arguments.runs)])
        whole = [arguments.gpudoc, "scan", environment]
        run(whole)
        what = f"`gpudoc scan` of {len(libraries)} libraries, {total:.1f} GiB"
        row(f"{what}, warm", [run(whole) for _ in range(arguments.runs)])
        forget = drop_caches if arguments.drop_caches else lambda: drop(libraries)
        row(f"{what}, cold", [(forget(), run(whole))[1] for _ in range(min(5, arguments.runs))])
    print(f"\ncuobjdump takes {theirs_median / ours_median:.0f} times as long as gpudoc.")


def run(command):
    """Seconds of wall time, seconds of CPU time and peak memory in MiB."""
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    start = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=nowhere)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"failed: {' '.join(command)}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def row(what, runs):
    """Prints one line and returns the median."""
    seconds = sorted(wall for wall, _, _ in runs)
    low, median, high = statistics.quantiles(seconds, n=4) if len(seconds) > 1 else seconds * 3
    times = " | ".join([str(len(runs)), span(median), f"{span(low)} to {span(high)}", f"{span(seconds[0])} to {span(seconds[-1])}"])
    cpu = statistics.median(cpu for _, cpu, _ in runs)
    print(f"| {what} | {times} | {span(cpu)} | {max(memory for _, _, memory in runs):.0f} MiB |", flush=True)
    return median


def span(seconds):
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def drop(paths):
    for path in paths:
        file = os.open(path, os.O_RDONLY)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def drop_caches():
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")


if __name__ == "__main__":
    main()
