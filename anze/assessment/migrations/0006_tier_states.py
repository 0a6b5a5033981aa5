"""What became of a tier, by which later assessment, and when its feedback was answered. Those ended before were all
replaced by a later one."""

import django.db.models.deletion
from django.db import migrations, models

ENDED = "UPDATE assessment_supervised SET state = 'REPLACED' WHERE until_on IS NOT NULL"
ANSWERED = """
UPDATE assessment_supervised s SET answered_at = f.answered_at
FROM assessment_feedback f WHERE f.outcome_id = s.outcome_id AND f.answered_at IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("assessment", "0005_supervision_tiers"),
    ]

    operations = [
        migrations.AddField(
            model_name="supervised",
            name="answered_at",
            field=models.DateTimeField(null=True, verbose_name="answered at"),
        ),
        migrations.AddField(
            model_name="supervised",
            name="later",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="assessment.campaign",
                verbose_name="later assessment",
            ),
        ),
        migrations.AddField(
            model_name="supervised",
            name="state",
            field=models.CharField(
                choices=[
                    ("IN_FORCE", "in force"),
                    ("KEPT", "kept: not graded in the later assessment"),
                    ("REPLACED", "replaced by the later result"),
                    ("LEFT", "ended: no longer assessed"),
                ],
                default="IN_FORCE",
                max_length=8,
                verbose_name="state",
            ),
        ),
        migrations.RunSQL("ALTER TABLE assessment_supervised NO FORCE ROW LEVEL SECURITY", migrations.RunSQL.noop),
        migrations.RunSQL("ALTER TABLE assessment_feedback NO FORCE ROW LEVEL SECURITY", migrations.RunSQL.noop),
        migrations.RunSQL(ENDED, migrations.RunSQL.noop, elidable=True),
        migrations.RunSQL(ANSWERED, migrations.RunSQL.noop, elidable=True),
        migrations.RunSQL("ALTER TABLE assessment_feedback FORCE ROW LEVEL SECURITY", migrations.RunSQL.noop),
        migrations.RunSQL("ALTER TABLE assessment_supervised FORCE ROW LEVEL SECURITY", migrations.RunSQL.noop),
    ]
