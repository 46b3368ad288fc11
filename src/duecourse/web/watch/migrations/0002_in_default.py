"""Alerts say since when their buyer is in default."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("watch", "0001_initial")]

    operations: ClassVar = [
        migrations.AddField(model_name="alert", name="in_default_since", field=models.DateField(blank=True, null=True)),
    ]
