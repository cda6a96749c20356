"""How codes reach a person."""

from django.db import migrations, models

import ledger.encryption


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("ledger", "0005_webhooks"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="code_channel",
            field=models.CharField(
                choices=[("email", "E-mail"), ("sms", "SMS")],
                default="email",
                max_length=10,
                verbose_name="codes by",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="phone",
            field=ledger.encryption.EncryptedTextField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("code_channel", "email"),
                    models.Q(("code_channel", "sms"), ("phone__isnull", False)),
                    _connector="OR",
                ),
                name="ledger_user_sms_needs_phone",
            ),
        ),
    ]
