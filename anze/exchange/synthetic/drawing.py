"""The province decided as a whole: everything that has to add up, what depends on other things after them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from random import Random

from anze.exchange.synthetic import anomalies
from anze.exchange.synthetic import visits as visiting
from anze.exchange.synthetic.calendar import Year
from anze.exchange.synthetic.enterprises import draw_enterprises, put_on_register
from anze.exchange.synthetic.entities import Agency, Enterprise, Insurer, Policy, Province, Visit
from anze.exchange.synthetic.figures import figures
from anze.exchange.synthetic.losses import draw_losses
from anze.exchange.synthetic.money import spend
from anze.exchange.synthetic.parties import agencies_by_city, draw_agencies, draw_insurers, insurers_by_city
from anze.exchange.synthetic.policies import draw_policies
from anze.exchange.synthetic.price_lists import draw_price_lists
from anze.exchange.synthetic.streams import Weighted
from anze.exchange.synthetic.teams import assign_teams


@dataclass(eq=False)
class Draft:
    """The province as far as the authorities know it: enterprises with their policies, no services yet."""

    seed: int
    scale: float
    as_of: date
    year: Year
    insurers: list[Insurer]
    agencies: list[Agency]
    enterprises: list[Enterprise]
    randoms: list[Random]  # each enterprise's own, to go on with

    @property
    def policies(self) -> list[Policy]:
        return [policy for enterprise in self.enterprises for policy in enterprise.policies]


def draw(seed: int, scale: float, as_of: date) -> Province:
    """The province of a seed, a scale and a reference day; the same three give the same province.

    ValueError when the scale is out of bounds or the working-day calendar does not reach the day.
    """
    return complete(begin(seed, scale, as_of))


@contextmanager
def _nothing_is_garbage() -> Iterator[None]:
    """Looking for garbage among millions of things, none of which is any, takes a third of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def begin(seed: int, scale: float, as_of: date) -> Draft:
    """Who there is, and what is insured."""
    counts, year = figures(scale), Year(as_of)
    insurers = draw_insurers(seed, counts.insurers)
    agencies = draw_agencies(seed, year, counts)
    draft = Draft(seed, scale, as_of, year, insurers, agencies, [], [])
    market, own = insurers_by_city(insurers), Weighted([(insurers[0], 1)])
    with _nothing_is_garbage():
        for enterprise, fate, random in draw_enterprises(seed, counts):
            draw_policies(
                enterprise, fate, own if enterprise.is_shown else market[enterprise.county.city], year, random
            )
            put_on_register(enterprise, fate, year, random)
            draft.enterprises.append(enterprise)
            draft.randoms.append(random)
    return draft


def complete(draft: Draft) -> Province:
    """What was done for the insured, by whom and for how much, and what happened to them."""
    seed, year, counts = draft.seed, draft.year, figures(draft.scale)
    serving = agencies_by_city(draft.agencies)
    policies = draft.policies
    with _nothing_is_garbage():
        anomalies.sell_too_cheaply(policies, counts, year, seed)
        done: list[Visit] = []
        perhaps: list[tuple[float, Visit]] = []
        for enterprise, random in zip(draft.enterprises, draft.randoms, strict=True):
            for policy in enterprise.policies:
                visiting.draw_plan(policy, serving[enterprise.county.city], year, random)
                certain, possible = visiting.draw_visits(policy, year, random)
                done += certain
                perhaps += possible
        visits = visiting.choose_visits(done, perhaps, counts, year)
        visiting.plan_campaign(policies, visits, counts, year, seed)
        visiting.commission(visits, draft.agencies, serving, seed)
        price_lists = draw_price_lists(policies, serving, draft.as_of, seed)
        visiting.count_experts(visits, counts, seed)
        experts = assign_teams(visits, year, seed)
        visiting.choose_reports(visits, counts)
        bookings = anomalies.double_book(visits, counts, year, seed)
        anomalies.copy_reports(visits, counts, seed)
        anomalies.report_very_late(visits, counts, year, seed)

        anomalies.overspend(policies, counts, seed)
        spend(policies, counts.expense_cents, year, seed)
        anomalies.invoice_twice(visits, policies, counts, seed)
        anomalies.charge_above_list(visits, policies, counts, seed)
        draw_losses(policies, counts, year, seed)
        province = Province(
            seed=seed,
            scale=draft.scale,
            as_of=draft.as_of,
            insurers=draft.insurers,
            agencies=draft.agencies,
            experts=experts,
            enterprises=draft.enterprises,
            policies=policies,
            visits=visits,
            double_bookings=bookings,
            price_lists=price_lists,
        )
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
