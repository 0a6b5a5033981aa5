"""From frozen rows, corrections and reviewed self-reports to scores, grades and ranks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from anze.assessment.definitions import PARTY
from anze.assessment.models import Campaign, Correction, FrozenRow, Outcome, SelfReport, Tally
from anze.assessment.rules import (
    Cases,
    Checklist,
    Measure,
    Result,
    SchemeText,
    SubjectKind,
    checklist_measure,
    ranks,
    score,
)
from anze.assessment.rules.campaigns import Level, ReportState
from anze.kernel.scope import PROVINCE
from anze.parties.models import Expert, Organisation
from anze.parties.rules import OrganisationKind

KINDS = {SubjectKind.INSURER: OrganisationKind.INSURER, SubjectKind.AGENCY: OrganisationKind.AGENCY}
Assessed = Organisation | Expert
Key = tuple[UUID, str]  # whose, and in which region


@dataclass
class Sums:
    """What was counted for one party in one region."""

    measures: dict[str, list[Any]] = field(default_factory=dict)  # input → numerator, denominator, rows, left out
    cases: dict[str, int] = field(default_factory=dict)

    def as_measures(self) -> dict[str, Measure]:
        return {code: Measure(Decimal(found[0]), Decimal(found[1])) for code, found in self.measures.items()}


BY_CITY = """
    SELECT {party}, city, input, sum(numerator), sum(denominator),
           count(*) FILTER (WHERE numerator <> 0 OR denominator <> 0),
           count(*) FILTER (WHERE numerator = 0 AND denominator = 0)
    FROM ({rows}) r GROUP BY {party}, city, input
"""


def collected(by_city: Iterable[tuple[Any, ...]]) -> dict[Key, Sums]:
    """Totals by party and region; what belongs to no city counts in the province only."""
    totals: dict[tuple[UUID, str, str], list[Any]] = defaultdict(lambda: [Decimal(0), Decimal(0), 0, 0])
    for party, city, code, *counted in by_city:
        for region in {city, PROVINCE}:
            total = totals[party, region, code]
            for place, value in enumerate(counted):
                total[place] += value
    found: dict[Key, Sums] = defaultdict(Sums)
    for (party, region, code), (numerator, denominator, *rows) in totals.items():
        sums = found[party, region]
        if code.startswith("case."):
            sums.cases[code.removeprefix("case.")] = int(numerator)
        else:
            sums.measures[code] = [_plain(numerator), _plain(denominator), *rows]
    return found


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def sums_of(campaign: Campaign, party: UUID | None = None, *, is_corrected: bool = True) -> dict[Key, Sums]:
    """What the frozen rows give, with corrections on top or as they were frozen."""
    column = PARTY[SubjectKind(campaign.subject)]
    table, corrections = FrozenRow._meta.db_table, Correction._meta.db_table
    only = f" AND f.{column} = '{party}'" if party else ""
    those = "" if is_corrected else "false AND "
    rows = f"""
        SELECT f.{column}, left(f.region_code, 4) || '00' AS city, f.input,
               coalesce(c.numerator, f.numerator) AS numerator, coalesce(c.denominator, f.denominator) AS denominator
        FROM {table} f LEFT JOIN (
            SELECT DISTINCT ON (row_id) row_id, numerator, denominator FROM {corrections}
            WHERE {those}campaign_id = '{campaign.pk}' ORDER BY row_id, id DESC) c ON c.row_id = f.id
        WHERE f.campaign_id = '{campaign.pk}' AND f.{column} IS NOT NULL{only}
    """
    with connection.cursor() as cursor:
        cursor.execute(BY_CITY.format(party=column, rows=rows))
        return collected(cursor.fetchall())


def told(scheme: SchemeText, sums: Mapping[Key, Sums], reports: Mapping[UUID, SelfReport]) -> None:
    """Add what people told: checklists of self-reports, and that nobody confirmed a case where there is none."""
    for element in scheme.elements:
        if isinstance(element.curve, Checklist):
            for (party, _region), found in sums.items():
                report = reports.get(party)
                if report is not None and report.state != ReportState.DRAFT:
                    met = report.confirmed if report.state == ReportState.REVIEWED else report.met
                    measure = checklist_measure(element.curve, met)
                    found.measures[element.input] = [str(measure.numerator), str(measure.denominator), len(met), 0]
        elif isinstance(element.curve, Cases):
            for found in sums.values():
                found.measures[element.input] = [str(found.cases.get(element.code, 0)), "1", 0, 0]


def results_of(scheme: SchemeText, sums: Mapping[Key, Sums]) -> dict[Key, Result]:
    return {key: score(scheme, found.as_measures(), found.cases) for key, found in sums.items()}


def ranked(scheme: SchemeText, results: Mapping[Key, Result]) -> dict[Key, int]:
    """Ranks, region by region."""
    by_region: dict[str, dict[str, Result]] = defaultdict(dict)
    for (party, region), result in results.items():
        by_region[region][str(party)] = result
    return {
        (UUID(party), region): rank
        for region, inside in by_region.items()
        for party, rank in ranks(scheme, inside).items()
    }


def assessed(subject: str, **only: Any) -> dict[UUID, Assessed]:
    """Everybody of a kind, in the order of codes or numbers."""
    kind = KINDS.get(SubjectKind(subject))
    if kind is None:
        return {each.pk: each for each in Expert.objects.filter(**only).order_by("number")}
    return {each.pk: each for each in Organisation.objects.filter(kind=kind, **only).order_by("code")}


def columns_of(each: Assessed) -> dict[str, Any]:
    """How a row says whose it is and who reads it."""
    if isinstance(each, Expert):
        return {"expert_id": each.pk, "agency_id": each.agency_id}
    column = "agency_id" if each.kind == OrganisationKind.AGENCY else "insurer_id"
    return {"organisation_id": each.pk, column: each.pk}


def hold(campaign: Campaign) -> None:
    """Wait until nobody else is at the results of a campaign, and keep them till the transaction's end: a rank comes
    from everybody's score, and whoever read them before another's decision would write the old ones back."""
    Campaign.objects.select_for_update().filter(pk=campaign.pk).first()


def rescore(campaign: Campaign, party: UUID | None = None) -> list[Outcome]:
    """Score everybody, or one party only, and rank all anew. Nothing else of a result moves.

    Returns the results whose points changed. The scope must be everything.
    """
    hold(campaign)
    scheme = campaign.scheme.text
    parties = assessed(campaign.subject, is_active=True)
    reports = {report.party: report for report in SelfReport.objects.filter(campaign=campaign)}
    sums = {key: found for key, found in sums_of(campaign, party).items() if key[0] in parties}
    for each in parties:
        if party in (None, each):
            sums.setdefault((each, PROVINCE), Sums())
    told(scheme, sums, reports)
    results = results_of(scheme, sums)
    present: dict[Key, Outcome] = {
        (outcome.party, outcome.region_code): outcome for outcome in Outcome.objects.filter(campaign=campaign)
    }
    made, moved = [], []
    for key, result in results.items():
        outcome = present.get(key)
        words = _words(result)
        if outcome is None:
            outcome = Outcome(
                campaign=campaign,
                level=Level.PROVINCE if key[1] == PROVINCE else Level.CITY,
                region_code=key[1],
                computed_score=result.score,
                **columns_of(parties[key[0]]),
                **words,
            )
            present[key] = outcome
            made.append(outcome)
        elif any(getattr(outcome, name) != value for name, value in words.items()):
            for name, value in words.items():
                setattr(outcome, name, value)
            moved.append(outcome)
    # those who lost all their rows keep a result: there is nothing left to count
    places = _ranks_of(scheme, present, results)
    for key, outcome in present.items():
        rank = places.get(key)
        if outcome.rank != rank:
            outcome.rank = rank
            if outcome not in moved and outcome not in made:
                moved.append(outcome)
    Outcome.objects.bulk_create(made, batch_size=500)
    fields = [*_words(next(iter(results.values()))), "rank"] if results else ["rank"]
    Outcome.objects.bulk_update(moved, fields, batch_size=500)
    _keep_tallies(campaign, sums, present)
    return [*made, *moved]


def _ranks_of(scheme: SchemeText, present: Mapping[Key, Outcome], fresh: Mapping[Key, Result]) -> dict[Key, int]:
    """Ranks over all results, those not scored anew read back from their sums."""
    missing = [key for key in present if key not in fresh]
    if not missing:
        return ranked(scheme, fresh)
    tallies = Tally.objects.filter(outcome__in=[present[key].pk for key in missing]).in_bulk(field_name="outcome_id")
    kept = {}
    for key in missing:
        tally = tallies.get(present[key].pk)
        if tally is not None:
            kept[key] = score(scheme, Sums(tally.measures, tally.cases).as_measures(), tally.cases)
    return ranked(scheme, {**kept, **fresh})


def _words(result: Result) -> dict[str, Any]:
    return {
        "score": result.score,
        "grade": result.grade,
        "why_not": str(result.why_not),
        "earned": result.earned.quantize(Decimal("0.000001")),
        "possible": result.possible.quantize(Decimal("0.01")),
        "bonus": result.bonus.quantize(Decimal("0.01")),
        "deduction": result.deduction.quantize(Decimal("0.01")),
        "vetoes": list(result.vetoes),
        "gates": list(result.gates),
        "points": {each.code: [str(each.points), str(each.standing)] for each in result.elements},
    }


def _keep_tallies(campaign: Campaign, sums: Mapping[Key, Sums], outcomes: Mapping[Key, Outcome]) -> None:
    known = {tally.outcome_id: tally for tally in Tally.objects.filter(campaign=campaign)}
    made, moved = [], []
    for key, found in sums.items():
        outcome = outcomes[key]
        tally = known.get(outcome.pk)
        if tally is None:
            made.append(
                Tally(
                    outcome=outcome,
                    campaign=campaign,
                    region_code=outcome.region_code,
                    insurer_id=outcome.insurer_id,
                    agency_id=outcome.agency_id,
                    expert_id=outcome.expert_id,
                    measures=found.measures,
                    cases=found.cases,
                )
            )
        elif tally.measures != found.measures or tally.cases != found.cases:
            tally.measures, tally.cases = found.measures, found.cases
            moved.append(tally)
    Tally.objects.bulk_create(made, batch_size=500)
    Tally.objects.bulk_update(moved, ["measures", "cases"], batch_size=500)


def result_of(scheme: SchemeText, tally: Tally) -> Result:
    """The result again from its sums, with every element's share and measure."""
    return score(scheme, Sums(tally.measures, tally.cases).as_measures(), tally.cases)
