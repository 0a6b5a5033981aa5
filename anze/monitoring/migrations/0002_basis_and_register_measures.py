from django.db import migrations, models


class Migration(migrations.Migration):
    """Cells are counted anew by the next refresh, because the definitions have changed."""

    dependencies = [("monitoring", "0001_initial")]

    operations = [
        migrations.AddField("state", "basis", models.CharField(db_default="", default="", max_length=32)),
        migrations.RemoveField("coveragecell", "insured_uncertain"),
        migrations.AddField("coveragecell", "obliged_confirmed", models.BigIntegerField(default=0)),
        migrations.AddField("coveragecell", "insured_confirmed", models.BigIntegerField(default=0)),
        migrations.AddField("coveragecell", "insured_all", models.BigIntegerField(default=0)),
        migrations.AddField("coveragecell", "voluntary", models.BigIntegerField(default=0)),
        migrations.RemoveField("completioncell", "services"),
    ]
