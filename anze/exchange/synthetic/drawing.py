"""The province decided as a whole: everything that has to add up, what depends on other things after them."""

from __future__ import annotations

import gc
from datetime import date

from anze.exchange.synthetic import anomalies
from anze.exchange.synthetic import visits as visiting
from anze.exchange.synthetic.calendar import Year
from anze.exchange.synthetic.enterprises import draw_enterprises, put_on_register
from anze.exchange.synthetic.entities import Enterprise, Policy, Province, Visit
from anze.exchange.synthetic.figures import figures
from anze.exchange.synthetic.losses import draw_losses
from anze.exchange.synthetic.money import spend
from anze.exchange.synthetic.parties import agencies_by_city, draw_agencies, draw_insurers, insurers_by_city
from anze.exchange.synthetic.policies import draw_policies
from anze.exchange.synthetic.teams import assign_teams


def draw(seed: int, scale: float, as_of: date) -> Province:
    """The province of a seed, a scale and a reference day; the same three give the same province.

    ValueError when the scale is out of bounds or the working-day calendar does not reach the day.
    """
    collects = gc.isenabled()
    # nothing drawn is garbage, and looking for some among millions of things takes a third of the time
    gc.disable()
    try:
        return _draw(seed, scale, as_of)
    finally:
        if collects:
            gc.enable()


def _draw(seed: int, scale: float, as_of: date) -> Province:
    counts, year = figures(scale), Year(as_of)
    insurers = draw_insurers(seed, counts.insurers)
    market = insurers_by_city(insurers)
    agencies = draw_agencies(seed, year, counts)
    serving = agencies_by_city(agencies)

    enterprises: list[Enterprise] = []
    policies: list[Policy] = []
    done: list[Visit] = []
    perhaps: list[tuple[float, Visit]] = []
    later = []
    for enterprise, fate, random in draw_enterprises(seed, counts):
        draw_policies(enterprise, fate, market[enterprise.county.city], year, random)
        put_on_register(enterprise, fate, year, random)
        enterprises.append(enterprise)
        policies += enterprise.policies
        later.append((enterprise, random))
    anomalies.sell_too_cheaply(policies, counts, year, seed)
    for enterprise, random in later:
        for policy in enterprise.policies:
            visiting.draw_plan(policy, serving[enterprise.county.city], year, random)
            certain, possible = visiting.draw_visits(policy, year, random)
            done += certain
            perhaps += possible

    visits = visiting.choose_visits(done, perhaps, counts, year)
    visiting.plan_campaign(policies, visits, counts, year, seed)
    visiting.commission(visits, agencies, serving, seed)
    visiting.count_experts(visits, counts, seed)
    experts = assign_teams(visits, year, seed)
    visiting.choose_reports(visits, counts)
    bookings = anomalies.double_book(visits, counts, year, seed)
    anomalies.copy_reports(visits, counts, seed)
    anomalies.report_very_late(visits, counts, year, seed)

    anomalies.overspend(policies, counts, seed)
    spend(policies, counts.expense_cents, year, seed)
    anomalies.invoice_twice(visits, policies, counts, seed)
    draw_losses(policies, counts, year, seed)

    province = Province(seed, scale, as_of, insurers, agencies, experts, enterprises, policies, visits, bookings)
    _number(province)
    return province


def _number(province: Province) -> None:
    """Numbers run within each insurer, in the order of the days; none is ever used twice."""
    for policy in province.policies:
        policy.insurer.policies.append(policy)
    for insurer in province.insurers:
        mark = f"37{insurer.index + 1:02d}"
        insurer.policies.sort(key=lambda p: (p.issued, p.enterprise.index, p.serial))
        for n, policy in enumerate(insurer.policies, 1):
            policy.number = f"PSD{policy.issued.year}{mark}{n:07d}"
            if policy.planned_on:
                policy.plan_number = f"FA{policy.planned_on.year}{mark}{n:07d}"
            if policy.shared_cents and policy.shared_day:
                policy.shared_number = f"FY{policy.shared_day.year}{mark}G{n:06d}"
        visits = [visit for policy in insurer.policies for visit in policy.visits]
        visits.sort(key=lambda v: (v.day, v.policy.enterprise.index, v.policy.serial, v.key))
        for n, visit in enumerate(visits, 1):
            visit.number = f"FW{visit.day.year}{mark}{n:07d}"
            if visit.cents:
                visit.expense_number = f"FY{visit.day.year}{mark}{n:07d}"
        losses = [loss for policy in insurer.policies for loss in policy.losses]
        losses.sort(key=lambda loss: (loss.day, loss.key))
        for n, loss in enumerate(losses, 1):
            loss.number = f"LP{loss.day.year}{mark}{n:06d}"
            if loss.has_accident:
                loss.accident_number = f"SG{loss.day.year}{mark}{n:06d}"
