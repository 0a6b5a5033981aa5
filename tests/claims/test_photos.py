"""Photos of a loss come with the notice or after it, and stand on the claim."""

from __future__ import annotations

from datetime import date

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from anze.claims.models import LossNotice
from anze.claims.rules import AccidentType
from anze.evidence.models import Media
from anze.kernel.models import Parameter
from anze.kernel.parameters import begin_value
from anze.parties.rules import Role
from anze.underwriting.models import Policy
from tests.hazards.test_links import photo

LOSS = {
    "occurred_at": "2026-11-20T09:00", "place": "浇注区", "description": "钢水外溅", "deaths": "0",
    "serious_injuries": "1", "minor_injuries": "0", "claimed": "0", "contact": "示例班长",
}  # fmt: skip


def test_photos_of_the_place_come_with_the_notice_and_stand_on_the_claim(cast, claim, browser_of):
    made = claim()
    enterprise = browser_of(Role.ENTERPRISE)
    words = {**LOSS, "kind": AccidentType.values[0], "policy": str(made.policy_id)}
    broken = SimpleUploadedFile("a.jpg", b"no picture", "image/jpeg")
    # a picture nobody can read keeps the notice back
    assert enterprise.post(reverse("loss-new"), {**words, "photos": [broken]}).status_code == 422
    assert not LossNotice.objects.exists()
    assert enterprise.post(reverse("loss-new"), {**words, "photos": [photo()]}).status_code == 302
    notice = LossNotice.objects.get()
    later = reverse("loss-notice-photos", args=[notice.pk])
    insurer = browser_of(Role.INSURER_CLERK)
    assert insurer.post(later, {"photos": [photo("blue")]}).status_code == 302
    assert browser_of(Role.INSURER_CLERK, other=True).post(later, {"photos": [photo("green")]}).status_code == 404
    assert Media.objects.filter(subject_kind="loss-notice", subject=notice.pk).count() == 2
    LossNotice.objects.update(state="REGISTERED", claim=made)
    small = [reverse("media-small", args=[each.pk]) for each in Media.objects.all()]
    for browser in (insurer, enterprise):
        text = browser.get(reverse("claim", args=[made.pk])).content.decode()
        assert all(address in text for address in small)
    # a claim without photos opens as well
    LossNotice.objects.update(state="SENT", claim=None)
    assert insurer.get(reverse("claim", args=[made.pk])).status_code == 200


def test_a_loss_is_told_under_a_policy_as_long_as_its_limitation_may_run(cast, claim, browser_of):
    made = claim()
    Policy.objects.filter(pk=made.policy_id).update(cover_end_on=date(2024, 6, 1))
    enterprise = browser_of(Role.ENTERPRISE)
    offered = lambda: str(made.policy_id) in enterprise.get(reverse("loss-new")).content.decode()  # noqa: E731
    assert offered()
    years = Parameter.objects.get(key="claim_limitation_years")
    begin_value(years, value="1", effective_from=date(2026, 1, 1), source="", status="UNVERIFIED")
    assert not offered()
