#!/usr/bin/env python3
"""Asks uv and pip whether they accept gpudoc's pins.

For each set of requirements and each Python: `gpudoc resolve` writes a constraints file, then `uv pip compile` and
`pip install --dry-run` resolve the whole set, dependencies included, under it. Only the pins of PyPI can be tried
everywhere, so a set whose pins come from another index is skipped and named. Needs the network, uv, and for each Python an
interpreter for pip; where there is none, pip resolves for that Python with wheels alone (markers are then those of the
Python that runs pip, so a failure there says less).

    python3 tests/clients.py --gpudoc target/release/gpudoc
    python3 tests/clients.py --set vllm --python 3.12 --verbose
"""

import argparse
import concurrent.futures
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

# Short lists in the style of the projects they are named after.
SETS = {
    "torch": ["torch"],
    "vision": ["torch", "torchvision", "torchaudio"],
    "nanogpt": ["torch", "numpy", "transformers", "datasets", "tiktoken", "wandb", "tqdm"],
    "whisper": ["torch", "triton>=2", "numpy", "tqdm", "more-itertools", "tiktoken"],
    "segment-anything": ["torch>=2.5.1", "torchvision>=0.20.1", "numpy", "tqdm", "hydra-core", "iopath", "pillow"],
    "comfyui": [
        "torch", "torchsde", "torchvision", "torchaudio", "numpy>=1.25.0", "einops", "transformers>=4.50.3",
        "tokenizers>=0.13.3", "sentencepiece", "safetensors>=0.4.2", "aiohttp>=3.11.8", "pyyaml", "Pillow", "scipy",
        "tqdm", "psutil", "kornia>=0.7.1", "spandrel", "pydantic~=2.0", "soundfile",
    ],
    "diffusers": ["torch", "torchvision", "diffusers", "transformers", "accelerate", "safetensors", "xformers"],
    "qlora": ["torch", "bitsandbytes", "transformers", "peft", "accelerate", "trl", "datasets", "evaluate"],
    "trl": ["trl", "peft", "bitsandbytes", "datasets"],
    "unsloth": ["unsloth"],
    "vllm": ["vllm"],
    "sglang": ["sglang"],
    "lightning": ["torch>=2.1", "lightning", "torchmetrics", "tensorboard"],
    "timm": ["torch", "torchvision", "timm", "huggingface_hub", "safetensors", "pyyaml"],
    "ultralytics": ["ultralytics", "torch>=1.8", "torchvision>=0.9", "opencv-python>=4.6"],
    "sentence-transformers": ["sentence-transformers", "torch", "faiss-cpu"],
    "faster-whisper": ["faster-whisper", "ctranslate2", "onnxruntime-gpu"],
    "torchao": ["torch", "torchao", "torchdata", "transformers"],
    "jax": ["jax[cuda12]", "flax", "optax"],
    "tensorflow": ["tensorflow[and-cuda]"],
    "cupy": ["cupy-cuda12x", "numba", "scipy"],
    "deepspeed": ["torch", "deepspeed", "transformers", "accelerate"],
    "llava": ["torch==2.1.2", "torchvision==0.16.2", "transformers==4.37.2", "peft", "bitsandbytes", "einops==0.6.1"],
    "older-diffusion": ["torch>=2.0,<2.2", "torchvision", "transformers<4.40", "diffusers<0.30", "numpy<2"],
}
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
LIMIT = 420


def run(command, **options):
    """Returns the exit code, the output of both kinds, and the seconds that it took."""
    start = time.monotonic()
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=LIMIT, **options
        )
        return done.returncode, done.stdout, done.stderr, time.monotonic() - start
    except subprocess.TimeoutExpired:
        return -1, "", f"not done after {LIMIT} s", time.monotonic() - start


def interpreter(version):
    """An interpreter of this version, from PATH or pyenv."""
    found = shutil.which(f"python{version}")
    if found and run([found, "-c", ""])[0] == 0:
        return found
    own = sorted(glob.glob(os.path.expanduser(f"~/.pyenv/versions/{version}.*/bin/python")))
    return own[-1] if own else None


def pip_of(version, folder):
    """The words before `install` for pip of this Python, and the options that stand in for a missing interpreter."""
    python = interpreter(version)
    stand_in = [] if python else ["--python-version", version, "--only-binary", ":all:", "--target", "unused"]
    place = os.path.join(folder, f"pip{version}")
    made = run([python or sys.executable, "-m", "venv", place])
    if made[0] != 0:
        sys.exit(f"failed to make an environment for Python {version}: {made[2]}")
    # The newest pip reads metadata without whole wheels.
    run([os.path.join(place, "bin", "python"), "-m", "pip", "install", "--quiet", "--upgrade", "pip"])
    return [os.path.join(place, "bin", "python"), "-m", "pip"], stand_in


def case(name, version, options, pips, folder):
    """One set on one Python: a row of the table, and what was said where something failed."""
    lines = SETS[name]
    stem = os.path.join(folder, f"{name}-{version}")
    with open(stem + ".in", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    target = ["--gpu", options.gpu, "--python", version, "--platform", "linux_x86_64", "--glibc", "2.35"]
    resolve = [options.gpudoc, "resolve", "-r", stem + ".in", *target]
    code, document, said, _ = run([*resolve, "--emit", "json"])
    if code == 1:
        steps = [step["text"] for step in json.loads(document)["proof"]]
        return (name, version, "no solution", "", "", ""), "; ".join(steps)
    if code != 0:
        return (name, version, "gpudoc failed", "", "", ""), said
    packages = json.loads(document)["packages"]
    elsewhere = [f"{row['name']} {row['version']}" for row in packages if row["build"]["index"] != "pypi"]
    if elsewhere:
        return (name, version, "skipped", "", "", ""), "not on PyPI: " + ", ".join(elsewhere)
    run([*resolve, "-o", stem + ".txt"])
    clean = {key: value for key, value in os.environ.items() if key not in ("PIP_FIND_LINKS", "PIP_CONSTRAINT")}
    uv = [options.uv, "pip", "compile", "--quiet", "--no-header", "--python-version", version]
    uv += ["--python-platform", "x86_64-manylinux_2_35", stem + ".in", "-c", stem + ".txt", "-o", stem + ".uv.txt"]
    uv_code, _, uv_said, uv_time = run(uv, env=clean)
    words, stand_in = pips[version]
    sources = [row["citation"].split(" (")[0] for row in packages if ".tar.gz" in row["citation"]]
    pip = [*words, "install", "--dry-run", "--ignore-installed", "--quiet", "-r", stem + ".in", "-c", stem + ".txt"]
    word = {True: "yes", False: "NO"}
    if stand_in and sources:
        # Without an interpreter nothing is built, not even to ask what it needs.
        pip_code, pip_said, pip_time, pip_word = 0, "", 0.0, "-"
    else:
        pip_code, _, pip_said, pip_time = run([*pip, *stand_in], env=clean, cwd=folder)
        pip_word = word[pip_code == 0]
    row = (name, version, "", word[uv_code == 0], pip_word, f"{uv_time:.1f} + {pip_time:.1f}")
    failed = []
    if sources:
        failed.append("from source: " + ", ".join(sources))
    if uv_code != 0:
        failed.append("uv: " + " ".join(uv_said.split()))
    if pip_code != 0:
        failed.append("pip: " + " ".join(pip_said.split()))
    return row, "\n      ".join(failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gpudoc", default="gpudoc")
    parser.add_argument("--uv", default="uv")
    parser.add_argument("--gpu", default="H100", help="the GPU to solve for (no driver: any CUDA will do)")
    parser.add_argument("--set", action="append", choices=sorted(SETS), help="only this one (repeatable)")
    parser.add_argument("--python", action="append", help="only this one (repeatable)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--verbose", action="store_true", help="the reasons in full")
    options = parser.parse_args()
    options.gpudoc = shutil.which(options.gpudoc) or os.path.abspath(options.gpudoc)
    pythons = options.python or PYTHONS
    failures = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        pips = {version: pip_of(version, folder) for version in pythons}
        jobs = [
            pool.submit(case, name, version, options, pips, folder)
            for name in options.set or SETS
            for version in pythons
        ]
        print(f"{'set':22} {'Python':7} {'':14} {'uv':4} {'pip':4} seconds (uv + pip)")
        for job in jobs:
            row, reason = job.result()
            failures += "NO" in row or row[2] == "gpudoc failed"
            print("{:22} {:7} {:14} {:4} {:4} {}".format(*row), flush=True)
            if reason:
                print("      " + (reason if options.verbose else reason[:600]), flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
