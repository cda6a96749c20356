"""The payments of a requisition are found by it alone: it has few, whatever their status."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("treasury", "0032_lean_triggers"),)

    operations = (
        migrations.RemoveIndex(model_name="payment", name="treasury_payment_requisition"),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["requisition"], name="treasury_payment_of"),
        ),
    )
