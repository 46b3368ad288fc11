"""The app's entry in Django's registry."""

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """duecourse.web.documents."""

    name = "duecourse.web.documents"
    label = "documents"
    default_auto_field = "django.db.models.BigAutoField"
