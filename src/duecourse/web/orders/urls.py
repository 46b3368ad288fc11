"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.orders import views

urlpatterns = [
    path("orders/", views.orders, name="orders"),
    path("orders/<str:check_id>/", views.order_check, name="order_check"),
    path("orders/<str:check_id>/release/", views.orders_release, name="orders_release"),
    path("orders/<str:check_id>/refuse/", views.orders_refuse, name="orders_refuse"),
]
