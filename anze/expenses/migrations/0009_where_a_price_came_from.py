from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("expenses", "0008_prices_above_what_was_agreed"),
    ]

    operations = [
        migrations.AddField(
            model_name="statementline",
            name="ordered",
            field=models.DecimalField(decimal_places=2, max_digits=12, null=True, verbose_name="price of the order"),
        ),
        # of lines that were drawn up before, nobody noted it
        migrations.AddField(
            model_name="statementline",
            name="source",
            field=models.CharField(
                choices=[
                    ("AGREEMENT", "by framework agreement"),
                    ("ORDER", "by the order"),
                    ("PLAN", "as planned"),
                    ("CHARGED", "as charged"),
                    ("NONE", "no price known"),
                    ("CORRECTED", "corrected by the insurer"),
                ],
                default="",
                max_length=10,
                verbose_name="where the price came from",
            ),
            preserve_default=False,
        ),
    ]
