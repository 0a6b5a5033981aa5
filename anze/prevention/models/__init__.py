"""Tables of prevention services: topics, tasks, plans, orders, services."""

from anze.prevention.models.agreements import Agreement, AgreementPrice
from anze.prevention.models.archive import Pack, Paper
from anze.prevention.models.complaints import Complaint, ComplaintContact, ComplaintStep
from anze.prevention.models.confirmations import Confirmation, ConfirmationLink, Dispute, FollowUp, Rating
from anze.prevention.models.likeness import Likeness, ReportText
from anze.prevention.models.orders import Conflict, Order, OrderExpert
from anze.prevention.models.plans import FINGERPRINT, Plan, PlanConfirmation, PlanItem
from anze.prevention.models.quality import Population, QualityCheck, Sample
from anze.prevention.models.records import Service, ServicePerson
from anze.prevention.models.reports import Issued, Report
from anze.prevention.models.topics import AnnualPlan, Task, TaskShare, Topic
from anze.prevention.models.visits import Visit, VisitChange, VisitEntry

__all__ = [
    "FINGERPRINT",
    "Agreement",
    "AgreementPrice",
    "AnnualPlan",
    "Complaint",
    "ComplaintContact",
    "ComplaintStep",
    "Confirmation",
    "ConfirmationLink",
    "Conflict",
    "Dispute",
    "FollowUp",
    "Issued",
    "Likeness",
    "Order",
    "OrderExpert",
    "Pack",
    "Paper",
    "Plan",
    "PlanConfirmation",
    "PlanItem",
    "Population",
    "QualityCheck",
    "Rating",
    "Report",
    "ReportText",
    "Sample",
    "Service",
    "ServicePerson",
    "Task",
    "TaskShare",
    "Topic",
    "Visit",
    "VisitChange",
    "VisitEntry",
]
