"""The gateway log names the request of ours that caused a call."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0003_deduplicates"),
    ]

    operations = [
        migrations.AddField(
            model_name="gatewayrequest",
            name="request_id",
            field=models.CharField(blank=True, max_length=64),
        ),
    ]
