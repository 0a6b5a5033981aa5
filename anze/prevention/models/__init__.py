"""Tables of prevention services: topics, tasks, plans, orders, services."""

from anze.prevention.models.orders import Conflict, Order, OrderExpert
from anze.prevention.models.plans import FINGERPRINT, Plan, PlanConfirmation, PlanItem
from anze.prevention.models.records import Service, ServicePerson
from anze.prevention.models.topics import AnnualPlan, Task, TaskShare, Topic
from anze.prevention.models.visits import Visit, VisitChange, VisitEntry

__all__ = [
    "FINGERPRINT",
    "AnnualPlan",
    "Conflict",
    "Order",
    "OrderExpert",
    "Plan",
    "PlanConfirmation",
    "PlanItem",
    "Service",
    "ServicePerson",
    "Task",
    "TaskShare",
    "Topic",
    "Visit",
    "VisitChange",
    "VisitEntry",
]
