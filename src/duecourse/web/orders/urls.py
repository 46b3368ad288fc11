"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.orders import rules, views

urlpatterns = [
    path("orders/", views.orders, name="orders"),
    path("orders/rules/", rules.orders_rules, name="orders_rules"),
    path("orders/rules/keep/", rules.orders_rules_keep, name="orders_rules_keep"),
    path("orders/<str:check_id>/", views.order_check, name="order_check"),
    path("orders/<str:check_id>/release/", views.orders_release, name="orders_release"),
    path("orders/<str:check_id>/refuse/", views.orders_refuse, name="orders_refuse"),
]
