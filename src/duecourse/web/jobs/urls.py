"""Addresses of the jobs page."""

from __future__ import annotations

from django.urls import path

from duecourse.web.jobs import views

urlpatterns = [
    path("", views.jobs, name="jobs"),
    path("<int:number>/", views.job, name="job"),
    path("<int:number>/cancel/", views.cancel, name="job_cancel"),
    path("<int:number>/again/", views.again, name="job_again"),
]
