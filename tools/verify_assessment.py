"""Check and recompute an effectiveness assessment: `python verify_assessment.py pack.zip [--keys keys.json]`.

The signature of the manifest, the hash of every file, each frozen row; then the sums of the rows, every score, grade
and rank anew, by the scheme in the pack. Nothing of the platform is imported: what is computed here is computed by
other hands. `verify_report.py` must lie beside this file. A pack may hold the rows of some parties only; of the others
the hashes are checked to be promised, and their scores are taken as published. Of experts a pack holds only those its
reader may see; of the others nothing.
Exit status: 0 all is as it was signed and comes out the same, 1 something is not, 2 cannot be read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import runpy
import sys
import zipfile
from collections import defaultdict
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from typing import Any

check_line = runpy.run_path(str(Path(__file__).resolve().with_name("verify_report.py")))["check_line"]

OWN = {"manifest.json", "manifest.sig", "keys.json"}
EXACT = Context(prec=40, rounding=ROUND_HALF_UP)
ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
Measures = dict[str, tuple[Decimal, Decimal]]


# scoring, as docs and scheme say it ----------------------------------------------------------------------------


def share_of(curve: dict[str, Any], weight: Decimal, value: Decimal) -> Decimal:
    kind = curve["kind"]
    if kind == "LINEAR":
        anchors = [(Decimal(x), Decimal(y)) for x, y in curve["anchors"]]
        found = anchors[-1][1]
        if value <= anchors[0][0]:
            found = anchors[0][1]
        else:
            for (x0, y0), (x1, y1) in zip(anchors, anchors[1:]):  # noqa: B905, RUF007 - any Python will do
                if value <= x1:
                    found = y0 + EXACT.divide((value - x0) * (y1 - y0), x1 - x0)
                    break
    elif kind == "STEPS":
        reached = [(Decimal(x), Decimal(y)) for x, y in curve["steps"] if value >= Decimal(x)]
        found = max(reached)[1] if reached else ZERO
    elif kind == "BAND":
        low = Decimal(curve["low"]) if curve["low"] is not None else ZERO
        if value > Decimal(curve["high"]) or (value < low and curve["zero_at"] is None):
            found = ZERO
        elif value >= low:
            found = ONE
        else:
            zero_at = Decimal(curve["zero_at"])
            found = EXACT.divide(value - zero_at, low - zero_at)
    elif kind == "CASES":
        found = ONE - EXACT.divide(Decimal(curve["per_case"]) * value, weight)
    else:
        found = value
    return min(max(found, ZERO), ONE).quantize(Decimal("1e-12"), ROUND_HALF_UP)


def value_of(measure: tuple[Decimal, Decimal] | None) -> Decimal | None:
    return EXACT.divide(*measure) if measure is not None and measure[1] else None


def elements_of(scheme: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    return [(element, dimension["code"]) for dimension in scheme["dimensions"] for element in dimension["elements"]]


def score(scheme: dict[str, Any], measures: Measures, cases: dict[str, int]) -> dict[str, Any]:
    """Points, score and grade, from nothing but the scheme and the sums."""
    least = scheme["small_sample"]
    small = any(measures.get(each["input"], (ZERO, ZERO))[1] < each["count"] for each in least["at_least"])
    points: dict[str, list[str]] = {}
    values: dict[str, Decimal | None] = {}
    earned = possible = ZERO
    for element, dimension in elements_of(scheme):
        code, weight = element["code"], Decimal(element["weight"])
        measure = measures.get(element["input"])
        if element["curve"]["kind"] == "CASES":
            measure = (Decimal(cases.get(code, 0)), ONE)
        value = value_of(measure)
        values[code] = value
        if small and code not in least["scored"] and dimension not in least["scored"]:
            points[code] = ["0", "TOO_FEW"]
            continue
        if value is None and element["missing"] != "ZERO":
            points[code] = ["0", "MISSING"]
            continue
        share = share_of(element["curve"], weight, value) if value is not None else ZERO
        made = (weight * share).quantize(Decimal("1e-6"), ROUND_HALF_UP) if value is not None else ZERO
        points[code] = [str(made), "SCORED"]
        earned += made
        possible += weight
    base = EXACT.divide(earned * HUNDRED, possible) if possible else ZERO
    extra = {}
    for kind in ("bonus", "deduction"):
        total = ZERO
        for item in scheme[kind]["items"]:
            each = Decimal(item["points"])
            if item["input"]:
                measure = measures.get(item["input"])
                value = value_of(measure)
                reached = measure is not None and value is not None and item["reaches"] is not None
                if reached and value >= Decimal(item["reaches"]) and measure[1] >= item["count"]:  # type: ignore[operator, index]
                    total += each
            else:
                total += each * cases.get(item["code"], 0)
        extra[kind] = min(total, Decimal(scheme[kind]["most"]))
    total = base + extra["bonus"] - extra["deduction"]
    total = min(max(total, ZERO), Decimal(scheme["ceiling"])).quantize(Decimal("0.01"), ROUND_HALF_UP)
    vetoes = sorted(veto["code"] for veto in scheme["vetoes"] if cases.get(veto["code"], 0))
    enough = possible >= Decimal(least["least_weight"])
    return {
        "points": points,
        "score": str(total),
        "grade": grade_of(scheme, total, points, values, vetoes),
        "vetoes": vetoes,
        "why_not": "TOO_FEW" if small else "" if enough else "NO_DATA",
        "order": (total, *((values[code] or ZERO) for code in scheme["tie_breaks"])),
    }


def grade_of(
    scheme: dict[str, Any], total: Decimal, points: dict[str, list[str]], values: dict[str, Decimal | None],
    vetoes: list[str],
) -> str:  # fmt: skip
    if not vetoes:
        for grade in scheme["grades"]:
            if total >= Decimal(grade["at_least"]) and not any(
                _is_shut(gate, points[gate["element"]], values[gate["element"]]) for gate in grade["gates"]
            ):
                return str(grade["code"])
    return str(scheme["grades"][-1]["code"])


def _is_shut(gate: dict[str, Any], points: list[str], value: Decimal | None) -> bool:
    if points[1] != "SCORED" or value is None:
        return False
    too_low = gate["at_least"] is not None and value < Decimal(gate["at_least"])
    return too_low or (gate["above_zero"] and Decimal(points[0]) <= 0)


# the pack ------------------------------------------------------------------------------------------------------


class Pack:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.names = set(archive.namelist())
        self.manifest = json.loads(archive.read("manifest.json"))
        self.listed = {each["name"]: each for each in self.manifest["files"]}
        # experts: the manifest names the list of each one's files, and that list the files
        for name in sorted(self.names):
            if name.startswith("party/") and name in self.listed:
                self.listed |= {each["name"]: each for each in json.loads(archive.read(name))["files"]}

    def json(self, name: str) -> Any:
        return json.loads(self.archive.read(name))

    @property
    def published(self) -> list[dict[str, Any]]:
        """The results in this pack: of all, or of the experts whose own files are here."""
        if "results.json" in self.listed:
            return list(self.json("results.json"))
        return [each for name in sorted(self.names) if name.startswith("results/") for each in self.json(name)]

    @property
    def is_complete(self) -> bool:
        """Whether everybody's rows are here, and not those of some parties only."""
        return all(name in self.names for name in self.listed if name.startswith(("rows/", "party/")))

    def lines(self, name: str) -> list[bytes]:
        return self.archive.read(name).splitlines(keepends=True)

    @property
    def codes(self) -> list[str]:
        """The parties whose rows are in this pack."""
        return sorted(name[5:-6] for name in self.names if name.startswith("rows/"))


def wrong_files(pack: Pack, keys: dict[str, Any]) -> list[str]:
    """The signature, and every file against the signed manifest; of altered rows which ones."""
    found = []
    answer = check_line(pack.archive.read("manifest.sig").decode().strip(), keys)
    if not answer.is_valid or answer.kind != "assessment":
        found.append(f"manifest: {answer.why}")
    elif answer.named().get("manifest_sha256") != hashlib.sha256(pack.archive.read("manifest.json")).hexdigest():
        found.append("manifest: changed after it was signed")
    found += [
        f"{name}: not in the manifest" for name in sorted(pack.names) if name not in pack.listed and name not in OWN
    ]
    for name, each in pack.listed.items():
        if name not in pack.names:
            if each["public"] or f"rows/{Path(name).stem}.jsonl" in pack.names:
                found.append(f"{name}: missing")
        elif hashlib.sha256(pack.archive.read(name)).hexdigest() != each["sha256"]:
            found += [f"{name}: changed"]
            if name.startswith("rows/"):
                found += altered_rows(pack, name)
    return found


def altered_rows(pack: Pack, name: str) -> list[str]:
    """Which rows of a file are not as they were signed."""
    known = f"lines/{Path(name).stem}.txt"
    if known not in pack.names or hashlib.sha256(pack.archive.read(known)).hexdigest() != pack.listed[known]["sha256"]:
        return [f"{name}: which rows cannot be told, because {known} is not as it was signed either"]
    digests = pack.archive.read(known).decode().split()
    lines = pack.lines(name)
    present = [hashlib.sha256(line).hexdigest()[:20] for line in lines]
    signed, there = set(digests), set(present)
    found = [
        f"{name}: row {place} ({named(line)}) is not as it was signed"
        for place, (line, digest) in enumerate(zip(lines, present), 1)  # noqa: B905 - any Python will do
        if digest not in signed
    ]
    return found + [f"{name}: a row that was signed in place {place} is gone or altered"
                    for place, digest in enumerate(digests, 1) if digest not in there]  # fmt: skip


def named(line: bytes) -> str:
    try:
        row = json.loads(line)
        return f"{row[1]} {row[4]}"
    except (ValueError, IndexError, TypeError):
        return "unreadable"


def sums_of(pack: Pack, code: str) -> dict[str, tuple[Measures, dict[str, int]]]:
    """Region → sums of a party's rows, corrections on top, and what it told."""
    fixed = {
        row: (Decimal(num), Decimal(den))
        for row, num, den, *_ in map(json.loads, pack.lines(f"corrections/{code}.jsonl"))
    }
    totals: dict[str, dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(lambda: [ZERO, ZERO]))
    province = pack.manifest["province"]
    for line in pack.lines(f"rows/{code}.jsonl"):
        row, code_of_input, _source, _row_id, _label, region, num, den, *_ = json.loads(line)
        numerator, denominator = fixed.get(row, (Decimal(num), Decimal(den)))
        for where in {province, region[:4] + "00"}:
            sums = totals[where][code_of_input]
            sums[0] += numerator
            sums[1] += denominator
    told = pack.json(f"told/{code}.json")
    scheme = pack.json("scheme.json")
    found = {}
    for region, sums_here in totals.items():
        cases = {name[5:]: int(pair[0]) for name, pair in sums_here.items() if name.startswith("case.")}
        measures = {name: (pair[0], pair[1]) for name, pair in sums_here.items() if not name.startswith("case.")}
        for element, _dimension in elements_of(scheme):
            curve = element["curve"]
            if curve["kind"] == "CHECKLIST" and element["code"] in told:
                met = [Decimal(i["weight"]) for i in curve["items"] if i["code"] in told[element["code"]]]
                measures[element["input"]] = (sum(met, ZERO), sum((Decimal(i["weight"]) for i in curve["items"]), ZERO))
            elif curve["kind"] == "CASES":
                measures[element["input"]] = (Decimal(cases.get(element["code"], 0)), ONE)
        found[region] = (measures, cases)
    return found


def wrong_scores(pack: Pack) -> tuple[list[str], int]:
    """Every score of the parties in the pack that does not come out as published; and how many were computed."""
    scheme, published = pack.json("scheme.json"), pack.published
    found, count = [], 0
    order: dict[str, dict[str, tuple[Decimal, ...]]] = defaultdict(dict)
    for code in pack.codes:
        sums = sums_of(pack, code)
        for kept in pack.json(f"sums/{code}.json"):
            own = sums.get(kept["region"], ({}, {}))[0]
            for name, (numerator, denominator, *_) in kept["measures"].items():
                summed = own.get(name)
                if kept["region"] in sums and summed != (Decimal(numerator), Decimal(denominator)):
                    said = f"{summed[0]:f}/{summed[1]:f}" if summed else "nothing"
                    found.append(f"{code} {kept['region']} {name}: the rows make {said}, not {numerator}/{denominator}")
        for result in published:
            if result["code"] != code:
                continue
            measures, cases = sums.get(result["region"], ({}, {}))
            made = score(scheme, measures, cases)
            count += 1
            if not made["why_not"]:
                order[result["region"]][code] = made["order"]
            for name in ("score", "grade", "why_not", "vetoes"):
                if made[name] != result[name]:
                    found.append(f"{code} {result['region']}: {name} is {made[name]}, published is {result[name]}")
            for element, (value, standing) in made["points"].items():
                said = result["points"].get(element, ["", ""])
                if Decimal(value) != Decimal(said[0] or 0) or standing != said[1]:
                    found.append(
                        f"{code} {result['region']}: {element} has {value} ({standing}), published is {said[0]}"
                    )
    complete = pack.is_complete
    for result in published:
        region = result["region"]
        if complete:
            own_order = order[region].get(result["code"])
            rank = sum(other > own_order for other in order[region].values()) + 1 if own_order is not None else None
        else:  # others' tie-breaks are not here: only the scores are compared
            rank = result["rank"]
            better = [o for o in published if o["region"] == region and not o["why_not"]
                      and Decimal(o["score"]) > Decimal(result["score"])]  # fmt: skip
            if rank is not None and not len(better) < rank:
                rank = len(better) + 1
        if rank != result["rank"]:
            found.append(f"{result['code']} {region}: rank is {rank}, published is {result['rank']}")
    return found, count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--keys", type=Path, help="the platform's published keys")
    asked = parser.parse_args()
    try:
        with zipfile.ZipFile(asked.pack) as archive:
            pack = Pack(archive)
            keys = json.loads(asked.keys.read_text(encoding="utf-8") if asked.keys else archive.read("keys.json"))
            found = wrong_files(pack, keys)
            wrong, count = wrong_scores(pack)
            found += wrong
    except (OSError, ValueError, KeyError, ArithmeticError, zipfile.BadZipFile) as problem:
        print(f"cannot be read: {problem!r}")
        return 2
    for line in found:
        print(line)
    if not found:
        print(
            f"VALID: signed by the platform; {count} results of {len(pack.codes)} parties computed anew, all as published"
        )
        if not asked.keys:
            print("The keys came from the pack itself: compare them with those the platform publishes.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
