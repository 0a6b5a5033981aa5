from django.db import migrations, models

# What was told before is kept in the one language it was written in. Not even the owner sees rows of others unless he
# asks.
FILL = "UPDATE notices_notice SET said = jsonb_build_object('', jsonb_build_array(title, text))"


class Migration(migrations.Migration):
    dependencies = [("notices", "0001_initial")]

    operations = [
        migrations.AddField(
            "notice", "said", models.JSONField(default=dict, verbose_name="text"), preserve_default=False
        ),
        migrations.RunSQL("ALTER TABLE notices_notice NO FORCE ROW LEVEL SECURITY"),
        migrations.RunSQL(FILL, elidable=True),
        migrations.RunSQL("ALTER TABLE notices_notice FORCE ROW LEVEL SECURITY"),
        migrations.RemoveField("notice", "title"),
        migrations.RemoveField("notice", "text"),
    ]
