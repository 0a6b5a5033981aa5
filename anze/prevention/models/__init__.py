"""Tables of prevention services: plans, orders, services."""

from anze.prevention.models.orders import Order, OrderExpert
from anze.prevention.models.plans import Plan, PlanItem
from anze.prevention.models.records import Service, ServicePerson
from anze.prevention.models.visits import Visit, VisitChange, VisitEntry

__all__ = ["Order", "OrderExpert", "Plan", "PlanItem", "Service", "ServicePerson", "Visit", "VisitChange", "VisitEntry"]
