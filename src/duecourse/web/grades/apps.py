"""The app's entry in Django's registry."""

from django.apps import AppConfig


class GradesConfig(AppConfig):
    """duecourse.web.grades."""

    name = "duecourse.web.grades"
    label = "grades"
    default_auto_field = "django.db.models.BigAutoField"
