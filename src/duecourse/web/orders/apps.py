"""The app's entry in Django's registry."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """duecourse.web.orders."""

    name = "duecourse.web.orders"
    label = "orders"
    default_auto_field = "django.db.models.BigAutoField"
