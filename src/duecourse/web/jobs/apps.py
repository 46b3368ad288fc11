"""The app's entry in Django's registry."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """duecourse.web.jobs."""

    name = "duecourse.web.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"
