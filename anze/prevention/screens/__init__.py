"""Pages of prevention services: topics, tasks, plans, orders, services."""

from anze.prevention.screens import bulk, confirmations, orders, phone, progress, reports, tasks, topics
from anze.prevention.screens.records import SERVICES
from anze.prevention.screens.visits import VISITS

__all__ = ["SERVICES", "VISITS", "bulk", "confirmations", "orders", "phone", "progress", "reports", "tasks", "topics"]
