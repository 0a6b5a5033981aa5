import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("prevention", "0003_scope_keys")]

    operations = [
        migrations.AddField(
            "serviceperson",
            "policy",
            models.ForeignKey(
                db_constraint=False,
                default="00000000-0000-0000-0000-000000000000",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="underwriting.policy",
            ),
            preserve_default=False,
        ),
    ]
