"""Pages of prevention services: topics, tasks, plans, orders, visits, services."""

from anze.prevention.screens import (
    agreements,
    annual,
    archive,
    bulk,
    complaints,
    confirmations,
    conflicts,
    likeness,
    orders,
    partners,
    phone,
    plans,
    progress,
    quality,
    reports,
    tasks,
    topics,
    week,
)
from anze.prevention.screens.records import SERVICES
from anze.prevention.screens.visits import VISITS

__all__ = [
    "SERVICES",
    "VISITS",
    "agreements",
    "annual",
    "archive",
    "bulk",
    "complaints",
    "confirmations",
    "conflicts",
    "likeness",
    "orders",
    "partners",
    "phone",
    "plans",
    "progress",
    "quality",
    "reports",
    "tasks",
    "topics",
    "week",
]
