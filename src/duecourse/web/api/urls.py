"""Addresses of this room."""

from __future__ import annotations

from django.urls import path, re_path

from duecourse.web.api import evidence, reads, views, writes
from duecourse.web.api.application import api
from duecourse.web.orders import api as orders

assert all((evidence, reads, writes, orders))  # the endpoints are in `api` once these are loaded

urlpatterns = [
    path("", views.root, name="api"),
    path("docs/", views.docs, name="api_docs"),
    path("v1/openapi.json", views.document, name="api_document"),
    path("v1/", api.urls),
    re_path(r"^(?P<rest>.+)$", views.nothing),
]
