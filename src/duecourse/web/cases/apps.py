"""The app's entry in Django's registry."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """duecourse.web.cases."""

    name = "duecourse.web.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"
