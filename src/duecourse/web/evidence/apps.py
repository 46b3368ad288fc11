"""The app's entry in Django's registry."""

from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    """duecourse.web.evidence."""

    name = "duecourse.web.evidence"
    label = "evidence"
    default_auto_field = "django.db.models.BigAutoField"
