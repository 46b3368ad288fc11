"""Addresses of the credit file."""

from __future__ import annotations

from django.urls import path

from duecourse.web.credit_file import views

urlpatterns = [
    path("buyers/<key:buyer_id>/file", views.buyer_file, name="buyer_file"),
    path("buyers/<key:buyer_id>/file.pdf", views.buyer_file_pdf, name="buyer_file_pdf"),
]
