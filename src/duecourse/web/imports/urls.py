"""Addresses of this room: files, imports, quarantine, findings, settings."""

from __future__ import annotations

from django.urls import path

from duecourse.web.imports import files, findings, firm, history, quarantine

urlpatterns = [
    path("imports/", history.imports, name="imports"),
    path("imports/upload/", files.upload, name="import_upload"),
    path("imports/empty/limits.<slug:form>", files.limits_form, name="import_limits_form"),
    path("imports/files/<int:pk>/", files.file, name="import_file"),
    path("imports/files/<int:pk>/preview/", files.preview, name="import_preview"),
    path("imports/files/<int:pk>/confirm/", files.confirm, name="import_confirm"),
    path("imports/files/<int:pk>/progress/", files.progress, name="import_progress"),
    path("imports/files/<int:pk>/cancel/", files.cancel, name="import_cancel"),
    path("imports/files/<int:pk>/change/", files.change, name="import_change"),
    path("imports/files/<int:pk>/discard/", files.discard, name="import_discard"),
    path("imports/files/<int:pk>/download/", files.download, name="import_download"),
    path("imports/<key:batch_id>/", history.import_, name="import_"),
    path("imports/<key:batch_id>/void/", history.void, name="import_void"),
    path("imports/<key:batch_id>/undo/", history.undo, name="import_undo"),
    path("imports/<key:batch_id>/undoing/", history.undoing, name="import_undoing"),
    path("quarantine/", quarantine.quarantine, name="quarantine"),
    path("quarantine/fix/", quarantine.fix, name="quarantine_fix"),
    path("quarantine/export/", quarantine.export, name="quarantine_export"),
    path("findings/", findings.findings_page, name="findings"),
    path("findings/list/", findings.findings_list, name="findings_list"),
    path("findings/<slug:code>/", findings.finding, name="finding"),
    path("findings/<slug:code>/export/", findings.finding_export, name="finding_export"),
    path("settings/", firm.firm, name="settings"),
    path("settings/change/", firm.firm_change, name="settings_change"),
    path("settings/buckets/", firm.buckets, name="settings_buckets"),
    path("settings/rates/", firm.rates, name="settings_rates"),
    path("settings/rates/add/", firm.rate_add, name="settings_rate_add"),
    path("settings/rates/<key:provider>/<str:base>/<str:quote>/", firm.rate_pair, name="settings_rate_pair"),
    path("settings/calendar/", firm.calendar, name="settings_calendar"),
    path("settings/calendar/change/", firm.calendar_change, name="settings_calendar_change"),
    path("settings/calendar/day/", firm.calendar_day, name="settings_calendar_day"),
    path("settings/readings/", firm.readings, name="settings_readings"),
    path("settings/readings/forget/", firm.reading_forget, name="settings_reading_forget"),
    path("settings/history/", firm.changes, name="settings_history"),
]
