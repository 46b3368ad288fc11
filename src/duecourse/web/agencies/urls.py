"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.agencies import forms, packing, pages

urlpatterns = [
    path("agencies/", pages.agencies, name="agencies"),
    path("agencies/new/", forms.agency_edit, name="agency_new"),
    path("agencies/<int:pk>/", pages.agency, name="agency"),
    path("agencies/<int:pk>/edit/", forms.agency_edit, name="agency_edit"),
    path("agencies/<int:pk>/reports/", forms.agency_upload, name="agency_upload"),
    path("placements/new/", forms.placement_new, name="placement_new"),
    path("placements/<int:pk>/", pages.placement, name="placement"),
    path("placements/<int:pk>/report/", forms.placement_report, name="placement_report"),
    path("placements/<int:pk>/end/", forms.placement_end, name="placement_end"),
    path("placements/<int:pk>/pack.<str:part>", packing.placement_pack, name="placement_pack"),
]
