"""What the phone app says, in both languages, from the catalogues like every other text."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import npgettext, override, pgettext_lazy


class Words:
    """Texts by key. One that depends on a count is a function of it; its singular stands under `<key>_one`."""

    def __init__(self, texts: dict[str, str | Promise], counted: dict[str, Callable[[int], str]]) -> None:
        self._texts = texts
        self._counted = counted

    def said(self, language: str) -> dict[str, str]:
        with override(language):
            plain = {key: str(text) for key, text in self._texts.items()}
            one = {f"{key}_one": text(1) for key, text in self._counted.items()}
            return plain | one | {key: text(2) for key, text in self._counted.items()}


# {…} is filled in by the app
WORDS = Words(
    {
        "title": pgettext_lazy("phone", "On-site work"),
        "back": pgettext_lazy("phone", "Back"),
        "today": pgettext_lazy("phone", "Today"),
        "unfinished": pgettext_lazy("phone", "Not finished"),
        "coming": pgettext_lazy("phone", "Next days"),
        "on_file": pgettext_lazy("phone", "On file"),
        "visit": pgettext_lazy("phone", "Visit"),
        "enterprise": pgettext_lazy("phone", "Enterprise"),
        "scan": pgettext_lazy("phone", "Scan the enterprise's code, or pick it"),
        "open_camera": pgettext_lazy("phone", "Open the camera"),
        "no_scanner": pgettext_lazy("phone", "This browser cannot read codes: type the name, or pick from the list."),
        "no_camera": pgettext_lazy("phone", "The camera cannot be used. Type the name, or pick from the list."),
        "type_or_pick": pgettext_lazy("phone", "Name or credit code"),
        "code_unknown": pgettext_lazy(
            "phone", "This code belongs to no enterprise of yours. Pick it from the list, or ask the insurer."
        ),
        "no_order_here": pgettext_lazy("phone", "There is no order for you here. Ask the insurer for one."),
        "which_service": pgettext_lazy("phone", "Which service is it?"),
        "no_visits": pgettext_lazy("phone", "No visits in the next days."),
        "first_online": pgettext_lazy("phone", "Open the app once with a network: it takes everything along."),
        "no_such_visit": pgettext_lazy("phone", "This visit is not on this device."),
        "begin": pgettext_lazy("phone", "Begin the visit"),
        "begun": pgettext_lazy("phone", "The visit has begun."),
        "begun_at": pgettext_lazy("phone", "Begun {time}"),
        "ended_at": pgettext_lazy("phone", "Ended {time}"),
        "accuracy": pgettext_lazy("phone", "Position ±{metres} m"),
        "position_denied": pgettext_lazy("phone", "Position not allowed"),
        "position_unavailable": pgettext_lazy("phone", "No position"),
        "position_timeout": pgettext_lazy("phone", "No signal for the position"),
        "looking_for_position": pgettext_lazy("phone", "Looking for the position…"),
        "people": pgettext_lazy("phone", "Persons present"),
        "somebody_else": pgettext_lazy("phone", "Somebody else"),
        "role": pgettext_lazy("phone", "Role"),
        "name": pgettext_lazy("phone", "Name"),
        "my_code": pgettext_lazy("phone", "My code for the gate"),
        "my_code_why": pgettext_lazy("phone", "The enterprise scans it and sees who sent you. Valid on {day}."),
        "post": pgettext_lazy("phone", "Post"),
        "add": pgettext_lazy("phone", "Add"),
        "say_name": pgettext_lazy("phone", "Give the name."),
        "recheck": pgettext_lazy("phone", "Earlier hazards"),
        "no_open_hazards": pgettext_lazy("phone", "No open hazards from earlier visits."),
        "found_on": pgettext_lazy("phone", "found"),
        "checklist": pgettext_lazy("phone", "Checklist"),
        "no_checklist": pgettext_lazy("phone", "There is no checklist for this visit on this device."),
        "text_unverified": pgettext_lazy("phone", "text not yet checked against the published one"),
        "progress": pgettext_lazy("phone", "Progress"),
        "item": pgettext_lazy("phone", "Item"),
        "yes": pgettext_lazy("phone", "Yes"),
        "no": pgettext_lazy("phone", "No"),
        "na": pgettext_lazy("phone", "Not applicable"),
        "record_as_finding": pgettext_lazy("phone", "Record as a hazard"),
        "photos": pgettext_lazy("phone", "Photos"),
        "photo": pgettext_lazy("phone", "Photo"),
        "photos_why": pgettext_lazy(
            "phone", "Photos of the site with time and place. The original is kept as the camera gave it."
        ),
        "photo_site": pgettext_lazy("phone", "Photo of the site"),
        "mark": pgettext_lazy("phone", "Unified service mark"),
        "mark_why": pgettext_lazy("phone", "Badge, clothing or board with the mark."),
        "photo_mark": pgettext_lazy("phone", "Photo of the mark"),
        "take_photo": pgettext_lazy("phone", "Take a photo"),
        "remove_last_photo": pgettext_lazy("phone", "Remove the last photo"),
        "surely_remove_photo": pgettext_lazy("phone", "Remove the last photo from this entry?"),
        "original_on_server": pgettext_lazy("phone", "The original has been sent and is no longer on this device."),
        "photo_failed": pgettext_lazy("phone", "The photo could not be kept."),
        "no_preview": pgettext_lazy("phone", "This browser cannot show the picture; the original is kept."),
        "arrow": pgettext_lazy("phone", "Arrow"),
        "words": pgettext_lazy("phone", "Words"),
        "text_on_photo": pgettext_lazy("phone", "Type, then tap the place"),
        "undo": pgettext_lazy("phone", "Undo"),
        "done": pgettext_lazy("phone", "Done"),
        "clear": pgettext_lazy("phone", "Clear"),
        "notes": pgettext_lazy("phone", "Notes"),
        "note": pgettext_lazy("phone", "Note"),
        "save": pgettext_lazy("phone", "Save"),
        "findings": pgettext_lazy("phone", "Hazards found"),
        "finding": pgettext_lazy("phone", "Hazard"),
        "new_finding": pgettext_lazy("phone", "Record a hazard"),
        "nothing_found": pgettext_lazy("phone", "Nothing found"),
        "nil_stated": pgettext_lazy("phone", "Stated: looked at everything, nothing found"),
        "take_back": pgettext_lazy("phone", "Take back"),
        "surely_nil": pgettext_lazy("phone", "State that you looked and found no hazard?"),
        "search_library": pgettext_lazy("phone", "Search: words or place"),
        "none_in_library": pgettext_lazy(
            "phone", "Nothing in the library fits these words. Search with fewer, or write it freely."
        ),
        "none_to_pick": pgettext_lazy("phone", "None of the enterprises you serve fits."),
        "contact": pgettext_lazy("phone", "Contact"),
        "free_finding": pgettext_lazy("phone", "Write it freely"),
        "choose_again": pgettext_lazy("phone", "Choose another one"),
        "what_found": pgettext_lazy("phone", "What was found"),
        "class": pgettext_lazy("phone", "Class"),
        "class_suggested": pgettext_lazy("phone", "Suggested by the library; you decide."),
        "general": pgettext_lazy("phone", "general hazard"),
        "major": pgettext_lazy("phone", "major hazard"),
        "principal_told": pgettext_lazy("phone", "The principal was told in person"),
        "where": pgettext_lazy("phone", "Where"),
        "deadline": pgettext_lazy("phone", "To be rectified by"),
        "owner": pgettext_lazy("phone", "Responsible at the enterprise"),
        "advice": pgettext_lazy("phone", "Advice"),
        "basis": pgettext_lazy("phone", "Basis"),
        "save_finding": pgettext_lazy("phone", "Save the hazard"),
        "say_what_found": pgettext_lazy("phone", "Say what was found."),
        "say_deadline": pgettext_lazy("phone", "Give the day by which it is to be rectified."),
        "kept_here": pgettext_lazy("phone", "Kept on this device."),
        "not_kept": pgettext_lazy("phone", "It could not be kept."),
        "device_full": pgettext_lazy(
            "phone", "The device is full. Nothing that was kept is lost. Free some space, then try again."
        ),
        "remove": pgettext_lazy("phone", "Remove"),
        "surely_remove": pgettext_lazy("phone", "Remove this entry?"),
        "yes_do": pgettext_lazy("phone", "Yes, do it"),
        "no_keep": pgettext_lazy("phone", "No, leave it"),
        "sign_expert": pgettext_lazy("phone", "Expert's signature"),
        "sign_enterprise": pgettext_lazy("phone", "Enterprise's signature"),
        "sign_here": pgettext_lazy("phone", "Field for the signature"),
        "sign_first": pgettext_lazy("phone", "Sign in the field first."),
        "save_signature": pgettext_lazy("phone", "Save the signature"),
        "signed_by": pgettext_lazy("phone", "Signed: {name}"),
        "signing_findings": pgettext_lazy("phone", "Found on this visit: {count}"),
        "signing_nil": pgettext_lazy("phone", "On this visit nothing was found."),
        "signing_nothing": pgettext_lazy("phone", "Nothing has been stated yet about what was found."),
        "finish": pgettext_lazy("phone", "Finish"),
        "finished": pgettext_lazy("phone", "The visit is finished. Submit it when all is right."),
        "submit": pgettext_lazy("phone", "Submit"),
        "submitting": pgettext_lazy("phone", "Submitting…"),
        "submits_later": pgettext_lazy("phone", "Will be submitted when there is a network"),
        "is_on_file": pgettext_lazy("phone", "On file as {number}"),
        "returned_because": pgettext_lazy("phone", "Returned: {reason}"),
        "needed": pgettext_lazy("phone", "Needed:"),
        "advised": pgettext_lazy("phone", "Advised:"),
        "two_versions": pgettext_lazy("phone", "Two people wrote different things ({kind})"),
        "came_late": pgettext_lazy("phone", "Came after the submission"),
        "late_why": pgettext_lazy("phone", "It is kept. Whoever is in charge takes it over on the visit's page."),
        "stands_now": pgettext_lazy("phone", "Stands now:"),
        "removed": pgettext_lazy("phone", "removed"),
        "keep_now": pgettext_lazy("phone", "Keep what stands"),
        "take_other": pgettext_lazy("phone", "Take the other"),
        "queue": pgettext_lazy("phone", "Sending"),
        "queue_empty": pgettext_lazy("phone", "Everything has been sent."),
        "waiting": pgettext_lazy("phone", "waiting"),
        "waiting_n": pgettext_lazy("phone", "{count} waiting"),
        "all_sent": pgettext_lazy("phone", "All sent"),
        "sending": pgettext_lazy("phone", "Sending…"),
        "offline_n": pgettext_lazy("phone", "No network, {count} kept"),
        "sign_in_to_send": pgettext_lazy("phone", "Sign in to send"),
        "sign_in": pgettext_lazy("phone", "Sign in"),
        "not_for_you": pgettext_lazy("phone", "Not for your role"),
        "last_sent": pgettext_lazy("phone", "Last reached the server {time}."),
        "never_sent": pgettext_lazy("phone", "The server has not been reached yet."),
        "send_now": pgettext_lazy("phone", "Send now"),
        "send_again": pgettext_lazy("phone", "Send again"),
        "refused": pgettext_lazy("phone", "refused"),
        "received": pgettext_lazy("phone", "received"),
        "receipts": pgettext_lazy("phone", "Receipts"),
        "seen_before": pgettext_lazy(
            "phone", "The same picture was sent before. Take a new one if that is not on purpose."
        ),
        "same_now": pgettext_lazy("phone", "This visit"),
        "same_before": pgettext_lazy("phone", "Sent before, {time}"),
        "surely_same": pgettext_lazy(
            "phone", "Photos of this visit are the same as ones sent before. Submit all the same?"
        ),
        "space": pgettext_lazy("phone", "Used {used} of {quota}"),
        "refresh": pgettext_lazy("phone", "Refresh"),
        "large_text": pgettext_lazy("phone", "Large text"),
        "platform": pgettext_lazy("phone", "Platform"),
        "sign_out": pgettext_lazy("phone", "Sign out"),
        "stay": pgettext_lazy("phone", "Cancel"),
        "locked": pgettext_lazy("phone", "You are signed out."),
        "others_work": pgettext_lazy(
            "phone", "Unsent work of another person is on this phone ({count}). It goes out when he signs in."
        ),
    },
    {
        "open_hazards_n": lambda n: npgettext("phone", "{count} open hazard", "{count} open hazards", n),
        "last_visit": lambda n: npgettext(
            "phone", "Last service {day}, {count} hazard found", "Last service {day}, {count} hazards found", n
        ),
        "photos_n": lambda n: npgettext("phone", "{count} photo", "{count} photos", n),
        "sign_in_why": lambda n: npgettext(
            "phone",
            "You are not signed in. {count} thing is kept on this device.",
            "You are not signed in. {count} things are kept on this device.",
            n,
        ),
        "clock_off": lambda n: npgettext(
            "phone",
            "This device's clock is off by {count} minute; times are put right.",
            "This device's clock is off by {count} minutes; times are put right.",
            n,
        ),
        "sign_out_why": lambda n: npgettext(
            "phone",
            "{count} thing is not sent yet. It stays on this device for you.",
            "{count} things are not sent yet. They stay on this device for you.",
            n,
        ),
        "locked_kept": lambda n: npgettext(
            "phone", "{count} unsent thing is kept on this device.", "{count} unsent things are kept on this device.", n
        ),
    },
)
