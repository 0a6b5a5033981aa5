from django.db import migrations

# Findings of before editions were kept: by their day, where the criterion or the hazard of the library is known.
# Not even the owner sees rows of others unless he asks.
FILL = """
UPDATE hazards_hazard h SET criterion_edition = f.edition
FROM (
    SELECT g.id, CASE WHEN g.criterion_code <> '' THEN (
        SELECT s.code FROM library_criterion c JOIN library_standard s ON s.id = c.standard_id
        WHERE c.code = g.criterion_code AND coalesce(s.effective_from::text, s.issued) <= g.found_on::text
          AND (s.effective_to IS NULL OR s.effective_to >= g.found_on)
        ORDER BY coalesce(s.effective_from::text, s.issued) DESC LIMIT 1
    ) ELSE (
        SELECT s.code FROM library_hazardentry e LEFT JOIN library_criterion c ON c.id = e.criterion_id
        JOIN library_standard s ON s.id = coalesce(c.standard_id, e.standard_id)
        WHERE e.code = g.entry_code AND (e.effective_from IS NULL OR e.effective_from <= g.found_on)
          AND (e.effective_to IS NULL OR e.effective_to >= g.found_on)
        ORDER BY e.version DESC LIMIT 1
    ) END AS edition
    FROM hazards_hazard g WHERE g.criterion_edition = '' AND (g.criterion_code <> '' OR g.entry_code <> '')
) f
WHERE f.id = h.id AND f.edition IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("hazards", "0009_editions_and_closing_reports"),
        ("library", "0002_materials_trainings_drafts"),
    ]

    operations = [
        migrations.RunSQL("ALTER TABLE hazards_hazard NO FORCE ROW LEVEL SECURITY"),
        migrations.RunSQL(FILL, elidable=True),
        migrations.RunSQL("ALTER TABLE hazards_hazard FORCE ROW LEVEL SECURITY"),
    ]
