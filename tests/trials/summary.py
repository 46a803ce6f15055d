#!/usr/bin/env python3
"""The results of a run as a page: summary.py results.json > RUN.md (paths of the work folder are left out)."""

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import trials
from faults import FAULTS

by_name = {row["name"]: row for row in json.loads(Path(sys.argv[1]).read_text())["rows"]}
rows = [by_name[f.name] for f in FAULTS if f.name in by_name]
sums = trials.totals(rows)
every, sound = sums["all"], sums["sound"]
faults = [r for r in rows if not r["sound"] and not r.get("invalid")]
missed = [r for r in faults if r["caught"] == 0]
half = [r["name"] for r in faults if r["caught"] == .5]
unfixed = [r for r in faults if r["caught"] and r["fixed"] is False]


def short(text: str) -> str:
    return re.sub(r"\S*/(site-packages|bin|cwd|lib)/", "…/", text).replace("|", "/")[:125]


def names(some) -> str:
    return ", ".join(some) or "none"


print(f"""| what | figure |
|---|---|
| caught (a warning counts half) | {every['caught']:g} of {every['faults']} = {every['caught'] / every['faults']:.0%}: {sum(r['caught'] == 1 for r in faults)} as failures, {len(half)} as warnings, {len(missed)} missed |
| the first finding is about the right package | {every['first']} of {every['faults']} = {every['first'] / every['faults']:.0%} |
| fixed by the plan, of those caught | {every['fixed']} of {every['of']} = {every['fixed'] / max(every['of'], 1):.0%}; {sum(not r['plan'] for r in unfixed)} of the {len(unfixed)} others have no plan |
| "verified" plans that did not fix | {names(r['name'] for r in unfixed if r['plan verified'])} |
| worse | {names(r['name'] for r in faults if r['worse'])} |
| alarms on sound ones | {len(sound['alarms'])} of {sound['environments']}: {names(sound['alarms'])} |
| pip check, uv pip check (naming the right package) | {every['pip check']} and {every['uv pip check']} of {every['faults']}; alarms {len(sound['pip check'])} and {len(sound['uv pip check'])} |
| no answer within {trials.CHECK_CPU_SECONDS} s of processor time | {names(r['name'] for r in faults if r['verdict'] == 'no answer')} |

{trials.totals_table(sums)}

`of`: caught faults whose fix can be judged. `seen`: a right finding in any place.

## Missed

| fault | verdict | what Python says |
|---|---|---|""")
for r in missed:
    print(f"| {r['name']} | {r['verdict']} | {short(next(iter(r['broken'].values()), ''))} |")
print(f"\n## Only a warning (half)\n\n{names(half)}\n\n## Caught and not fixed\n\n| fault | why |\n|---|---|")
for r in unfixed:
    after = short(next(iter((r.get("after") or {}).values()), ""))
    print(f"| {r['name']} | " + ("no plan" if not r["plan"] else ("a command failed; " if r.get("plan failed") else "") +
                                 f"afterwards: {after}" + (" (plan said verified)" if r["plan verified"] else "")) + " |")
