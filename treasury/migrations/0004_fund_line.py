"""The fund's view of the books: a proxy, so nothing changes in the database."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = (("ledger", "0002_laws"), ("treasury", "0003_paper"))

    operations = (
        migrations.CreateModel(
            name="FundLine",
            fields=[],
            options={
                "verbose_name": "fund ledger line",
                "ordering": ("-posted_at", "-id"),
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("ledger.ledgerentry",),
        ),
    )
