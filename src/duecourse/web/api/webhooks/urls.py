"""Addresses of the webhooks' pages."""

from __future__ import annotations

from django.urls import path

from duecourse.web.api.webhooks import views

urlpatterns = [
    path("", views.webhooks, name="webhooks"),
    path("new/", views.new, name="webhook_new"),
    path("<int:pk>/", views.webhook, name="webhook"),
    path("<int:pk>/edit/", views.edit, name="webhook_edit"),
    path("<int:pk>/ping/", views.ping, name="webhook_ping"),
    path("<int:pk>/rotate/", views.rotate, name="webhook_rotate"),
    path("<int:pk>/switch/", views.switch, name="webhook_switch"),
    path("<int:pk>/remove/", views.remove, name="webhook_remove"),
    path("deliveries/<int:pk>/again/", views.again, name="webhook_again"),
]
