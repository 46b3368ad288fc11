from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="task",
            name="about",
            field=models.JSONField(default=dict),
        ),
    ]
