"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.review import backtests, months

urlpatterns = [
    path("review/", months.review, name="review"),
    path("review/draw/", months.draw, name="review_draw"),
    path("review/<int:year>-<int:month>/", months.review_month, name="review_month"),
    path("review/<int:year>-<int:month>/review.pdf", months.review_month_pdf, name="review_month_pdf"),
    path("review/backtest/", backtests.backtests, name="review_backtests"),
    path("review/backtest/start/", backtests.start, name="review_backtest_start"),
    path("review/backtest/<int:pk>/", backtests.backtest, name="review_backtest"),
    path("review/backtest/<int:pk>/progress/", backtests.progress, name="review_backtest_progress"),
    path("review/backtest/<int:pk>/<slug:table>.<slug:form>", backtests.table_file, name="review_backtest_file"),
]
