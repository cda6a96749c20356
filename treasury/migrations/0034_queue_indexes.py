"""Indexes by which the queue of those who approve reads variances in its order, and returns that are open."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("treasury", "0033_payments_of_a_requisition"),)

    operations = (
        migrations.RemoveIndex(
            model_name="varianceadjustment",
            name="treasury_variance_waiting",
        ),
        migrations.AddIndex(
            model_name="reversal",
            index=models.Index(
                condition=models.Q(("confirmed_at", None), ("withdrawn_at", None)),
                fields=["payment"],
                name="treasury_reversal_open",
            ),
        ),
        migrations.AddIndex(
            model_name="varianceadjustment",
            index=models.Index(
                models.OrderBy(
                    models.Case(
                        models.When(then=models.Value(2), variance_amount__gt=0),
                        default=models.Value(1),
                        output_field=models.IntegerField(),
                    ),
                    descending=True,
                ),
                models.F("created_at"),
                models.F("variance_id"),
                condition=models.Q(("status", "pending")),
                name="treasury_variance_queue",
            ),
        ),
    )
