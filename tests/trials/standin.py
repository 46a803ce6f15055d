#!/usr/bin/env python3
"""Are gpudoc's plans installed as they are printed? Tried with pip and uv against an index laid out like PyTorch's.

    standin.py GPUDOC INPUT... [--tools pip,uv] [--verbose]

An INPUT is a report or snapshot (`check --from`), a case whose report is under `report`, or a recorded host (a folder: `check --root`). For each that gets a plan with packages: an environment with tiny wheels under the
real names, versions and requirements is made, the plan's commands are run in it with only the address of the index changed, and
what is there afterwards is compared with what the plan says: each requirement with its local label, and no requirement of the
stack unmet that was met before.

The stand-in has PyTorch's layout: `/simple/` is the default index, whose torch carries no local label in its name, and
`/whl/LABEL/` holds the labelled builds, the NVIDIA wheels and, of common packages, one release only, as a mirror does. Releases
and requirements are those of the rules (`gpudoc rules show NAME --format json`); of packages that the rules do not cover, the
versions that somebody asks for. No network is used. Standard library, pip and uv only.
"""
import argparse, base64, concurrent.futures, csv, hashlib, http.server, io, json, os, re, shutil, subprocess, sys, tempfile, threading, zipfile

PYTORCH = "https://download.pytorch.org/whl/"
# Common packages of which PyTorch's index has a release or two.
MIRRORED = {"numpy": "2.1.2", "pillow": "11.0.0", "requests": "2.32.3", "filelock": "3.19.1", "jinja2": "3.1.6", "networkx": "3.5",
            "sympy": "1.14.0", "fsspec": "2025.9.0", "typing-extensions": "4.15.0", "tqdm": "4.66.5", "packaging": "24.1", "setuptools": "70.2.0"}


def norm(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_of(line):
    """(name, versions that the line's specifiers mention) of a requirement line."""
    name = re.match(r"[A-Za-z0-9._-]+", line).group()
    body = line[len(name):].split(";")[0]
    return norm(name), re.findall(r"(?:==|>=|~=|<=)\s*([0-9][A-Za-z0-9.!]*)(?!\S*\*)", body)


class Catalogue:
    """What can be installed: the rules' builds, and versions that somebody mentions."""

    def __init__(self, gpudoc):
        self.gpudoc, self.rows, self.mentioned, self.lock = gpudoc, {}, {}, threading.RLock()

    def mention(self, line):
        name, versions = asked_of(line)
        with self.lock:
            self.mentioned.setdefault(name, set()).update(versions)

    def builds(self, name):
        """[(index, version, label, requires)]: of releases with builds for Linux on x86_64, or for any platform."""
        with self.lock:
            if name not in self.rows:
                answer = subprocess.run([self.gpudoc, "rules", "show", name, "--format", "json"], capture_output=True, text=True)
                rows = []
                if answer.returncode == 0:
                    for build in json.loads(answer.stdout).get("builds", []):
                        if build["platform"] in ("linux_x86_64", "any"):
                            public = build["version"].split("+")[0]
                            rows.append((build["index"], public, build["local"], build["requires"] or []))
                self.rows[name] = rows
                for line in (line for row in rows for line in row[3]):
                    self.mention(line)
            return self.rows[name]

    def requires(self, name, version, label=None):
        rows = [row for row in self.builds(name) if row[1] == version]
        same = [row for row in rows if row[2] == label]
        return (same or rows or [(0, 0, 0, [])])[0][3]

    def files(self, index, name):
        """{version as the file is named: (label that its module tells, requires)} of one index, `simple` or a label."""
        out = {}
        for where, public, label, requires in self.builds(name):
            if index == "simple" and where == "pypi":
                out[public] = (label, requires)
            elif index != "simple" and where == index:
                out[f"{public}+{label}" if label else public] = (label, requires)
            elif index != "simple" and name.startswith("nvidia-") or name in ("triton", "pytorch-triton"):
                out.setdefault(public, (None, requires))
        if index != "simple" and name in MIRRORED:
            return {MIRRORED[name]: (None, [])}
        if not self.builds(name) and (index == "simple" or name.startswith("nvidia-")):
            with self.lock:
                for version in sorted(self.mentioned.get(name) or {"1.0"}):
                    out[version] = (None, [])
        return out


def contents(name, version, label, requires):
    """(path, bytes) of a tiny distribution: a module that tells its build, and metadata."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    told = version if not label or "+" in version else f"{version}+{label}"
    # What torch's wheels say, and nothing else: a runtime wheel has no __init__.
    yield f"{module}/version.py", f"__version__ = '{told}'\n".encode()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"] + [f"Requires-Dist: {it}" for it in requires]
    yield f"{info}/METADATA", ("\n".join(lines) + "\n").encode()
    yield f"{info}/WHEEL", b"Wheel-Version: 1.0\nGenerator: stand-in\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def record(files, info):
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    for path, data in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow([path, f"sha256={digest}", len(data)])
    rows.writerow([f"{info}/RECORD", "", ""])
    return out.getvalue().encode()


def wheel(name, version, label, requires):
    files, info = list(contents(name, version, label, requires)), f"{name.replace('-', '_')}-{version}.dist-info"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, data in files + [(f"{info}/RECORD", record(files, info))]:
            archive.writestr(zipfile.ZipInfo(path), data)
    return out.getvalue()


def server(catalogue):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            path = self.path.split("?")[0].split("#")[0]
            page = re.fullmatch(r"/(?:(simple)|whl/([a-z0-9]+)|whl)/([^/]+)/?", path)
            file = re.fullmatch(r"/file/([^/]+)/([^/]+)/([^/]+)-py3-none-any\.whl", path)
            if file:
                index, name, stem = file.groups()
                version = stem.split("-", 1)[1].replace("%2B", "+")
                found = catalogue.files(index, name).get(version)
                return self.answer(200, wheel(name, version, *found)) if found else self.answer(404, b"")
            if not page:
                return self.answer(404, b"")
            index, name = page.group(1) or page.group(2), norm(page.group(3))
            files = catalogue.files(index, name) if index else {}
            if not files:
                return self.answer(404, b"")
            links = [f'<a href="/file/{index}/{name}/{name.replace("-", "_")}-{v.replace("+", "%2B")}-py3-none-any.whl">{name.replace("-", "_")}-{v}-py3-none-any.whl</a>' for v in files]
            self.answer(200, ("<!DOCTYPE html><html><body>" + "\n".join(links) + "</body></html>").encode(), "text/html")

        do_HEAD = do_GET

        def answer(self, status, body, kind="application/octet-stream"):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    it = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=it.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{it.server_port}"


def value(reading):
    return reading.get("value") if isinstance(reading, dict) and reading.get("state") == "known" else None


def furnish(folder, facts, catalogue):
    """The installed distributions, as tiny copies."""
    for dist in facts["distributions"]:
        version, name = value(dist["version"]), dist["name"]
        if not version or not re.fullmatch(r"[0-9][A-Za-z0-9.+!-]*", version) or name in ("pip", "setuptools", "wheel"):
            continue
        told = value(dist["build"]["version"]) if isinstance(dist.get("build"), dict) else None
        label = (told or version).partition("+")[2] or None
        metadata = value(dist["metadata"]) if isinstance(dist.get("metadata"), dict) else None
        requires = metadata["requires"] if metadata else catalogue.requires(norm(name), version.split("+")[0], label)
        files, info = list(contents(norm(name), version, label, requires)), f"{norm(name).replace('-', '_')}-{version}.dist-info"
        files.append((f"{info}/INSTALLER", b"pip\n"))
        for path, data in files + [(f"{info}/RECORD", record(files, info))]:
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "wb") as out:
                out.write(data)


def installed(site):
    """{name: version with the label that its module tells}"""
    out = {}
    for entry in os.listdir(site):
        match = re.fullmatch(r"(.+)-([^-]+)\.dist-info", entry)
        if match:
            told = os.path.join(site, match[1], "version.py")
            version = re.search("'(.*)'", open(told).read())[1] if os.path.exists(told) else match[2]
            out[norm(match[1])] = version
    return out


def unmet(python, names):
    answer = subprocess.run([python, "-m", "pip", "check"], capture_output=True, text=True)
    return {line for line in answer.stdout.splitlines() if line.split(" ")[0].lower() in names}


def as_uv(command, python):
    """A printed pip command as uv takes it."""
    words = re.sub(r"^(?:\S*python[0-9.]*|\S*py) -m pip |^pip ", "uv pip ", command)
    words = re.sub(r"^uv pip (install|uninstall)(?: -y)?", rf"uv pip \1 --python {python}", words)
    return words.replace("--force-reinstall", "--reinstall") if words.startswith("uv ") else words


def trial(gpudoc, label, argv, text, tool, url, catalogue, seed):
    """A row, or None where there is no plan with packages."""
    answer = subprocess.run([gpudoc, "check", *argv, "--format", "json"], input=text, capture_output=True, text=True)
    try:
        report = json.loads(answer.stdout)
    except ValueError:
        return None
    plan = report.get("plan")
    if not plan or not plan["requirements"]:
        return None
    row = {"input": label, "tool": tool, "commands": plan["commands"]}
    root = tempfile.mkdtemp(prefix="standin-")
    try:
        venv = os.path.join(root, "venv")
        shutil.copytree(seed, venv, symlinks=True)
        python = os.path.join(venv, "bin", "python")
        # Scripts name the Python that they were made for.
        with open(os.path.join(venv, "bin", "pip"), "w") as script:
            script.write(f'#!/bin/sh\nexec {python} -m pip "$@"\n')
        site = os.path.join(venv, "lib", os.listdir(os.path.join(venv, "lib"))[0], "site-packages")
        furnish(site, report["facts"], catalogue)
        names = set(installed(site)) | {norm(re.match(r"[A-Za-z0-9._-]+", it).group()) for it in plan["requirements"]}
        before = unmet(python, names)
        env = {"PATH": os.path.join(venv, "bin") + ":" + os.environ["PATH"], "HOME": root, "PIP_INDEX_URL": url + "/simple/", "UV_DEFAULT_INDEX": url + "/simple/",
               "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CONFIG_FILE": os.devnull, "UV_CACHE_DIR": os.path.join(root, "cache"), "PIP_NO_CACHE_DIR": "1", "VIRTUAL_ENV": venv, "PIP_RETRIES": "0"}
        for command in plan["commands"]:
            if not re.match(r"(\S*python\S* -m pip|pip|uv pip) ", command):
                continue
            line = re.sub(r"^\S*/python[0-9.]*(?= -m pip )", python, command.replace(PYTORCH, url + "/whl/"))
            line = as_uv(line, python) if tool == "uv" else line
            done = subprocess.run(["bash", "-c", line], env=env, capture_output=True, text=True, timeout=300)
            if done.returncode:
                row["failed"], row["why"] = line, (done.stderr or done.stdout)[-900:]
                return row
        now = installed(site)
        row["wrong"] = []
        for line in plan["requirements"]:
            name, _, wanted = line.partition("==")
            there = now.get(norm(re.match(r"[A-Za-z0-9._-]+", name).group()))
            if wanted and there != wanted and (there or "").split("+")[0] != wanted:
                row["wrong"].append(f"{line}, but there is {there}")
        row["unmet"] = sorted(unmet(python, names) - before)
        return row
    finally:
        shutil.rmtree(root, ignore_errors=True)


def inputs(paths):
    for path in paths:
        if os.path.isdir(path):
            yield path, ["--root", path], None
            continue
        text = open(path, encoding="utf-8", errors="replace").read()
        try:
            case = json.loads(text)
        except ValueError:
            case = {}
        told = case.get("report") if isinstance(case, dict) else None
        yield path, ["--from", "-"], told if isinstance(told, str) else text


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("gpudoc")
    options.add_argument("inputs", nargs="+")
    options.add_argument("--tools", default="pip,uv")
    options.add_argument("--verbose", action="store_true")
    options = options.parse_args()
    gpudoc = os.path.abspath(options.gpudoc)
    catalogue = Catalogue(gpudoc)
    url = server(catalogue)
    with tempfile.TemporaryDirectory() as folder:
        seed = os.path.join(folder, "seed")
        subprocess.run([sys.executable, "-m", "venv", "--symlinks", seed], check=True)
        jobs = [(label, argv, text, tool) for label, argv, text in inputs(options.inputs) for tool in options.tools.split(",")]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            rows = [row for row in pool.map(lambda job: trial(gpudoc, *job, url, catalogue, seed), jobs) if row]
    bad = [row for row in rows if row.get("failed") or row.get("wrong") or row.get("unmet")]
    for row in rows if options.verbose else bad:
        print(f"{'no ' if row in bad else 'yes'} {row['tool']:3} {row['input']}\n      " + "\n      ".join(row["commands"]))
        for key in ("failed", "why", "wrong", "unmet"):
            if row.get(key):
                print(f"    {key}: {row[key]}")
    print(f"{len(rows)} plans run, {len(rows) - len(bad)} installed as printed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
