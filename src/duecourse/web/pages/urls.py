"""Addresses of the pages."""

from __future__ import annotations

from django.urls import path

from duecourse.web.pages import appearance, buyer, buyers, components, dashboard, groups, invoices, notes, provenance, views
from duecourse.web.pages import help as help_pages

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("choose/", appearance.choose, name="choose"),
    path("components/", components.components, name="components"),
    path("buyers/", buyers.buyers, name="buyers"),
    path("buyers/find", buyers.find, name="find_buyers"),
    path("buyers/columns", views.choose_columns, name="buyers_columns"),
    path("buyers/filter/<slug:word>", buyers.facet, name="buyers_facet"),
    path("buyers/export.<slug:form>", buyers.export, name="buyers_export"),
    path("buyers/<key:buyer_id>/", buyer.buyer, name="buyer"),
    path("buyers/<key:buyer_id>/timeline", buyer.timeline, name="buyer_timeline"),
    path("buyers/<key:buyer_id>/notes", notes.write, name="note_write"),
    path("buyers/<key:buyer_id>/facts/<slug:table>/<key:key>", provenance.fact, name="fact"),
    path("notes/<int:pk>/edit", notes.edit, name="note_edit"),
    path("notes/<int:pk>/void", notes.void, name="note_void"),
    path("invoices/", invoices.invoices, name="invoices"),
    path("invoices/export.<slug:form>", invoices.export, name="invoices_export"),
    path("invoices/<key:invoice_id>/", invoices.invoice, name="invoice"),
    path("groups/", groups.groups, name="groups"),
    path("groups/<key:group_id>/", groups.group, name="group"),
    path("views/save/<slug:room>/", views.save, name="view_save"),
    path("views/<int:pk>/", views.change, name="view_change"),
    path("help/", help_pages.index, name="help"),
    path("help/<slug:slug>/", help_pages.page, name="help_page"),
]
