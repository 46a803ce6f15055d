#!/usr/bin/env python3
"""Plants faults in real environments, and holds `gpudoc fix --try`, `--apply` and `--undo` to what they promise.

    apply.py --gpudoc target/release/gpudoc --work /tmp/trials [--only KIND|NAME] [--jobs 1]

For each fault of `faults.py`: copy a base environment (see `trials.py`, whose bases are used), plant, note every file with
its bytes; `fix --try`, which must change nothing; `fix --apply --yes`, then ask the truth; `fix --undo --yes`, where it was kept.
After that, as after an `--apply` that was no better, every file must be as it was.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from faults import BASES, FAULTS, Fault
from trials import Env, World, link_tree, run

SECONDS = 900


def state(folder: Path) -> dict[str, str]:
    """Every path below a folder, gpudoc's own copies excepted: what it is, its mode, and its bytes as a hash."""
    found = {}
    for where, folders, files in os.walk(folder):
        if Path(where) == folder and ".gpudoc" in folders:
            folders.remove(".gpudoc")
        for name in folders + files:
            path = Path(where) / name
            mode = oct(path.lstat().st_mode)
            if path.is_symlink():
                found[str(path.relative_to(folder))] = f"{mode} -> {os.readlink(path)}"
            elif path.is_dir():
                found[str(path.relative_to(folder))] = mode
            else:
                found[str(path.relative_to(folder))] = f"{mode} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return found


def difference(before: dict[str, str], after: dict[str, str]) -> list[str]:
    gone = [f"gone: {path}" for path in before if path not in after]
    new = [f"new: {path}" for path in after if path not in before]
    other = [f"other: {path}" for path in before if path in after and before[path] != after[path]]
    return [*gone, *other, *new]


def planted(world: World, fault: Fault, place: Path) -> tuple[Env, dict[str, str | None], dict[str, str | None]]:
    """The environment with the fault in it, and what works in it before and after that."""
    base = BASES[fault.base]
    before = dict(world.base(fault.base))
    for folder in ("home", "cwd"):
        (place / folder).mkdir(parents=True)
    source = world.work / "bases" / fault.base
    link_tree(source, place / "env")
    environ = world.environ(place / "home", base.tiny) | {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(place)}
    env = Env(world, fault.name, place / "env", place / "home", environ, base.prefix)
    for script in (env.path / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            content = script.read_bytes()
            if content[:2] == b"#!" and str(source).encode() in content:
                env.replace(script, content.replace(str(source).encode(), str(env.path).encode()))
                script.chmod(0o755)
    for step in fault.prepare:
        step(env)
    for step in fault.plant:
        step(env)
    return env, before, env.truth({**base.probes, **fault.probes})


def said(out: str, word: str) -> list[str]:
    """What the outcome says under a word, e.g. `result`."""
    return [line[len(word):].strip() for line in out.splitlines() if line.startswith(word)]


def trial(world: World, fault: Fault, keep: bool) -> dict:
    row: dict = {"name": fault.name, "kind": fault.kind, "base": fault.base}
    place = world.work / "trials" / f"apply-{fault.name}"
    shutil.rmtree(place, ignore_errors=True)
    started = time.time()
    try:
        probes = {**BASES[fault.base].probes, **fault.probes}
        env, before, broken = planted(world, fault, place)
        wrong = [name for name in probes if broken[name] is not None and before.get(name) is None]
        at = state(env.path)

        def fix(*options: str) -> tuple[int, str, str]:
            return run([world.gpudoc, "fix", "--python", env.shown, *options], env=env.environ, cwd=env.work, timeout=SECONDS)

        code, out, err = fix("--try")
        row["try"] = {"exit": code, "result": said(out, "result"), "because": said(out, "because")}
        row["try says"] = err[-1500:]
        row["try touched"] = difference(at, state(env.path))[:9]
        row["try left"] = [path.name for path in place.glob("gpudoc-try-*")]
        code, out, err = fix("--apply", "--yes")
        row["apply"] = {"exit": code, "result": said(out, "result"), "because": said(out, "because")}
        row["apply says"] = err[-1500:]
        kept = any("kept" in line for line in row["apply"]["result"])
        now = env.truth(probes)
        row["fixed"] = bool(wrong) and all(now[name] is None for name in wrong) if kept else None
        row["worse"] = [f"{name}: {now[name]}" for name in probes if broken[name] is None and now[name] is not None]
        if kept:
            row["changed"] = len(difference(at, state(env.path)))
            code, out, err = fix("--undo", "--yes")
            row["undo"] = {"exit": code, "says": err[-500:]}
        row["not as it was"] = difference(at, state(env.path))[:9]
        row["agree"] = row["try"]["exit"] == row["apply"]["exit"]
        row["good"] = not row["try touched"] and not row["try left"] and not row["not as it was"] and not row["worse"] and row["agree"]
    except Exception as error:  # a trial that cannot be planted is a row, not the end
        row["invalid"] = f"not planted: {error}"
    row["seconds"] = round(time.time() - started, 1)
    if not keep:
        shutil.rmtree(place, ignore_errors=True)
    return row


def line(row: dict) -> str:
    if "invalid" in row:
        return f"{row['name']:34} invalid: {row['invalid'][:150]}"
    result = "; ".join(row["apply"]["result"]) or "nothing applied"
    why = row["try touched"] + row["not as it was"] + row["worse"] + row["apply"]["because"]
    says = row["apply says"].strip().splitlines()
    why = why or ([] if row["apply"]["result"] else says[-1:])
    fixed = {None: "-", True: "yes", False: "no"}[row["fixed"]]
    good = "good" if row["good"] else "BAD"
    return f"{row['name']:34} {good:5} try {row['try']['exit']} apply {row['apply']['exit']} fixed {fixed:4} {row['seconds']:5.0f} s  {result}  {'; '.join(why)[:160]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpudoc", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", action="append", default=[], metavar="KIND|NAME", help="may be given more than once; globs")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the environments where they are")
    parser.add_argument("--results", type=Path, help="where the rows go (WORK/apply.json)")
    options = parser.parse_args()
    chosen = [f for f in FAULTS if not f.sound and
              (not options.only or any(fnmatch.fnmatch(x, o) for o in options.only for x in (f.name, f.kind)))]
    world = World(options.work, options.gpudoc)
    rows = []

    def one(fault: Fault) -> None:
        row = trial(world, fault, options.keep)
        rows.append(row)
        print(line(row), flush=True)
        (options.results or world.work / "apply.json").write_text(json.dumps(rows, indent=1) + "\n")

    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(one, chosen))
    valid = [row for row in rows if "invalid" not in row]
    kept = [row for row in valid if row["fixed"] is not None]
    print(f"{len(valid)} environments: {len(kept)} kept, {sum(row['fixed'] for row in kept)} of these mended; "
          f"{sum(not row['not as it was'] for row in valid)} as they were in the end, "
          f"{sum(not row['try touched'] for row in valid)} untouched by --try")
    return 0 if all(row["good"] for row in valid) else 1


if __name__ == "__main__":
    sys.exit(main())
