"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.grades import pages

urlpatterns = [
    path("buyers/<key:buyer_id>/grade", pages.buyer_grade, name="buyer_grade"),
    path("buyers/<key:buyer_id>/grade/propose", pages.propose_adjustment, name="buyer_grade_propose"),
    path("buyers/<key:buyer_id>/grade/<int:pk>/approve", pages.approve_adjustment, name="buyer_grade_approve"),
    path("buyers/<key:buyer_id>/grade/<int:pk>/refuse", pages.refuse_adjustment, name="buyer_grade_refuse"),
    path("buyers/<key:buyer_id>/grade/<int:pk>/end", pages.end_adjustment, name="buyer_grade_end"),
]
