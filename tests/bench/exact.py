#!/usr/bin/env python3
"""Compares `gpudoc scan` with NVIDIA's cuobjdump on published wheels, and prints a table in Markdown.

    tests/bench/exact.py target/release/gpudoc CUOBJDUMP torch==2.7.1 bitsandbytes vllm > table.md

cuobjdump needs no GPU; it lies in the wheels of triton (triton/backends/nvidia/bin). Each wheel is fetched with pip and
its libraries are unpacked to a temporary folder (torch: 2 GB), which is deleted before the next wheel comes.

cuobjdump lists images, gpudoc counts the containers that hold a target. The two differ where one container holds a target
twice, so a small reader of its own (`surplus`) counts those images; `gpudoc + surplus == cuobjdump` is what must hold.
Each wheel is also scanned as it is, which must give what its unpacked files give. The exit status is 1 after a difference.
"""

import argparse
import collections
import json
import mmap
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import zipfile

MAGIC = bytes.fromhex("50ed55ba")
LISTED = re.compile(r"^(ELF|PTX) file +\d+: .*\.sm_(\d+[af]?)\.(?:cubin|ptx)$", re.MULTILINE)
DUMPED = re.compile(r"^Fatbin (elf|ptx) code:\n=+\narch = sm_(\d+[af]?)$", re.MULTILINE)
LIBRARY = re.compile(r"\.so(\.\d+)*$")
HOMES = {".nv_fatbin": "registered", "__nv_relfatbin": "relocatable"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gpudoc")
    parser.add_argument("cuobjdump")
    parser.add_argument("requirements", nargs="+", metavar="requirement")
    parser.add_argument("--older", action="append", default=[], metavar="CUOBJDUMP", help="asked where the first one stops")
    parser.add_argument("--python", default="3.11", help="the Python that the wheels are for")
    parser.add_argument("--temporary", help="where wheels are unpacked")
    arguments = parser.parse_args()
    tools = {version(tool): tool for tool in [arguments.cuobjdump, *arguments.older]}
    print(f"cuobjdump {', '.join(tools)}\n")
    print("| wheel | library | containers | targets: gpudoc = cuobjdump | differences |")
    print("|---|---|---|---|---|", flush=True)
    failed, notes = 0, []
    for requirement in arguments.requirements:
        with tempfile.TemporaryDirectory(dir=arguments.temporary) as folder:
            wheel = fetch(requirement, pathlib.Path(folder), arguments.python)
            failed += compare_wheel(arguments.gpudoc, tools, wheel, notes)
    print("\n" + "\n".join(f"- {note}" for note in notes))
    sys.exit(failed > 0)


def version(cuobjdump):
    text = subprocess.run([cuobjdump, "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"V([0-9.]+)", text)[1]


def fetch(requirement, folder, python):
    """Downloads one wheel for x86_64 and returns its path."""
    glibcs = ["manylinux1", "manylinux2014", *(f"manylinux_2_{minor}" for minor in range(17, 36))]
    platforms = [f"--platform={glibc}_x86_64" for glibc in glibcs]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", f"--python-version={python}", *platforms, "--dest", folder, requirement]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return next(folder.glob("*.whl"))


def compare_wheel(gpudoc, tools, wheel, notes):
    """Prints the rows of one wheel and returns how many differ."""
    name = "-".join(wheel.name.split("-")[:2])
    unpacked = wheel.parent / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            if LIBRARY.search(member):
                archive.extract(member, unpacked)
    direct, from_files = scan(gpudoc, wheel), scan(gpudoc, unpacked)
    from_files = {str(pathlib.Path(path).relative_to(unpacked)): row for path, row in from_files.items()}
    failed = sum(direct.get(path) != from_files.get(path) for path in direct.keys() | from_files.keys())
    notes.append(f"{name}: {len(direct)} libraries scanned inside the wheel, {len(from_files)} unpacked, {failed} differ")
    for path in sorted(from_files):
        file = unpacked / path
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data.find(MAGIC) < 0:
                file.unlink()
                continue
            extra = surplus(data)
        row = from_files[path]
        ours = {"registered": row, "relocatable": row.get("relocatable") or {}}
        theirs, stopped = by_home(tools, file, ["-lelf", "-lptx"], row["containers"])
        # Lists leave the suffix `f` out, the dump does not; it takes longer, so it is asked from sm_100 on.
        late = any(re.search(r"_\d{3}", target) for home in theirs.values() for target in home)
        dumped = by_home(tools, file, [], row["containers"])[0] if late else theirs
        for home, part in ours.items():
            counts = counter(part)
            if not counts and not theirs[home]:
                continue
            differences, wrong = explain(counts, theirs[home], dumped[home], extra[home], stopped)
            failed += wrong
            shown = f"{path} (relocatable, `-all`)" if home == "relocatable" else path
            print(f"| {name} | {shown} | {part.get('containers', 0)} | {words(counts)} | {differences} |", flush=True)
        file.unlink()
    return failed


def scan(gpudoc, path):
    """What gpudoc says, by path; without what differs between a wheel and a folder by design."""
    done = subprocess.run([gpudoc, "scan", "--format", "json", path], capture_output=True, check=True)
    document = json.loads(done.stdout)
    rows = {row.pop("path"): row for row in document["objects"] + document["errors"]}
    for row in rows.values():
        row.pop("distribution", None)
    return rows


def counter(row):
    counts = collections.Counter(row.get("sass", {}))
    counts.update(row.get("ptx", {}))
    return counts


def by_home(tools, file, options, registered):
    """The images that cuobjdump knows of, by section and target, and what those said that stopped on the way."""
    complete, stopped = images(tools, file, ["-all", *options])
    # Without -all it shows relocatable code only where there is no other.
    plain = images(tools, file, options)[0] if registered or not complete else collections.Counter()
    return {"registered": plain, "relocatable": complete - plain}, stopped


def images(tools, file, options):
    """Counts the images in a list or, without options, in a dump of the headers."""
    stopped = []
    for release, cuobjdump in tools.items():
        done = subprocess.run([cuobjdump, *options, file], capture_output=True, text=True, errors="replace")
        fatal = re.search(r"cuobjdump fatal +: (.*?)(?: in '.*|\.?)$", done.stderr, re.MULTILINE)
        if not fatal:
            break
        stopped.append(f"cuobjdump {release} stops with `{fatal[1]}`")
    if stopped and not fatal:
        stopped.append(f"compared with {release}")
    if "-lelf" in options and any(not LISTED.match(line) for line in done.stdout.splitlines()):
        sys.exit(f"a line of cuobjdump that is not understood in {done.stdout}")
    found = (LISTED if "-lelf" in options else DUMPED).findall(done.stdout)
    named = [("sm_" if kind.lower() == "elf" else "compute_") + number for kind, number in found]
    return collections.Counter(named), stopped


def surplus(data):
    """For each section and target the images beyond the first in one container, read without gpudoc."""
    extra = {home: collections.Counter() for home in HOMES.values()}
    for section, start, size in sections(data):
        at, end = start, start + size
        while section in HOMES and at + 16 <= end:
            if data[at : at + 4] != MAGIC:
                at += 8
                continue
            header, length = struct.unpack_from("<HQ", data, at + 6)
            image, stop = at + header, at + header + length
            targets = collections.Counter()
            while image + 64 <= stop:
                kind, _, head, payload = struct.unpack_from("<HHIQ", data, image)
                (number,) = struct.unpack_from("<I", data, image + 28)
                (flags,) = struct.unpack_from("<Q", data, image + 40)
                suffix = "a" if flags & 0x100000 else "f" if flags & 0x200000 else ""
                targets[f"{'sm' if kind == 2 else 'compute'}_{number}{suffix}"] += 1
                image += head + payload
            for target, count in targets.items():
                if count > 1:
                    extra[HOMES[section]][target] += count - 1
            at = (stop + 7) // 8 * 8
    return extra


def sections(data):
    """Name, offset and size of each section of a 64-bit ELF file."""
    (table,) = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, table + size * index) for index in range(count)]
    for name, kind, _, _, offset, length in headers:
        if kind != 8:  # SHT_NOBITS
            at = headers[names][4] + name
            yield data[at : data.find(b"\0", at)].decode(), offset, length


def explain(ours, theirs, dump, extra, stopped):
    """Tells how two counts differ, and how many of the differences have no explanation."""
    notes = [*stopped]
    notes += [f"{count} × {target} are a container's second image" for target, count in sorted(extra.items())]
    images = ours + extra
    for target in sorted(dump):
        if target.endswith("f") and not theirs[target]:
            notes.append(f"{dump[target]} × {target} are {target[:-1]} in the list, {target} in the dump")
    rest = [
        f"**{target}: gpudoc {images[target]}, cuobjdump {dump[target]}**"
        for target in sorted(images.keys() | dump.keys())
        if images[target] != dump[target]
    ]
    if sum(theirs.values()) != sum(dump.values()):
        rest.append(f"**{sum(theirs.values())} images in the list, {sum(dump.values())} in the dump**")
    return "; ".join(notes + rest) or "none", len(rest)


def words(counts):
    """`sm_80 sm_90 378; sm_90a 3`."""
    by_count = collections.defaultdict(list)
    for target, count in counts.items():
        by_count[count].append(target)
    order = lambda target: (target.startswith("compute"), int(re.search(r"\d+", target)[0]), target)
    return "; ".join(f"{' '.join(sorted(by_count[count], key=order))} {count}" for count in sorted(by_count, reverse=True))


if __name__ == "__main__":
    main()
