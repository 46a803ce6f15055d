#!/usr/bin/env python3
"""Plants faults in real environments, and holds gpudoc's diagnosis and cure to the truth.

    trials.py --gpudoc target/release/gpudoc --work /tmp/trials [--only KIND|NAME] [--jobs 2]
    trials.py --list
    trials.py --gpudoc … --work … --ci          the small ones: no network, under a minute

For each fault of `faults.py`: copy a base environment (hard links), plant, ask the truth (imports and first calls in
children), run `gpudoc check --python ENV --format json`, run its `plan.commands` in bash to the letter, ask again.
`pip check` and `uv pip check` are asked before the plan, for comparison. Needs `uv`, and PyPI for all but `--ci`.
Nothing outside `--work` is changed, uv's cache excepted, which is filled.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import tiny
from faults import BASES, FAULTS, Base, Fault

PROBE_SECONDS = 150
PLAN_SECONDS = 600
CHECK_CPU_SECONDS = 20  # of the processor, for one `gpudoc check` (it promises a quarter of a second)
KEPT = re.compile(r"^(UV_(CACHE|INDEX|DEFAULT|EXTRA|FIND|SYSTEM_CERTS|NATIVE)|PIP_(CERT|INDEX|EXTRA|FIND|DEFAULT)|SSL_CERT|REQUESTS_CA|CURL_CA|"
                  r"HTTPS?_PROXY|https?_proxy|NO_PROXY|no_proxy|OPENBLAS_|LANG|LC_)")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def run(argv, *, env, cwd, timeout=PLAN_SECONDS, cpu: int = 0) -> tuple[int, str, str]:
    limit = ["/bin/sh", "-c", f'ulimit -t {cpu}; exec "$@"', "sh"] if cpu else []
    try:
        child = subprocess.Popen([*limit, *(str(a) for a in argv)], env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True)
    except OSError as error:
        return 127, "", str(error)
    try:
        out, err = child.communicate(timeout=timeout)
        return child.returncode, out, err
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)  # and what it started
        child.communicate()
        return 124, "", f"no answer within {timeout} s"


def link_tree(source: Path, target: Path, skip=()) -> None:
    """A copy by hard links. Files in it are replaced, never altered in place."""
    for folder, folders, files in os.walk(source):
        here = Path(folder)
        there = target / here.relative_to(source)
        there.mkdir(parents=True, exist_ok=True)
        for name in list(folders):
            if (here / name).is_symlink():
                os.symlink(os.readlink(here / name), there / name)
                folders.remove(name)
            elif name in skip:
                folders.remove(name)
        for name in files:
            if (here / name).is_symlink():
                os.symlink(os.readlink(here / name), there / name)
            else:
                try:
                    os.link(here / name, there / name)
                except OSError:
                    shutil.copy2(here / name, there / name)


def disk_bytes(folder: Path) -> int:
    """What the folder alone takes: files that other folders share (uv's cache) are not counted."""
    seen: dict[int, list[int]] = {}
    for where, _, files in os.walk(folder):
        for name in files:
            stat = os.lstat(os.path.join(where, name))
            entry = seen.setdefault(stat.st_ino, [0, stat.st_nlink, stat.st_blocks * 512])
            entry[0] += 1
    return sum(size for count, links, size in seen.values() if count >= links)


class World:
    """The folder of the trials, its interpreters and its bases."""

    def __init__(self, work: Path, gpudoc: Path | None):
        self.work = work.resolve()
        self.gpudoc = gpudoc.resolve() if gpudoc else None
        self.work.mkdir(parents=True, exist_ok=True)
        self.lock = threading.Lock()
        self.locks: dict[str, threading.Lock] = {}
        self.ready: dict[str, dict[str, str | None]] = {}
        self.bin = self.work / "bin"
        self.bin.mkdir(exist_ok=True)
        self.uv = self._uv()
        self.cache = subprocess.run([self.uv, "cache", "dir"], text=True, capture_output=True).stdout.strip()
        self._link(self.bin / "uv", self.uv)
        shim = self.bin / "pip"  # a bare `pip` is some other Python's: it must not act here
        shim.write_text("#!/bin/sh\necho 'trials: a bare pip is not the pip of the environment' >&2\nexit 1\n")
        shim.chmod(0o755)
        tiny.build(self.work / "wheels")

    @staticmethod
    def _uv() -> str:
        found = shutil.which("uv") or sys.exit("uv is needed on the PATH")
        with open(found, "rb") as file:
            shim = file.read(2) == b"#!"
        if shim and shutil.which("pyenv"):
            found = subprocess.run(["pyenv", "which", "uv"], text=True, capture_output=True).stdout.strip() or found
        return found

    @staticmethod
    def _link(at: Path, to: str | Path) -> None:
        if at.is_symlink() or at.exists():
            at.unlink()
        at.symlink_to(to)

    def environ(self, home: Path, offline: bool) -> dict[str, str]:
        env = {k: v for k, v in os.environ.items() if KEPT.match(k)}
        env |= {
            "PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(home), "UV_CACHE_DIR": self.cache,
            "UV_PYTHON_DOWNLOADS": "never", "UV_LINK_MODE": "hardlink", "UV_NO_PROGRESS": "1",
            "PIP_CACHE_DIR": str(self.work / "pip-cache"), "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore", "PIP_NO_INPUT": "1", "HF_HUB_OFFLINE": "1", "TERM": "dumb",
            "OMP_NUM_THREADS": "2",
        }
        if offline:
            wheels = str(self.work / "wheels")
            # The tiny wheels have the names and versions of real ones: uv's own cache knows others by them.
            env |= {"UV_CACHE_DIR": str(self.work / "tiny-cache"), "UV_OFFLINE": "1", "UV_NO_INDEX": "1", "UV_FIND_LINKS": wheels, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels}
        return env

    def python(self, version: str) -> Path:
        """A copy (hard links) of the interpreter, without its site-packages: trials may do with it what they like."""
        with self.lock:
            copy = self.work / "pythons" / version
            executable = copy / "bin" / f"python{version}"
            if executable.exists():
                return executable
            env = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
            found = subprocess.run([self.uv, "python", "find", "--no-project", "--system", version], text=True, capture_output=True, env=env).stdout.strip()
            if not found:  # pyenv's shims show the chosen version only
                root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
                found = str(next(iter(sorted(root.glob(f"versions/{version}*/bin/python{version}"))), ""))
            if not found:
                raise RuntimeError(f"no Python {version} here")
            prefix = subprocess.run([found, "-c", "import sys; print(sys.base_prefix)"], text=True, capture_output=True).stdout.strip()
            if prefix == "/usr":
                return Path(found)
            skip = {"site-packages", "test", "idlelib", "tkinter", "__pycache__", "share", "include"}
            link_tree(Path(prefix), copy, skip)
            (copy / "lib" / f"python{version}" / "site-packages").mkdir(exist_ok=True)
            self._link(self.bin / f"python{version}", executable)
            return executable

    def base(self, name: str) -> dict[str, str | None]:
        """Builds a base once; returns what its probes answer (None: works)."""
        with self.lock:
            lock = self.locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self.ready:
                self.ready[name] = self._build(name, BASES[name])
            return self.ready[name]

    def _build(self, name: str, base: Base) -> dict[str, str | None]:
        at = self.work / "bases" / name
        done = at.with_suffix(".json")
        wheels = Path(tiny.__file__).read_text() if base.tiny else None
        spec = json.dumps([base.python, base.requirements, base.probes, base.pip, base.installer, *([wheels] if wheels else [])])
        if at.exists() and done.exists():
            known = json.loads(done.read_text())
            if known["spec"] == spec:
                return known["probes"]
        shutil.rmtree(at, ignore_errors=True)
        if base.tiny:
            shutil.rmtree(self.work / "tiny-cache", ignore_errors=True)
        home = self.work / "homes" / "base"
        home.mkdir(parents=True, exist_ok=True)
        env = self.environ(home, base.tiny)
        started = time.time()

        def must(*argv):
            code, out, err = run(argv, env=env, cwd=home, timeout=1800)
            if code:
                raise RuntimeError(f"base {name}: {' '.join(map(str, argv))}\n{out}{err}")

        if base.prefix:
            source = self.python(base.python)
            if source.parent.parent == Path("/usr"):
                raise RuntimeError(f"no relocatable Python {base.python} here")
            link_tree(source.parent.parent, at)
            python = at / "bin" / f"python{base.python}"
            for one in ("python", "python3"):
                self._link(at / "bin" / one, python.name)
            must(python, "-m", "ensurepip", "--upgrade")
            for script in (at / "bin").glob("*"):
                if script.is_file() and not script.is_symlink() and script.read_bytes()[:2] == b"#!" and not script.name.startswith("pip"):
                    script.unlink()
        elif base.tiny:
            must(self.uv, "venv", "--python", sys.executable, at)
            python = at / "bin" / "python"
        else:
            # `uv venv` would look for uv's own wheels of pip: PyPI or its cache.
            must(self.uv, "venv", *(["--seed"] if base.pip else []), "--python", self.python(base.python), at)
            python = at / "bin" / "python"
        if base.installer == "pip":
            must(python, "-m", "pip", "install", *base.requirements)
        else:
            must(self.uv, "pip", "install", "--compile-bytecode", "--python", python, *base.requirements)
        truth = Env(self, name, at, home, env).truth(base.probes)
        done.write_text(json.dumps({"spec": spec, "probes": truth, "seconds": round(time.time() - started, 1)}))
        return truth


class Env:
    """An environment of a trial, and what may be done to it."""

    def __init__(self, world: World, name: str, path: Path, home: Path, environ: dict[str, str], prefix: bool = False):
        self.world, self.name, self.path, self.home, self.environ, self.prefix = world, name, path, home, environ, prefix
        self.beside = path.parent
        self.work = home.parent / "cwd" if home.name == "home" else home
        self.pin_site()

    def pin_site(self) -> None:
        self.site = next(iter(sorted(self.path.glob("lib/python3.*/site-packages"))))
        self.stdlib = self.site.parent

    @property
    def python(self) -> Path:
        return self.path / "bin" / ("python3" if self.prefix else "python")

    @property
    def shown(self) -> Path:
        """What one gives to `--python`."""
        return self.python if self.prefix else self.path

    # -- steps

    def fill(self, text: str) -> str:
        return text.format(env=self.path, home=self.home, work=self.work, beside=self.beside)

    def must(self, *argv) -> None:
        code, out, err = run(argv, env=self.environ, cwd=self.work)
        if code:
            raise RuntimeError(f"{' '.join(map(str, argv))}: {(out + err)[-1500:]}")

    def uv(self, command: str, *arguments: str) -> None:
        self.must(self.world.uv, "pip", command, "--quiet", "--python", self.python, *arguments)

    def pip(self, *arguments: str) -> None:
        self.must(self.python, "-m", "pip", "--quiet", *arguments)

    def find(self, pattern: str) -> list[Path]:
        found = sorted(self.site.glob(pattern))
        if not found:
            raise RuntimeError(f"nothing matches {pattern}")
        return found

    def replace(self, path: Path, content: bytes) -> None:
        """Writes a file of its own: the hard link to the base and to uv's cache is given up first."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or path.exists():
            path.unlink()
        path.write_bytes(content)

    def move(self) -> None:
        old = self.path
        self.path = old.with_name("moved")
        old.rename(self.path)
        self.pin_site()

    def through_symlink(self) -> None:
        real = self.path.with_name("real")
        self.path.rename(real)
        self.path.symlink_to(real)

    def _interpreter(self, executable: Path, version: str) -> None:
        self.world._link(self.path / "bin" / "python", executable)
        cfg = (self.path / "pyvenv.cfg").read_text()
        cfg = re.sub(r"(?m)^home = .*", f"home = {executable.parent}", cfg)
        cfg = re.sub(r"(?m)^version_info = .*", f"version_info = {version}", cfg)
        self.replace(self.path / "pyvenv.cfg", cfg.encode())

    def dangle(self) -> None:
        self._interpreter(self.beside / "python-3.11.1" / "bin" / "python3.11", "3.11.1")

    def change_interpreter(self, to: str, rename: bool) -> None:
        self._interpreter(self.world.python(to), to)
        if rename:
            self.stdlib.rename(self.stdlib.with_name(f"python{to}"))
            self.pin_site()

    def copy_over(self, name: str) -> None:
        source = self.beside / "lib" / name
        for path in source.rglob("*"):
            if path.is_file():
                self.replace(self.site / name / path.relative_to(source), path.read_bytes())

    def break_user(self, relative: str) -> None:
        for path in self.home.glob(f".local/lib/python3.*/site-packages/{relative}"):
            self.replace(path, b"")

    def over_system(self, *requirements: str, deps: bool = False) -> None:
        venv = self.beside / "venv"
        self.must(self.python, "-m", "venv", "--system-site-packages", "--without-pip", venv)
        self.path, self.prefix = venv, False
        self.pin_site()
        self.uv("install", *([] if deps else ["--no-deps"]), *requirements)

    # -- truth

    def fingerprint(self) -> int:
        """Changes whenever a file of the environment does, or one of the folders that stand in front of it."""
        found = []
        for where, _, files in (place for top in (self.path, self.work, self.home) for place in os.walk(top)):
            for name in files:
                stat = os.lstat(os.path.join(where, name))
                found.append((where, name, stat.st_ino, stat.st_size, stat.st_mtime_ns))
        return hash(tuple(sorted(found)))

    def truth(self, probes: dict[str, str], python: Path | None = None, environ: dict[str, str] | None = None,
              cwd: Path | None = None) -> dict[str, str | None]:
        """For each probe None if it works, else the last line of what it said.

        All are asked in one child first, which shares their imports; what fails there is asked again in a child of its own.
        """
        python, cwd = python or self.python, cwd or self.work
        answers: dict[str, str | None] = {name: "not asked" for name in probes}
        codes = {name: code for name, code in probes.items() if not code.startswith("#!")}

        def child(argv):
            return run(argv, env=environ or self.environ, cwd=cwd, timeout=PROBE_SECONDS)

        if len(codes) > 1:
            said = self.beside / f"answers-{self.name}"
            said.write_text("")
            child([python, "-W", "ignore", "-c",
                   f"for _name, _code in {list(codes.items())!r}:\n"
                   "    try:\n        exec(_code, {'__name__': '__main__'})\n    except BaseException:\n        continue\n"
                   f"    with open({str(said)!r}, 'a') as _file: _file.write(_name + chr(10))\n"])
            for name in said.read_text().split():
                answers[name] = None
        for name, code in probes.items():
            if answers[name] is None:
                continue
            first, *rest = code[2:].split() if code.startswith("#!") else ("", )
            argv = [python.parent / first, *rest] if first else [python, "-W", "ignore", "-c", code]
            rc, out, err = child(argv)
            lines = [line for line in (err + out).splitlines() if line.strip()]
            answers[name] = None if rc == 0 else f"[{rc}] {lines[-1][:300] if lines else ''}"
        return answers


# ------------------------------------------------------------------ judging


def about(finding: dict, names: set[str]) -> bool:
    title = finding.get("title", "")
    packages = {canonical(p) for p in finding.get("packages", [])}
    for name in names:
        if name.startswith("kind:"):
            if finding.get("kind") == name[5:]:
                return True
        elif name.startswith("word:"):
            if name[5:].lower() in title.lower():
                return True
        elif canonical(name) in packages or re.search(rf"(?<![\w-]){re.escape(canonical(name))}(?![\w-])", re.sub(r"[_.]+", "-", title.lower())):
            return True
    return False


def judge(fault: Fault, report: dict, row: dict) -> None:
    findings = [f for f in report.get("findings", []) if f.get("severity") in ("fail", "warn")]
    row["verdict"] = report.get("verdict")
    row["findings"] = [f"{f['severity']} {f['id']}: {f['title']}" for f in findings]
    weight = {"fail": 1, "warn": .5}
    right = [weight[f["severity"]] for f in findings if about(f, fault.names)]
    row["seen"] = max(right, default=0)
    row["first"] = bool(findings) and about(findings[0], fault.names)
    row["caught"] = weight[findings[0]["severity"]] if row["first"] else 0
    if fault.sound:
        row["alarm"] = row["verdict"] in ("fail", "warn")


def new_venv(plan: dict, cwd: Path) -> Path | None:
    """A venv that the plan itself makes: the truth is asked there."""
    for argv in plan.get("argv") or []:
        rest = argv[argv.index("venv") + 1:] if "venv" in argv else []
        skip = False
        for word in rest:
            if skip:
                skip = False
            elif word in ("--python", "-p", "--prompt"):
                skip = True
            elif not word.startswith("-"):
                return (cwd / word).absolute()
    if not plan.get("argv"):
        for line in plan.get("commands") or []:
            if match := re.search(r"\bvenv\s+(?:-\S+\s+)*([^-\s]\S*)", line):
                return (cwd / match[1].strip("'\"")).absolute()
    return None


def trial(world: World, fault: Fault, keep: bool) -> dict:
    row: dict = {"name": fault.name, "kind": fault.kind, "base": fault.base, "latent": fault.latent, "sound": fault.sound, "note": fault.note}
    started = time.time()
    base = BASES[fault.base]
    place = world.work / "trials" / fault.name
    shutil.rmtree(place, ignore_errors=True)
    try:
        before = dict(world.base(fault.base))
        for folder in ("home", "cwd"):
            (place / folder).mkdir(parents=True)
        environ = world.environ(place / "home", base.tiny)
        source = world.work / "bases" / fault.base
        link_tree(source, place / "env")
        env = Env(world, fault.name, place / "env", place / "home", environ, base.prefix)
        for script in (env.path / "bin").iterdir():  # a venv is not moved by copying it
            if script.is_file() and not script.is_symlink():
                content = script.read_bytes()
                if content[:2] == b"#!" and str(source).encode() in content:
                    env.replace(script, content.replace(str(source).encode(), str(env.path).encode()))
                    script.chmod(0o755)
        probes = {**base.probes, **fault.probes}
        for step in fault.prepare:
            step(env)
        if fault.prepare:
            before = env.truth(probes)
        elif not fault.sound and fault.probes:
            before |= env.truth(fault.probes)
        for step in fault.plant:
            step(env)
        planted = env.truth(probes)
        broken = [name for name in probes if planted[name] is not None and (before.get(name) is None or fault.latent)]
        row["broken"] = {name: planted[name] for name in broken}
        if fault.sound:
            bad = {k: v for k, v in planted.items() if v is not None}
            row["invalid"] = f"a sound environment that does not work: {bad}" if bad else None
        else:
            bad = {k: v for k, v in before.items() if v is not None and not fault.latent}
            row["invalid"] = (f"did not work before: {bad}" if bad else
                              "nothing broke" if not broken and not fault.latent else None)

        code, out, err = run([env.python, "-m", "pip", "check"], env=env.environ, cwd=env.work)
        if "No module named pip" in err:
            row["pip check"] = None
        else:
            row["pip check"] = code != 0 and (fault.sound or about({"title": (out + err).replace(str(place), "")}, fault.names))
        code, out, err = run([world.uv, "pip", "check", "--python", env.python], env=env.environ, cwd=env.work)
        row["uv pip check"] = code != 0 and (fault.sound or about({"title": (err + out).replace(str(place), "")}, fault.names))

        reports = world.work / "reports"
        reports.mkdir(exist_ok=True)
        asked = time.time()
        code, out, err = run([world.gpudoc, "check", "--python", env.shown, "--format", "json"], env=env.environ, cwd=env.work,
                             cpu=CHECK_CPU_SECONDS)
        row["check seconds"] = round(time.time() - asked, 2)
        (reports / f"{fault.name}.json").write_text(out)
        text = "" if code < 0 else run([world.gpudoc, "check", "--python", env.shown], env=env.environ, cwd=env.work, cpu=CHECK_CPU_SECONDS)[1]
        (reports / f"{fault.name}.txt").write_text(text)
        row["lines"] = len(text.splitlines())
        row["exit"] = code
        try:
            report = json.loads(out)
        except ValueError:
            report = {"verdict": "no answer" if code in (-9, -24) else "error", "findings": []}
            row["error"] = (out + err)[-500:]
        judge(fault, report, row)

        plan = report.get("plan") or {}
        commands = plan.get("commands") or []
        row["plan"] = commands
        row["plan verified"] = plan.get("verified")
        row["fixed"], row["worse"] = None if not broken else False, []
        if commands and not (fault.sound and not row["alarm"]):
            after_env = place / "after.env"
            script = "trap 'echo \"[exit $?] $BASH_COMMAND\" >&2' ERR\n" + "\n".join(commands)
            script += f"\ntrap - ERR\n/usr/bin/env -0 > '{after_env}'\npwd > '{after_env}.cwd'\n"
            (reports / f"{fault.name}.plan.sh").write_text(script)
            print_before = env.fingerprint()
            code, out, err = run(["/bin/bash", reports / f"{fault.name}.plan.sh"], env=env.environ, cwd=env.work)
            (reports / f"{fault.name}.plan.log").write_text(out + err)
            row["plan failed"] = [line[:300] for line in err.splitlines() if line.startswith("[exit ")] or (["timeout"] if code == 124 else [])
            row["unreachable"] = bool(re.search(r"download\.pytorch\.org|pypi\.nvidia\.com|storage\.googleapis\.com|github\.com", err + out)
                                      and row["plan failed"])
            later, where, python = env.environ, env.work, None
            if after_env.exists():
                later = dict(item.split("=", 1) for item in after_env.read_text().split("\0") if "=" in item)
                where = Path(Path(f"{after_env}.cwd").read_text().strip())
            venv = new_venv(plan, where)
            if venv and (venv / "bin" / "python").exists() and venv != env.path:
                python = venv / "bin" / "python"
                row["new venv"] = str(venv)
            changed = env.fingerprint() != print_before or python or {**later, "_": "", "SHLVL": "", "PWD": "", "OLDPWD": ""} != {
                **env.environ, "_": "", "SHLVL": "", "PWD": "", "OLDPWD": ""} or where != env.work
            after = env.truth(probes, python, later, where) if changed else planted
            row["after"] = {k: v for k, v in after.items() if v is not None}
            if broken:
                row["fixed"] = all(after[name] is None for name in broken)
            row["worse"] = [f"{k}: {v}" for k, v in after.items() if planted[k] is None and v is not None]
            _, out, _ = run([world.gpudoc, "check", "--python", env.shown, "--format", "json"], env=later, cwd=where, cpu=CHECK_CPU_SECONDS)
            try:
                row["verdict after"] = json.loads(out)["verdict"]
            except (ValueError, KeyError):
                row["verdict after"] = "error"
    except Exception as error:  # a trial that cannot be planted is a row, not the end
        row["invalid"] = f"not planted: {error}"
        row["trace"] = traceback.format_exc(limit=4)
    row["seconds"] = round(time.time() - started, 1)
    if not keep:
        shutil.rmtree(place, ignore_errors=True)
    return row


# ------------------------------------------------------------------ results


def mark(value) -> str:
    return {None: "-", True: "yes", False: "no", 1: "1", .5: "½", 0: "0"}.get(value, str(value))


def table(rows: list[dict]) -> str:
    lines = [f"{'name':34} {'caught':6} {'seen':4} {'first':5} {'fixed':5} {'worse':5} {'pip':4} {'uv':4} {'s':>5}  note"]
    for row in rows:
        if row.get("invalid"):
            lines.append(f"{row['name']:34} invalid: {row['invalid'][:150]}")
            continue
        if row["sound"]:
            lines.append(f"{row['name']:34} {'ALARM' if row['alarm'] else 'silent':17} {'':5} {'':5} {mark(row['pip check']):4} "
                         f"{mark(row['uv pip check']):4} {row['seconds']:5.0f}  {'; '.join(row['findings'])[:90] if row['alarm'] else ''}")
            continue
        note = "" if row["caught"] == 1 else "; ".join(row["findings"])[:90] or f"verdict {row['verdict']}"
        if row["caught"] and row["fixed"] is False:
            note = "no plan" if not row["plan"] else "; ".join(row.get("plan failed") or list((row.get("after") or {}).values()))[:90]
        lines.append(f"{row['name']:34} {mark(row['caught']):6} {mark(row['seen']):4} {mark(row['first']):5} {mark(row['fixed']):5} "
                     f"{mark(bool(row['worse'])):5} {mark(row['pip check']):4} {mark(row['uv pip check']):4} {row['seconds']:5.0f}  {note}")
    return "\n".join(lines)


def totals(rows: list[dict]) -> dict:
    valid = [r for r in rows if not r.get("invalid")]
    faults, sounds = [r for r in valid if not r["sound"]], [r for r in valid if r["sound"]]

    def of(some: list[dict]) -> dict:
        caught = [r for r in some if r["caught"]]
        judged = [r for r in caught if r["fixed"] is not None]
        return {
            "faults": len(some), "caught": sum(r["caught"] for r in some), "seen": sum(r["seen"] for r in some),
            "first": sum(r["first"] for r in some), "fixed": sum(bool(r["fixed"]) for r in judged), "of": len(judged),
            "fixed in all": sum(bool(r["fixed"]) for r in some),
            "worse": sum(bool(r["worse"]) for r in some), "pip check": sum(bool(r["pip check"]) for r in some),
            "uv pip check": sum(bool(r["uv pip check"]) for r in some), "seconds": round(sum(r["seconds"] for r in some)),
        }

    kinds = {k: of([r for r in faults if r["kind"] == k]) for k in dict.fromkeys(r["kind"] for r in faults)}
    return {
        "kinds": kinds, "all": of(faults), "invalid": [r["name"] for r in rows if r.get("invalid")],
        "sound": {"environments": len(sounds), "alarms": [r["name"] for r in sounds if r["alarm"]],
                  "pip check": [r["name"] for r in sounds if r["pip check"]],
                  "uv pip check": [r["name"] for r in sounds if r["uv pip check"]],
                  "worse": [r["name"] for r in sounds if r["worse"]]},
    }


def totals_table(sums: dict) -> str:
    columns = ["faults", "caught", "seen", "first", "fixed", "of", "worse", "pip check", "uv pip check", "seconds"]
    lines = ["| kind | " + " | ".join(columns) + " |", "|" + "---|" * (len(columns) + 1)]
    for kind, one in [*sums["kinds"].items(), ("**all**", sums["all"])]:
        lines.append(f"| {kind} | " + " | ".join(f"{one[c]:g}" for c in columns) + " |")
    sound = sums["sound"]
    lines.append("")
    lines.append(f"Sound: {sound['environments']}, alarms {len(sound['alarms'])} ({', '.join(sound['alarms']) or 'none'}); "
                 f"pip check alarms {len(sound['pip check'])} ({', '.join(sound['pip check']) or 'none'}), "
                 f"uv pip check {len(sound['uv pip check'])} ({', '.join(sound['uv pip check']) or 'none'}).")
    lines.append(f"Invalid: {', '.join(sums['invalid']) or 'none'}.")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpudoc", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--only", action="append", default=[], metavar="KIND|NAME", help="may be given more than once; globs")
    parser.add_argument("--ci", action="store_true", help="the small ones only; exit 1 unless all are caught and fixed, and sound ones silent")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the environments of the trials where they are")
    parser.add_argument("--results", type=Path, help="where the rows go (WORK/results.json)")
    parser.add_argument("--merge", action="store_true", help="rows of an earlier results file that are not run again stay")
    parser.add_argument("--resume", action="store_true", help="as --merge, and only what has no valid row yet is run")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()

    chosen = [f for f in FAULTS if (not options.ci or f.ci) and
              (not options.only or any(fnmatch.fnmatch(x, o) for o in options.only for x in (f.name, f.kind)))]
    if options.list:
        for f in chosen:
            print(f"{f.kind:18} {f.base:10} {f.name:34} {'latent ' if f.latent else ''}{f.note}")
        print(f"{sum(not f.sound for f in chosen)} faults, {sum(f.sound for f in chosen)} sound")
        return 0
    if not options.gpudoc or not options.work:
        parser.error("--gpudoc and --work are needed")
    world = World(options.work, options.gpudoc)
    started, free = time.time(), shutil.disk_usage(options.work).free
    results = options.results or world.work / "results.json"
    earlier = json.loads(results.read_text()) if (options.merge or options.resume) and results.exists() else {"rows": [], "totals": {}}
    by_name = {row["name"]: row for row in earlier["rows"]}
    if options.resume:
        chosen = [f for f in chosen if f.name not in by_name or by_name[f.name].get("invalid")]

    def one(fault: Fault) -> dict:
        row = trial(world, fault, options.keep)
        print(table([row]).splitlines()[-1], flush=True)
        with world.lock:
            by_name[fault.name] = row
            results.write_text(json.dumps({"totals": earlier["totals"], "rows": list(by_name.values())}, indent=1) + "\n")
        return row

    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(one, chosen))
    rows = [by_name[f.name] for f in FAULTS if f.name in by_name]
    sums = totals(rows)
    sums["wall seconds"] = round(time.time() - started)
    sums["gb in work"] = round(disk_bytes(world.work) / 1e9, 2)
    sums["gb less free"] = round((free - shutil.disk_usage(options.work).free) / 1e9, 2)
    results.write_text(json.dumps({"totals": sums, "rows": rows}, indent=1) + "\n")
    print("\n" + table(rows) + "\n\n" + totals_table(sums))
    print(f"{sums['wall seconds']} s; {sums['gb in work']} GB in {options.work} beside uv's cache, disk {sums['gb less free']} GB fuller")
    if options.ci:
        later = {f.name: f.later for f in chosen if f.later}
        for name, why in later.items():
            print(f"trials: {name} is not asked for yet: {why}")
        good = not sums["invalid"] and not sums["sound"]["alarms"] and all(
            r["sound"] or r["name"] in later or (r["caught"] == 1 and r["fixed"]) for r in rows)
        print(f"{sum(not r.get('invalid') for r in rows)} passed, {len(sums['invalid'])} failed" if good else "trials: not all are caught, fixed and silent")
        return 0 if good else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
