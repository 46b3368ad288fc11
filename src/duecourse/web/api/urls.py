"""Addresses of this room."""

from __future__ import annotations

from django.urls import path, re_path

from duecourse.web.api import evidence, grades, reads, views, writes
from duecourse.web.api.application import api
from duecourse.web.calculators import api as calculators
from duecourse.web.cases import api as cases
from duecourse.web.countries import api as countries
from duecourse.web.documents import api as documents
from duecourse.web.letters import api as letters
from duecourse.web.limits import api as limits
from duecourse.web.orders import api as orders
from duecourse.web.review import api as review
from duecourse.web.routes import api as routes
from duecourse.web.watch import api as watch

assert all(
    (calculators, cases, countries, documents, evidence, grades, reads, writes, letters, limits, orders, review, routes, watch)
)  # the endpoints are in `api` once these are loaded

urlpatterns = [
    path("", views.root, name="api"),
    path("docs/", views.docs, name="api_docs"),
    path("v1/openapi.json", views.document, name="api_document"),
    path("v1/", api.urls),
    re_path(r"^(?P<rest>.+)$", views.nothing),
]
