"""What comparisons of served and other enterprises said."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from anze.monitoring.rules.effect import Outcome, Verdict


def _enterprises(words: Any) -> Any:
    return models.BigIntegerField(words, default=0)


class EffectEstimate(models.Model):
    """One comparison (see anze/monitoring/effect.py): sums of the whole province, without names.

    `ratio` is an odds ratio; below 1 speaks for the services. Null where the groups allow none."""

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(_("insured on"))
    outcome = models.CharField(_("what happened"), max_length=8, choices=Outcome.choices)
    computed_at = models.DateTimeField(_("computed at"))
    service_days = models.PositiveSmallIntegerField(_("days before, in which services count"))
    follow_days = models.PositiveSmallIntegerField(_("days after, in which it is looked for"))
    verdict = models.CharField(_("verdict"), max_length=12, choices=Verdict.choices)
    served = _enterprises(_("enterprises served"))
    served_hit = _enterprises(_("served and hit"))
    others = _enterprises(_("enterprises not served"))
    others_hit = _enterprises(_("not served and hit"))
    left_out = _enterprises(_("enterprises without anybody to compare with"))
    ratio = models.FloatField(_("odds ratio"), null=True)
    low = models.FloatField(_("lower bound, 95 %"), null=True)
    high = models.FloatField(_("upper bound, 95 %"), null=True)

    is_public: ClassVar[bool] = True

    class Meta:
        verbose_name = _("estimate of the effect of services")
        verbose_name_plural = _("estimates of the effect of services")
        constraints: ClassVar = [models.UniqueConstraint(fields=["day", "outcome"], name="effect_once_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.outcome}"
