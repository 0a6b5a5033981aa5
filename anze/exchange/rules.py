"""Code lists of the data exchange."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class BatchState(TextChoices):
    """An upload is checked before its sender confirms it; what a machine sends begins with RECEIVED."""

    CHECKING = "CHECKING", _("being checked")
    CHECKED = "CHECKED", _("checked, not yet published")
    CANCELLED = "CANCELLED", _("cancelled by the sender")
    RECEIVED = "RECEIVED", _("received, waiting to be published")
    DONE = "DONE", _("published")
    FAILED = "FAILED", _("failed")


class Outcome(TextChoices):
    """What became of one row; a batch keeps one letter a row."""

    CREATED = "A", _("created")
    UPDATED = "U", _("updated")
    UNCHANGED = "S", _("unchanged")
    REJECTED = "R", _("rejected")


class KeyAlgorithm(TextChoices):
    ED25519 = "ed25519", _("Ed25519")
    HMAC_SHA256 = "hmac-sha256", _("HMAC-SHA-256")


# code → (what is wrong, what to do). A feed's own checks bring their own words.
FINDINGS: dict[str, tuple[Promise, Promise]] = {
    "broken_json": (
        _("The row is not valid JSON: %(problem)s"),
        _("Send one JSON object a row, encoded in UTF-8."),
    ),
    "wrong_encoding": (
        _("The row is not UTF-8 text."),
        _("Encode the data in UTF-8; GBK and UTF-16 are not accepted by the interface."),
    ),
    "not_an_object": (_("The row is not a JSON object."), _("Send each record as {…} with named fields.")),
    "unknown_field": (
        _("There is no field of this name in the dataset."),
        _("Remove the field, or correct its name by the data dictionary."),
    ),
    "missing_field": (_("A required field is missing."), _("Fill in the field.")),
    "wrong_type": (
        _("Expected %(expected)s, got %(got)s."),
        _("Send the value in the type of the data dictionary."),
    ),
    "bad_value": (
        _("The value cannot be accepted: %(problem)s"),
        _("Correct the value by the data dictionary."),
    ),
    "not_in_code_list": (
        _("“%(value)s” is not in the code list."),
        _("Use one of: %(codes)s."),
    ),
    "too_long": (_("The text is longer than %(limit)s characters."), _("Shorten the text.")),
    "forbidden_character": (_("The text contains a NUL character."), _("Remove the character.")),
    "too_precise": (
        _("More than %(places)s decimal places."),
        _("Round the amount yourself; it is not rounded here."),
    ),
    "too_large": (_("The number is out of range."), _("Check the unit: amounts are in yuan.")),
    "bad_credit_code": (
        _("The credit code's check digit is wrong."),
        _("Copy the 18 characters from the business licence."),
    ),
    "duplicate_in_batch": (
        _("Row %(first)s of the same batch has the same key."),
        _("Send each record once; put corrections into a later batch."),
    ),
    "newer_on_file": (
        _("A batch you sent later has written this record already."),
        _("Nothing, if the record is right as it is; otherwise send it again in a new batch."),
    ),
    "event_in_future": (_("The day of the event lies in the future."), _("Report it when it has happened.")),
    "date_out_of_calendar": (
        _("The date lies outside the working-day calendar."),
        _("Check the year; records from before 2023 are not taken."),
    ),
    "date_out_of_range": (
        _("The date lies outside the years 1900 to 2199."),
        _("Check the year; leave the field empty if the day is not known."),
    ),
    "blank_in_number": (
        _("The number contains a blank or a control character."),
        _("Send the number without blanks, as it is printed."),
    ),
    "too_few_lines": (_("At least %(limit)s lines are needed."), _("Add the missing lines.")),
    "too_many_lines": (
        _("More than %(limit)s lines."),
        _("Divide the record into several with numbers of their own."),
    ),
    "bad_after_value": (
        _("The new value cannot be read for this kind of endorsement."),
        _("Headcount: a whole number. Limit: an amount in yuan. Period: the new last day as 2027-03-31."),
    ),
    "enterprise_not_yours": (
        _("None of your policies covers the enterprise “%(value)s”."),
        _("Send the policy first, or correct the credit code."),
    ),
    "unknown_enterprise": (
        _("No enterprise with the credit code “%(value)s” is on file."),
        _("Check the code. A new enterprise is first entered by the emergency management authority."),
    ),
    "unknown_policy": (
        _("You have no policy “%(value)s”."),
        _("Send the policy first, or correct the number."),
    ),
    "policy_of_another_insurer": (
        _("The policy “%(value)s” belongs to another insurer."),
        _("Report only on your own policies."),
    ),
    "unknown_agency": (
        _("No service agency with the code “%(value)s” is on file."),
        _("Use the agency's platform code; new agencies register first."),
    ),
    "unknown_task": (
        _("There is no task of yours with this number."),
        _("Copy the number from your list of tasks, or leave it empty."),
    ),
    "unknown_expert": (
        _("No expert “%(value)s” is on file."),
        _("Use the expert number of the expert register."),
    ),
    "unknown_service": (
        _("You have no service “%(value)s”."),
        _("Send the service first, or correct the number."),
    ),
    "unknown_plan": (
        _("You have no service plan “%(value)s”."),
        _("Send the plan first, or correct the number."),
    ),
    "unknown_plan_item": (
        _("Your plans have no item “%(value)s”."),
        _("Send the plan first, or correct the item."),
    ),
    "unknown_accident": (
        _("You have no accident “%(value)s”."),
        _("Send the accident first, or correct the number."),
    ),
    "region_not_yours": (
        _("The region “%(value)s” is not in your area."),
        _("Report only on your own area; pass the record to the unit in charge."),
    ),
    "record_elsewhere": (
        _("The record “%(value)s” is on file outside your area."),
        _("Only the unit in charge there can correct it; handing it over is for the level above both."),
    ),
    "unknown_region": (_("There is no region “%(value)s”."), _("Use a county's code by GB/T 2260.")),
}


class ConnectorState(TextChoices):
    ACTIVE = "ACTIVE", pgettext_lazy("connector", "pulling")
    PAUSED = "PAUSED", _("paused")
    FAILING = "FAILING", _("failing, tried again")


CONNECTOR_TONES: dict[str, str] = {"ACTIVE": "success", "PAUSED": "", "FAILING": "danger"}


class RunState(TextChoices):
    RUNNING = "RUNNING", _("running")
    DONE = "DONE", pgettext_lazy("run", "done")
    FAILED = "FAILED", _("failed")


class PullFailure(TextChoices):
    """Why a run failed, in words; what exactly was answered stands beside it."""

    NO_ADDRESS = "NO_ADDRESS", _("the host name leads nowhere")
    NOT_ALLOWED = "NOT_ALLOWED", _("the address is not allowed")
    UNREACHED = "UNREACHED", _("the app could not be reached, or asked to wait for too long")
    REFUSED = "REFUSED", _("the app refused the request")
    UNREADABLE = "UNREADABLE", _("the answer cannot be read")
    TOO_LARGE = "TOO_LARGE", _("the answer is too large")
    BROKEN_OFF = "BROKEN_OFF", _("the run was broken off and is resumed by the next")
    PLATFORM = "PLATFORM", _("an error of the platform; its log has more")


RUN_TONES: dict[str, str] = {"RUNNING": "info", "DONE": "success", "FAILED": "danger"}


# of the interface: the first number changes when a program that sends must change
INTERFACE_VERSION = "1.0.0"
