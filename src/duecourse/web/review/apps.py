"""The app's entry in Django's registry."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """duecourse.web.review."""

    name = "duecourse.web.review"
    label = "review"
    default_auto_field = "django.db.models.BigAutoField"
