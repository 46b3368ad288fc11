"""The app's entry in Django's registry."""

from django.apps import AppConfig


class CalculatorsConfig(AppConfig):
    """duecourse.web.calculators."""

    name = "duecourse.web.calculators"
    label = "calculators"
    default_auto_field = "django.db.models.BigAutoField"
