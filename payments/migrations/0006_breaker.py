"""How often a provider did not answer in a row, and until when it rests."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0005_bank"),
    ]

    operations = [
        migrations.AddField(
            model_name="provider",
            name="rests_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="provider",
            name="unanswered",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
    ]
