"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.routes import pages

urlpatterns = [
    path("buyers/<key:buyer_id>/route/", pages.buyer_route, name="buyer_route"),
    path("buyers/<key:buyer_id>/route/take/", pages.buyer_route_take, name="buyer_route_take"),
    path("buyers/<key:buyer_id>/route/assets/", pages.buyer_route_asset, name="buyer_route_asset"),
    path("buyers/<key:buyer_id>/route/assets/<key:asset_id>/gone/", pages.buyer_route_asset_gone, name="buyer_route_asset_gone"),
]
