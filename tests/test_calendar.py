from __future__ import annotations

import csv
import gzip
import itertools
import subprocess
import sys
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.calendar import DayCount, WorkingDays, add_months, days_between, month_end, months_back, year_fraction
from duecourse.errors import CountryUnknownError

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
RECENT = st.dates(date(2004, 2, 1), date(2026, 11, 30))


# --- months ---


def test_the_latest_month_ends_with_the_day_asked_for():
    assert months_back(date(2025, 3, 10), 3) == [
        (date(2025, 3, 1), date(2025, 3, 10)),
        (date(2025, 2, 1), date(2025, 2, 28)),
        (date(2025, 1, 1), date(2025, 1, 31)),
    ]
    assert len(months_back(date(2, 1, 1), 100)) == 13


@given(DAYS, st.integers(1, 40))
def test_months_back_leave_no_gap(on, count):
    months = months_back(on, count)
    assert months[0][1] == on
    assert all(later[0] - timedelta(1) == earlier[1] for later, earlier in itertools.pairwise(months))
    assert len(months) == count


@given(DAYS, st.integers(-300, 300))
def test_adding_months_keeps_the_day_or_ends_the_month(day, count):
    moved = add_months(day, count)
    assert (moved.year - day.year) * 12 + moved.month - day.month == count
    assert moved.day == day.day or (moved.day < day.day and moved == month_end(moved))


def test_month_ends():
    assert month_end(date(2023, 2, 1)) == date(2023, 2, 28)
    assert month_end(date(9999, 12, 1)) == date(9999, 12, 31)
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert add_months(date(2024, 3, 31), -1) == date(2024, 2, 29)


# --- day counts: the worked example of ISDA, "EMU and market conventions: recent developments" (1998), annex, and of 2006 Definitions 4.16 ---


@pytest.mark.parametrize(
    ("start", "end", "fraction"),
    [
        (date(2003, 11, 1), date(2004, 5, 1), Fraction(61, 365) + Fraction(121, 366)),
        (date(1999, 2, 1), date(1999, 7, 1), Fraction(150, 365)),
        (date(1999, 7, 1), date(2000, 7, 1), Fraction(184, 365) + Fraction(182, 366)),
        (date(2002, 8, 15), date(2003, 7, 15), Fraction(334, 365)),
        (date(2000, 1, 30), date(2000, 6, 30), Fraction(152, 366)),
    ],
)
def test_actual_actual_isda_equals_the_published_example(start, end, fraction):
    assert year_fraction(start, end, DayCount.ACTUAL_ACTUAL_ISDA) == fraction


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (date(2007, 1, 15), date(2007, 1, 30), 15),
        (date(2007, 1, 31), date(2007, 2, 28), 28),
        (date(2007, 2, 28), date(2007, 3, 31), 32),
        (date(2007, 8, 31), date(2008, 2, 29), 179),
        (date(2006, 8, 31), date(2007, 2, 28), 178),
        (date(2007, 9, 30), date(2007, 10, 31), 30),
    ],
)
def test_thirty_e_360_counts_months_of_thirty_days(start, end, days):
    assert days_between(start, end, DayCount.THIRTY_E_360) == days
    assert year_fraction(start, end, DayCount.THIRTY_E_360) == Fraction(days, 360)


def test_a_leap_year_is_longer_than_a_year_of_365_days():
    assert year_fraction(date(2024, 1, 1), date(2025, 1, 1), DayCount.ACTUAL_365) == Fraction(366, 365)
    assert year_fraction(date(2024, 1, 1), date(2025, 1, 1), DayCount.ACTUAL_360) == Fraction(366, 360)
    assert year_fraction(date(2024, 1, 1), date(2025, 1, 1), DayCount.ACTUAL_ACTUAL_ISDA) == 1


@given(DAYS, DAYS, st.sampled_from(DayCount))
def test_back_and_forth_cancel(start, end, convention):
    assert year_fraction(start, end, convention) == -year_fraction(end, start, convention)


@given(DAYS, DAYS, DAYS, st.sampled_from(DayCount))
def test_periods_add_up(first, second, third, convention):
    assert year_fraction(first, third, convention) == year_fraction(first, second, convention) + year_fraction(second, third, convention)


# --- working days ---


def test_china_equals_the_official_notices_on_every_day(real_data):
    with gzip.open(real_data("holidays_cn") / "holiday_cn.csv.gz", "rt", encoding="utf-8") as file:
        notices = {date.fromisoformat(row["date"]): row["is_off_day"] == "0" for row in csv.DictReader(file)}
    china = WorkingDays("CN")
    days = [date(2007, 1, 1) + timedelta(ahead) for ahead in range((date(2026, 12, 31) - date(2007, 1, 1)).days + 1)]
    assert len(days) == 7305
    assert [day for day in days if china.is_working_day(day) != notices.get(day, day.weekday() < 5)] == []
    assert {china.certainty(day) for day in days} == {"official"}


def test_a_weekend_day_worked_for_a_holiday_is_a_working_day():
    china = WorkingDays("cn")
    assert china.is_working_day(date(2026, 2, 14))
    assert china.is_working_day(date(2026, 9, 20))
    assert not china.is_working_day(date(2026, 2, 16))


def test_years_without_a_notice_are_provisional():
    china = WorkingDays("CN")
    assert china.certainty(date(2026, 12, 31)) == "official"
    assert china.certainty(date(2027, 1, 4)) == "provisional"
    assert not china.is_working_day(date(2027, 1, 1))
    assert not china.is_working_day(date(2027, 10, 1))
    assert not china.is_working_day(date(2027, 3, 6))
    assert china.is_working_day(date(2027, 3, 8))
    assert china.certainty(date(2003, 12, 31)) == "provisional"
    assert china.is_working_day(date(2001, 12, 29))
    assert not china.is_working_day(date(2003, 5, 1))


def test_what_the_operator_knows_is_certain():
    china = WorkingDays("CN", overrides={date(2027, 2, 7): True, date(2026, 11, 24): False})
    assert china.is_working_day(date(2027, 2, 7))
    assert china.certainty(date(2027, 2, 7)) == "official"
    assert china.certainty(date(2027, 2, 8)) == "provisional"
    assert not china.is_working_day(date(2026, 11, 24))


def test_each_country_has_its_own_weekend_and_holidays():
    friday, sunday = date(2025, 9, 12), date(2025, 9, 14)
    assert not WorkingDays("SA").is_working_day(friday)
    assert WorkingDays("SA").is_working_day(sunday)
    assert WorkingDays("DE").is_working_day(friday)
    assert not WorkingDays("DE").is_working_day(date(2025, 10, 3))
    assert WorkingDays("FR").is_working_day(date(2025, 10, 3))


def test_a_holiday_that_waits_for_the_moon_is_provisional_and_so_are_its_neighbours():
    egypt = WorkingDays("EG")
    provisional = {day for ahead in range(365) if egypt.certainty(day := date(2026, 1, 1) + timedelta(ahead)) == "provisional"}
    assert provisional
    assert date(2026, 1, 1) not in provisional
    assert WorkingDays("DE").certainty(date(2026, 5, 1)) == "official"
    assert WorkingDays("DE").certainty(date(2035, 5, 1)) == "provisional"


def test_an_unknown_country_is_refused():
    with pytest.raises(CountryUnknownError):
        WorkingDays("XX")


def test_the_day_itself_does_not_count():
    china = WorkingDays("CN")
    assert china.add_working_days(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert china.add_working_days(date(2026, 10, 8), -1) == date(2026, 9, 30)
    assert china.add_working_days(date(2026, 10, 3), 0) == date(2026, 10, 3)
    assert china.following(date(2026, 10, 3)) == date(2026, 10, 8)
    assert china.preceding(date(2026, 10, 3)) == date(2026, 9, 30)
    assert china.working_days_between(date(2026, 9, 30), date(2026, 10, 10)) == 3


@given(RECENT, st.integers(1, 60), st.sampled_from(["CN", "DE", "SA", "US"]))
def test_counting_undoes_adding(day, count, country):
    calendar = WorkingDays(country)
    later = calendar.add_working_days(day, count)
    assert calendar.is_working_day(later)
    assert calendar.working_days_between(day, later) == count
    assert calendar.add_working_days(later, -count) == calendar.preceding(day)


@given(DAYS, st.sampled_from(["CN", "DE", "SA"]))
def test_preceding_and_following_are_the_nearest(day, country):
    calendar = WorkingDays(country)
    before, after = calendar.preceding(day), calendar.following(day)
    assert before <= day <= after
    if calendar.is_working_day(day):
        assert before == day == after
    else:
        assert calendar.add_working_days(before, 1) == after


def test_importing_the_calendar_does_not_import_the_slow_libraries():
    program = "import sys, duecourse.calendar; print(sorted({'holidays', 'chinese_calendar'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"
