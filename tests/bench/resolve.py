#!/usr/bin/env python3
"""How long `gpudoc resolve` takes, from start to file, beside `uv pip compile` with a warm cache on the same list.

    python3 tests/bench/resolve.py target/release/gpudoc [uv] [RUNS]

Prints the median of each in milliseconds, the largest memory of a run, and how many times faster. uv needs a network for its
first run; what the runs after it ask the index for is part of its time, as it is for whoever uses it.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TWENTY = """torch torchvision torchaudio xformers bitsandbytes transformers accelerate peft diffusers trl
numpy setuptools triton torchao torchcodec deepspeed onnxruntime-gpu ctranslate2 faster-whisper torchdata""".split()
TARGET = ["--gpu", "H100", "--driver", "580.65.06", "--python", "3.12", "--glibc", "2.39"]
GPUS = "H100,A100,L4,RTX 4090,RTX 3090,A10,L40S,H200,T4,A6000".split(",")
DRIVERS = "580.65.06,570.133.20,550.120,535.183.01,580.95.05,570.86.15,560.35.03,575.57.08,550.54.15,545.23.08".split(",")


def run(command, code=0):
    """Wall time in seconds and largest memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    found = os.waitstatus_to_exitcode(status)
    if found != code:
        sys.exit(f"{' '.join(command)} ended with {found}")
    return wall, usage.ru_maxrss / 1024


def row(name, command, runs, code=0):
    run(command, code)
    taken = [run(command, code) for _ in range(runs)]
    wall = statistics.median(wall for wall, _ in taken)
    print(f"{name:42} {wall * 1000:9.1f} ms  {max(memory for _, memory in taken):6.1f} MiB  best {min(taken)[0] * 1000:.1f} ms")
    return wall


def main():
    gpudoc = str(Path(sys.argv[1]).resolve())
    uv = sys.argv[2] if len(sys.argv) > 2 else None
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("requirements.in").write_text("\n".join(TWENTY) + "\n")
        targets = [
            f'[target.t{at}]\ngpu = ["{gpu}"]\ndriver = "{driver}"\npython = "3.{10 + at % 3}"\n'
            for at, (gpu, driver) in enumerate(zip(GPUS, DRIVERS))
        ]
        Path("gpudoc.toml").write_text("\n".join(targets))
        own = row("resolve, 20 requirements", [gpudoc, "resolve", "-r", "requirements.in", "-o", "out.txt", *TARGET], runs)
        row("resolve, ten targets, one file", [gpudoc, "resolve", "-r", "requirements.in", "-o", "out.txt", "--all-targets"], runs)
        clash = ["torch==2.6.0", "triton<3"]
        row("no solution, 2 lines against each other", [gpudoc, "resolve", "-r", "requirements.in", *clash, *TARGET], runs, 1)
        row("no solution, ten targets", [gpudoc, "resolve", "-r", "requirements.in", "torch==2.15.0", "--all-targets"], runs, 1)
        if uv:
            command = [uv, "pip", "compile", "-q", "requirements.in", "--python-version", "3.12", "-o", "uv.txt"]
            command += ["--python-platform", "x86_64-manylinux_2_39"]
            asks = row("uv pip compile, warm cache", command, max(runs // 4, 3))
            cached = row("uv pip compile --offline, warm cache", [*command, "--offline"], runs)
            print(f"uv / gpudoc: {asks / own:.0f} times, {cached / own:.0f} times where uv asks nobody")


if __name__ == "__main__":
    main()
