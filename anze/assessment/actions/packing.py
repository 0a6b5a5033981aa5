"""Signing a result, and the evidence pack: everything an outsider needs to compute it again.

One manifest with the hash of every file is signed. Files that hold one party's rows and sums are only in packs for
those who may read them; the others see their hashes. `tools/verify_assessment.py` checks and recomputes a pack.

Of experts, who are persons, nothing is public but the scheme: each has a list of his own files, results among them,
and the manifest names that list by a number and a hash nobody can guess the content of.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from anze.assessment.actions.course import counts_drawn
from anze.assessment.actions.files import files_told
from anze.assessment.actions.freezing import digest_of, digests_of, lines_of
from anze.assessment.definitions import PARTY
from anze.assessment.models import Appeal, Campaign, Correction, Outcome, SelfReport, Tally
from anze.assessment.rules import Checklist, SubjectKind, scheme_file
from anze.assessment.rules.campaigns import CAMPAIGN, AppealState, CampaignState
from anze.kernel.actions import action
from anze.kernel.actor import Actor
from anze.kernel.duty import beijing_day
from anze.kernel.refusal import Refused
from anze.kernel.scope import EVERYTHING, PROVINCE, widened
from anze.kernel.signing import sign
from anze.parties.rules import Permission
from anze.prevention.actions.packing import keys_file
from anze.screen.exports import safe

FORMAT = "anze-assessment-1"


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n").encode()


def _lines(values: Iterator[Any]) -> Iterator[bytes]:
    for value in values:
        yield (json.dumps(value, ensure_ascii=False, default=str) + "\n").encode()


def results_content(campaign: Campaign, **only: Any) -> list[dict[str, Any]]:
    """Everybody's points, score, grade and rank: what is published, without sums."""
    rows = Outcome.objects.filter(campaign=campaign, **only).select_related("organisation", "expert")
    found = [
        {
            "code": row.known_as,
            "name": row.assessed.name,
            "name_en": getattr(row.assessed, "name_en", ""),
            "region": row.region_code,
            "score": str(row.score),
            "grade": row.grade,
            "rank": row.rank,
            "why_not": row.why_not,
            "bonus": str(row.bonus),
            "deduction": str(row.deduction),
            "vetoes": sorted(row.vetoes),
            "points": row.points,
        }
        for row in rows
    ]
    return sorted(found, key=lambda each: (each["region"], each["code"]))


def decisions_content(campaign: Campaign, **only: Any) -> list[dict[str, Any]]:
    """Decided appeals with before and after. What the appellant wrote stays between him and those who decide."""
    rows = Appeal.objects.filter(campaign=campaign, **only).exclude(state=AppealState.OPEN)
    return [
        {
            "number": row.number,
            "code": row.outcome.known_as,
            "element": row.element,
            "rows": len(row.rows),
            "decision": row.state,
            "decided_on": beijing_day(row.decided_at).isoformat() if row.decided_at else "",
            "before": row.before,
            "after": row.after,
        }
        for row in rows.select_related("outcome__organisation", "outcome__expert").order_by("number")
    ]


def is_personal(campaign: Campaign) -> bool:
    return campaign.subject == SubjectKind.EXPERT


def parties_of(campaign: Campaign) -> dict[str, Outcome]:
    """Everybody's result in the whole province; experts in the order of meaningless keys, which tells nothing."""
    rows = Outcome.objects.filter(campaign=campaign, region_code=PROVINCE).select_related("organisation", "expert")
    return {row.known_as: row for row in rows.order_by("pk" if is_personal(campaign) else "organisation__code")}


def public_files(campaign: Campaign) -> Iterator[tuple[str, bytes]]:
    yield "scheme.json", scheme_file(campaign.scheme.content)
    if not is_personal(campaign):
        yield "results.json", _json(results_content(campaign))
        yield "appeals.json", _json(decisions_content(campaign))


def party_files(campaign: Campaign, outcome: Outcome) -> Iterator[tuple[str, Iterator[bytes]]]:
    """One party's frozen rows, corrections, what it told, and the sums of it all."""
    column = PARTY[SubjectKind(campaign.subject)]
    of_party, code = {column: outcome.party}, outcome.known_as
    own = {**of_party, "campaign": campaign}
    if is_personal(campaign):
        yield f"results/{code}.json", iter([_json(results_content(campaign, **of_party))])
        yield f"appeals/{code}.json", iter([_json(decisions_content(campaign, **of_party))])
    yield f"rows/{code}.jsonl", _row_lines(campaign, outcome.party)
    numbers = dict(Appeal.objects.filter(campaign=campaign).values_list("pk", "number"))
    corrections = Correction.objects.filter(**own).order_by("id")
    yield f"corrections/{code}.jsonl", _lines(
        [each.row_id, f"{each.numerator.normalize():f}", f"{each.denominator.normalize():f}", each.reasons,
         numbers.get(each.appeal_id, "") if each.appeal_id else ""]
        for each in corrections
    )  # fmt: skip
    report = SelfReport.objects.filter(**own).first()
    checklists = [e.code for e in campaign.scheme.text.elements if isinstance(e.curve, Checklist)]
    met: list[str] | None = None
    if report is not None and report.state != "DRAFT":
        met = report.confirmed if report.state == "REVIEWED" else report.met
    yield f"told/{code}.json", iter([_json(dict.fromkeys(checklists, met) if met is not None else {})])
    yield f"files/{code}.json", iter([_json(files_told(campaign, own))])
    tallies = Tally.objects.filter(**own).order_by("region_code")
    yield (
        f"sums/{code}.json",
        iter(
            [_json([{"region": each.region_code, "measures": each.measures, "cases": each.cases} for each in tallies])]
        ),
    )


def _row_lines(campaign: Campaign, party: UUID) -> Iterator[bytes]:
    """The lines as they were hashed when the data were frozen."""
    for _party, lines in lines_of(campaign, party):
        # not splitlines: JSON keeps other separators, such as U+2028, as they are
        yield from (f"{line}\n".encode() for line in lines.removesuffix("\n").split("\n"))


def _digested(pieces: Iterator[bytes]) -> tuple[str, int, list[str]]:
    """SHA-256 and size of a file, and a short digest of each of its lines."""
    whole, size, lines = hashlib.sha256(), 0, []
    for piece in pieces:
        whole.update(piece)
        size += len(piece)
        lines.append(hashlib.sha256(piece).hexdigest()[:20])
    return whole.hexdigest(), size, lines


def _entry(name: str, pieces: Iterator[bytes], *, public: bool) -> tuple[dict[str, Any], list[str]]:
    digest, size, lines = _digested(pieces)
    return {"name": name, "sha256": digest, "size": size, "public": public}, lines


def _party_entries(campaign: Campaign, outcome: Outcome) -> list[dict[str, Any]]:
    found = []
    for name, pieces in party_files(campaign, outcome):
        entry, lines = _entry(name, pieces, public=False)
        found.append(entry)
        if name.startswith("rows/"):
            kept = f"lines/{outcome.known_as}.txt"
            found.append(_entry(kept, iter([_line_file(lines)]), public=False)[0])
    return found


def _party_list(place: int, campaign: Campaign, outcome: Outcome) -> tuple[str, bytes]:
    """The list of an expert's files. The key of his result, which only its readers know, keeps it from being guessed."""
    content = {"code": outcome.known_as, "key": str(outcome.pk), "files": _party_entries(campaign, outcome)}
    return f"party/{place:05d}.json", _json(content)


def manifest_of(campaign: Campaign) -> dict[str, Any]:
    """Every file with its hash; of a party's rows also a digest of each line, so that an altered one is named."""
    files = [_entry(name, iter([content]), public=True)[0] for name, content in public_files(campaign)]
    for place, outcome in enumerate(parties_of(campaign).values(), 1):
        if is_personal(campaign):
            name, content = _party_list(place, campaign, outcome)
            files.append(_entry(name, iter([content]), public=False)[0])
        else:
            files += _party_entries(campaign, outcome)
    return {
        "format": FORMAT,
        "assessment": campaign.code,
        "title": campaign.title,
        "subject": campaign.subject,
        "period": [campaign.period_from.isoformat(), campaign.period_to.isoformat()],
        "counted_up_to": campaign.as_of.isoformat() if campaign.as_of else "",
        "frozen_at": campaign.frozen_at.isoformat() if campaign.frozen_at else "",
        "frozen_sha256": campaign.frozen_sha256,
        "province": PROVINCE,
        "seed": campaign.seed,
        "seed_source": campaign.seed_source,
        "drawn_of_each": campaign.sample_each,
        "drawn": {} if is_personal(campaign) else _drawn(campaign),
        "files": files,
    }


def _drawn(campaign: Campaign) -> dict[str, int]:
    """How many rows were drawn of each by his code: with seed and population all that drawing again takes."""
    counted = counts_drawn(campaign)
    return {code: counted.get(outcome.party, 0) for code, outcome in parties_of(campaign).items()}


def _line_file(digests: list[str]) -> bytes:
    return "".join(f"{each}\n" for each in digests).encode()


def manifest_file(campaign: Campaign) -> bytes:
    return _json(campaign.manifest)


@action(Permission.RUN_ASSESSMENT, "assessment.signed")
def sign_result(campaign: Campaign, *, by: Actor, at: datetime) -> Campaign:
    """Sign the manifest of everything the result rests on. The frozen rows must be as they were frozen."""
    with widened(EVERYTHING):
        if digest_of(digests_of(campaign)) != campaign.frozen_sha256:
            raise Refused(
                "frozen_rows_changed",
                _("The frozen rows are not as they were frozen."),
                remedy=_("Do not publish. Compare the database with its backup of the day of freezing."),
                status=409,
            )
        manifest = manifest_of(campaign)
        digest = hashlib.sha256(_json(manifest)).hexdigest()
        fields = (campaign.code, beijing_day(at).isoformat(), str(len(manifest["files"])), digest)
        CAMPAIGN.move(
            campaign,
            "sign",
            signed_at=at,
            signed_by=by.name[:120],
            manifest=manifest,
            manifest_sha256=digest,
            signature=sign("assessment", fields, at=at),
        )
    return campaign


def has_pack(campaign: Campaign, by: Actor) -> bool:
    """Whether there is a pack for somebody. Before the publication it holds what only those over all may see: everybody's
    result and every decided appeal. What is not published, as of experts, tells nobody of another."""
    is_out = campaign.state == CampaignState.PUBLISHED or is_personal(campaign)
    return bool(campaign.signature) and (is_out or by.scope.reader == "anze_all")


@action(Permission.SEE_ASSESSMENT, "assessment.pack_saved")
def export_pack(campaign: Campaign, *, by: Actor, at: datetime, codes: tuple[str, ...]) -> IO[bytes]:
    """The signed pack with the files of these parties, as far as somebody may read them."""
    if not has_pack(campaign, by):
        raise Refused(
            "not_signed",
            _("There is a pack when the result is signed and published."),
            remedy=_("Wait until then; the page of your result opens every row already."),
            status=409,
        )
    signed = {each["name"] for each in campaign.manifest["files"]}
    file = TemporaryFile()  # noqa: SIM115 - handed to the response, which closes it
    with widened(EVERYTHING), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:

        def put(name: str, pieces: Iterator[bytes]) -> None:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as target:
                for piece in pieces:
                    target.write(piece)

        put("manifest.json", iter([manifest_file(campaign)]))
        put("manifest.sig", iter([f"{campaign.signature}\n".encode()]))
        put("keys.json", iter([keys_file().encode()]))
        for name, content in public_files(campaign):
            put(name, iter([content]))
        for place, (code, outcome) in enumerate(parties_of(campaign).items(), 1):
            if code in codes:
                if is_personal(campaign):
                    list_name, content = _party_list(place, campaign, outcome)
                    put(list_name, iter([content]))
                for name, pieces in party_files(campaign, outcome):
                    if not is_personal(campaign) and name not in signed:  # a kind of file later than this signature
                        continue
                    if name.startswith("rows/"):
                        kept: list[str] = []
                        put(name, _noting(pieces, kept))
                        put(f"lines/{code}.txt", iter([_line_file(kept)]))
                    else:
                        put(name, pieces)
    file.seek(0)
    return file


def _noting(pieces: Iterator[bytes], kept: list[str]) -> Iterator[bytes]:
    for piece in pieces:
        kept.append(hashlib.sha256(piece).hexdigest()[:20])
        yield piece


def open_data(campaign: Campaign) -> bytes:
    """The published result as a table anybody can open: scores and points, no sums and no rows."""
    out = io.StringIO()
    codes = [element.code for element in campaign.scheme.text.elements]
    writer = csv.writer(out)
    heads = ["code", "name", "region", "rank", "score", "grade", "not_ranked", "bonus", "deduction", "vetoes"]
    writer.writerow([*heads, *(safe(code) for code in codes)])
    for line in results_content(campaign):
        points = [line["points"][code][0] if line["points"][code][1] == "SCORED" else "" for code in codes]
        cells = [
            line["code"], line["name"], line["region"], line["rank"] or "", line["score"], line["grade"],
            line["why_not"], line["bonus"], line["deduction"], " ".join(line["vetoes"]), *points,
        ]  # fmt: skip
        writer.writerow([safe(each) for each in cells])
    return out.getvalue().encode("utf-8-sig")
