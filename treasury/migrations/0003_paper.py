"""A payee is found however he is spelt, and nobody approves and funds a replenishment alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("treasury", "0002_laws"),)

    operations = (
        migrations.RemoveIndex(
            model_name="requisition",
            name="treasury_requisition_payee",
        ),
        migrations.AddField(
            model_name="requisition",
            name="payee_index",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddIndex(
            model_name="requisition",
            index=models.Index(
                fields=["company", "payee_index", "destination_index"],
                name="treasury_requisition_payee",
            ),
        ),
        migrations.AddConstraint(
            model_name="replenishmentrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("funded_by", models.F("approved_by")), _negated=True),
                name="treasury_replenishment_funded_by_another",
            ),
        ),
    )
