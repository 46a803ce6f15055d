#!/usr/bin/env python3
"""How long `gpudoc lint` takes over a repository of 200 files, and over one file as a pre-commit hook does.

    python3 tests/bench/lint.py target/release/gpudoc [RUNS]

The repository is made anew each time, from a fixed seed: requirements, constraints, pyproject.toml, Dockerfiles, workflows,
compose files, environments and scripts, as teams write them, for three targets; one in eight has something wrong. Its peer is
`git ls-files`, which is what finding the files costs. Prints medians and the best in milliseconds.
"""

import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOML = """[target.train]
gpu = ["H100"]
driver = "570.133.20"
python = "3.12"
[target.serve]
gpu = ["L4"]
driver = "550.120"
python = "3.11"
[target.desk]
gpu = ["RTX 4090"]
driver = "580.95.05"
python = "3.12"
"""
GOOD = ["torch==2.6.0", "torch>=2.6,<2.9", "torch", "torch==2.7.1", "torch~=2.6.0"]
BAD = ["torch==2.6.0\ntriton<3", "torch==2.6.0\ntorchvision==0.20.0", "bitsandbytes==0.45.0\ntorch==2.7.1"]
OTHERS = """numpy requests tqdm pyyaml transformers>=4.48 accelerate datasets pillow einops safetensors scipy pandas
fastapi uvicorn pydantic>=2 wandb matplotlib peft huggingface_hub sentencepiece tokenizers rich typer""".split()
IMAGES = ["nvidia/cuda:12.4.1-devel-ubuntu22.04", "nvidia/cuda:12.6.3-runtime-ubuntu22.04", "python:3.12-slim"]


def lines(random, wrong):
    first = random.choice(BAD if wrong else GOOD)
    return [*first.split("\n"), *sorted(random.sample(OTHERS, random.randint(4, 12)))]


def content(random, kind, wrong):
    wanted = lines(random, wrong)
    install = "pip install " + " ".join(f'"{line}"' for line in wanted)
    if kind in ("requirements.txt", "constraints.txt"):
        return "# what this part needs\n" + "\n".join(wanted) + "\n"
    if kind == "pyproject.toml":
        names = ",\n".join(f'  "{line}"' for line in wanted)
        return f'[project]\nname = "part"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = [\n{names},\n]\n'
    if kind == "Dockerfile":
        return f"FROM {random.choice(IMAGES)}\nRUN apt-get update && apt-get install -y git\nRUN {install}\nCOPY . /app\n"
    if kind == ".github/workflows/test.yml":
        return f"on: push\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: {install}\n      - run: pytest\n"
    if kind == "docker-compose.yml":
        return "services:\n  app:\n    image: ghcr.io/team/app:1\n    environment:\n      - CUDA_VISIBLE_DEVICES=0\n"
    if kind == "environment.yml":
        pip = "\n".join(f"      - {line}" for line in wanted)
        return f"name: part\nchannels: [conda-forge]\ndependencies:\n  - python=3.12\n  - pip\n  - pip:\n{pip}\n"
    return f"#!/bin/sh\nset -e\n{install}\npython train.py\n"


KINDS = (["requirements.txt"] * 8 + ["constraints.txt", "pyproject.toml", "pyproject.toml", "Dockerfile", "Dockerfile"]
         + [".github/workflows/test.yml", "docker-compose.yml", "environment.yml", "setup.sh"])


def make(folder, count):
    seeded = random.Random(20261121)
    (folder / "gpudoc.toml").write_text(TOML)
    for number in range(count - 1):
        kind = KINDS[number % len(KINDS)]
        path = folder / f"part{number:03}" / kind
        path.parent.mkdir(parents=True)
        path.write_text(content(seeded, kind, number % 8 == 5))
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)


def row(name, command, folder, runs):
    taken = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        done = subprocess.run(command, cwd=folder, capture_output=True)
        taken.append((time.perf_counter() - start) * 1000)
    said = done.stdout.decode().strip().split("\n")[-1][:90]
    print(f"{name:34} median {statistics.median(taken[1:]):7.1f} ms  best {min(taken[1:]):7.1f} ms  exit {done.returncode}  {said}")


def main():
    gpudoc = str(Path(sys.argv[1]).resolve())
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make(folder, 200)
        row("lint, 200 files", [gpudoc, "lint"], folder, runs)
        row("lint --format sarif, 200 files", [gpudoc, "lint", "--format", "sarif"], folder, runs)
        row("lint of one file (the hook)", [gpudoc, "lint", "part000/requirements.txt"], folder, runs)
        row("git ls-files", ["git", "ls-files"], folder, runs)


if __name__ == "__main__":
    main()
