"""What becomes of a requisition once it is approved is no part of its indexes, so that paying it writes none anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("treasury", "0037_by_facts"),)

    operations = (
        migrations.RemoveConstraint("requisition", "treasury_requisition_source"),
        migrations.RemoveIndex("requisition", "treasury_requisition_fund"),
        migrations.RemoveIndex("requisition", "treasury_requisition_waiting"),
        # A row is changed without its indexes only where its page has room for the new one beside the old one.
        migrations.RunSQL(
            "ALTER TABLE treasury_requisition SET (fillfactor = 80)",
            "ALTER TABLE treasury_requisition RESET (fillfactor)",
        ),
        migrations.AddField(
            "requisition",
            "stage",
            models.GeneratedField(
                expression=models.Case(
                    models.When(status="submitted", then=models.Value("waiting")),
                    models.When(
                        status__in=("rejected", "cancelled"), then=models.Value("withdrawn")
                    ),
                    default=models.Value("agreed"),
                ),
                output_field=models.CharField(
                    choices=[
                        ("waiting", "Waiting"),
                        ("agreed", "Agreed"),
                        ("withdrawn", "Withdrawn"),
                    ],
                    max_length=9,
                ),
                db_persist=True,
            ),
        ),
        migrations.AddIndex(
            "requisition",
            models.Index(fields=["fund", "-requested_at"], name="treasury_requisition_fund"),
        ),
        migrations.AddIndex(
            "requisition",
            models.Index(
                models.OrderBy(models.F("risk"), descending=True),
                models.F("requested_at"),
                models.F("requisition_id"),
                condition=models.Q(stage="waiting"),
                name="treasury_requisition_waiting",
            ),
        ),
        migrations.AddConstraint(
            "requisition",
            models.UniqueConstraint(
                fields=("company", "source"),
                condition=~models.Q(source="") & ~models.Q(stage="withdrawn"),
                name="treasury_requisition_source",
            ),
        ),
    )
