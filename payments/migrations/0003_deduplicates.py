from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("payments", "0002_laws"),)

    operations = (
        migrations.AddField(
            model_name="provider",
            name="deduplicates",
            field=models.BooleanField(
                default=True,
                help_text="The gateway refuses a reference that it has seen. Where it does not, nothing of which it may know is sent a second time: people decide instead.",
            ),
        ),
    )
