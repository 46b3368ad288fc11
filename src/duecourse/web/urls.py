"""Every address of the app. Each room keeps its own list."""

from __future__ import annotations

from django.urls import include, path, register_converter

from duecourse.web.converters import KeyConverter

register_converter(KeyConverter, "key")

urlpatterns = [
    path("", include("duecourse.web.pages.urls")),
    path("", include("duecourse.web.accounts.urls")),
    path("account/", include("duecourse.web.accounts.account_urls")),
    path("", include("duecourse.web.imports.urls")),
    path("", include("duecourse.web.orders.urls")),
    path("", include("duecourse.web.limits.urls")),
    path("", include("duecourse.web.evidence.urls")),
    path("", include("duecourse.web.grades.urls")),
    path("", include("duecourse.web.credit_file.urls")),
    path("", include("duecourse.web.watch.urls")),
    path("", include("duecourse.web.review.urls")),
    path("", include("duecourse.web.cases.urls")),
    path("", include("duecourse.web.documents.urls")),
    path("", include("duecourse.web.routes.urls")),
    path("calculators/", include("duecourse.web.calculators.urls")),
    path("", include("duecourse.web.countries.urls")),
    path("", include("duecourse.web.agencies.urls")),
    path("", include("duecourse.web.letters.urls")),
    path("api/", include("duecourse.web.api.urls")),
    path("webhooks/", include("duecourse.web.api.webhooks.urls")),
    path("jobs/", include("duecourse.web.jobs.urls")),
    path("notices/", include("duecourse.web.notices.urls")),
]

handler400 = "duecourse.web.pages.errors.bad_request"
handler403 = "duecourse.web.pages.errors.refused"
handler404 = "duecourse.web.pages.errors.not_found"
handler500 = "duecourse.web.pages.errors.fault"
