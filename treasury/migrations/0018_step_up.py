"""Above a threshold whoever decides shows a second factor."""

from django.db import migrations, models

import ledger.models.account


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0008_second_factor"),
        ("treasury", "0017_batch_laws"),
    ]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="step_up_required",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="paymentpolicy",
            name="step_up_above",
            field=ledger.models.account.MoneyField(
                blank=True, decimal_places=4, max_digits=24, null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("step_up_above__isnull", True), ("step_up_above__gte", 0), _connector="OR"
                ),
                name="treasury_paymentpolicy_step_up",
            ),
        ),
    ]
