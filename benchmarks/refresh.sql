-- The refresh as one would write it by hand for DuckDB. $on is the day; `invoice` and `settlement` are views of the Parquet files.
-- Numbers instead of texts as early as possible, one join of settlements with invoices, one aggregation for each subject.

CREATE OR REPLACE TEMP TABLE bill AS
SELECT buyer_id, currency, invoice_id, instalment, issue_date, due_date, amount_minor
FROM invoice WHERE issue_date <= $on;

CREATE OR REPLACE TEMP TABLE posting AS
SELECT
    b.rowid AS bill_row,
    CASE WHEN b.rowid IS NULL THEN s.buyer_id ELSE b.buyer_id END AS buyer_id,
    s.currency, s.settle_date, s.amount_minor,
    s.settle_date - b.due_date AS days_late,
    s.kind IN ('cash', 'allocation', 'set_off', 'unknown') AS pays,
    s.kind IN ('credit_note', 'return', 'discount', 'deduction') AS dilutes
FROM (SELECT * FROM settlement WHERE settle_date <= $on) s
LEFT JOIN bill b ON s.invoice_id = b.invoice_id AND s.instalment = b.instalment AND s.currency = b.currency;

CREATE OR REPLACE TEMP TABLE of_bills AS
WITH settled AS (SELECT bill_row, sum(amount_minor) AS settled_minor FROM posting WHERE bill_row IS NOT NULL GROUP BY bill_row),
item AS (
    SELECT b.buyer_id, b.currency, b.issue_date, b.amount_minor, $on - b.due_date AS dpd, b.amount_minor - coalesce(s.settled_minor, 0) AS open_minor
    FROM bill b LEFT JOIN settled s ON b.rowid = s.bill_row)
SELECT buyer_id, currency,
    coalesce(sum(open_minor) FILTER (open_minor > 0), 0) AS outstanding,
    coalesce(sum(open_minor) FILTER (open_minor > 0 AND dpd > 0), 0) AS overdue,
    coalesce(sum(open_minor) FILTER (open_minor > 0 AND dpd BETWEEN 1 AND 30), 0) AS days_1_30,
    coalesce(sum(open_minor) FILTER (open_minor > 0 AND dpd BETWEEN 31 AND 60), 0) AS days_31_60,
    coalesce(sum(open_minor) FILTER (open_minor > 0 AND dpd BETWEEN 61 AND 90), 0) AS days_61_90,
    coalesce(sum(open_minor) FILTER (open_minor > 0 AND dpd BETWEEN 91 AND 180), 0) AS days_91_180,
    coalesce(sum(open_minor) FILTER (open_minor > 0 AND dpd BETWEEN 181 AND 365), 0) AS days_181_365,
    coalesce(sum(open_minor) FILTER (open_minor > 0 AND dpd > 365), 0) AS days_over_365,
    coalesce(sum(-open_minor) FILTER (open_minor < 0), 0) AS overpaid,
    count(*) FILTER (open_minor > 0) AS open_invoices,
    count(*) FILTER (open_minor > 0 AND dpd > 0) AS overdue_invoices,
    max(dpd) FILTER (open_minor > 0 AND dpd > 0) AS oldest_days_past_due,
    sum(open_minor::DOUBLE * dpd) FILTER (open_minor > 0 AND dpd > 0) AS open_days,
    coalesce(sum(amount_minor) FILTER (issue_date > $on - 90), 0) AS credit_sales_90d,
    coalesce(sum(amount_minor) FILTER (issue_date > $on - 365), 0) AS credit_sales_365d,
    count(*) FILTER (issue_date > $on - 365) AS invoices_365d,
    sum(amount_minor) AS billed,
    min(issue_date) AS first_issue_date
FROM item GROUP BY buyer_id, currency;

CREATE OR REPLACE TEMP TABLE of_postings AS
SELECT buyer_id, currency,
    coalesce(sum(amount_minor) FILTER (bill_row IS NULL), 0) AS not_applied,
    sum(amount_minor) AS settled,
    coalesce(sum(amount_minor) FILTER (pays AND bill_row IS NOT NULL AND settle_date > $on - 365), 0) AS paid_365d,
    coalesce(sum(amount_minor) FILTER (pays AND bill_row IS NOT NULL AND settle_date > $on - 90), 0) AS paid_90d,
    coalesce(sum(amount_minor::DOUBLE * days_late) FILTER (pays AND bill_row IS NOT NULL AND settle_date > $on - 365), 0) AS late_365d,
    coalesce(sum(amount_minor::DOUBLE * days_late) FILTER (pays AND bill_row IS NOT NULL AND settle_date > $on - 365 AND days_late > 0), 0) AS floored_365d,
    coalesce(sum(amount_minor::DOUBLE * days_late) FILTER (pays AND bill_row IS NOT NULL AND settle_date > $on - 90), 0) AS late_90d,
    coalesce(sum(amount_minor) FILTER (dilutes AND settle_date > $on - 365), 0) AS credits_365d,
    max(settle_date) FILTER (pays) AS last_payment_date
FROM posting GROUP BY buyer_id, currency;

CREATE OR REPLACE TEMP TABLE peak AS
WITH event AS (
    SELECT buyer_id, currency, greatest(issue_date, $on - 364) AS day, sum(amount_minor) AS change FROM bill GROUP BY ALL
    UNION ALL
    SELECT buyer_id, currency, greatest(settle_date, $on - 364), -sum(amount_minor) FROM posting GROUP BY ALL),
daily AS (SELECT buyer_id, currency, day, sum(change) AS change FROM event GROUP BY ALL),
-- a run without an event on the first day closes it at zero
closing AS (SELECT buyer_id, currency, day, sum(change) OVER (PARTITION BY buyer_id, currency ORDER BY day) AS balance FROM daily)
SELECT buyer_id, currency, CASE WHEN min(day) > $on - 364 THEN greatest(max(balance), 0) ELSE max(balance) END AS peak_balance_365d
FROM closing GROUP BY buyer_id, currency;

CREATE OR REPLACE TEMP TABLE countback AS
WITH sale AS (
    SELECT buyer_id, currency, date_trunc('month', issue_date)::DATE AS month, sum(amount_minor) AS sales
    FROM bill WHERE issue_date >= date_trunc('month', $on)::DATE - INTERVAL 23 MONTH GROUP BY ALL),
back AS (
    SELECT buyer_id, currency, month, sales, sum(sales) OVER (PARTITION BY buyer_id, currency ORDER BY month DESC) AS sold FROM sale),
reached AS (
    SELECT b.buyer_id, b.currency, max_by({month: month, sales: sales, sold: sold}, month) AS last
    FROM back b JOIN of_bills o ON b.buyer_id IS NOT DISTINCT FROM o.buyer_id AND b.currency IS NOT DISTINCT FROM o.currency
    WHERE o.outstanding > 0 AND b.sold >= o.outstanding GROUP BY ALL),
day AS (
    SELECT buyer_id, currency, last, least(last_day(last.month), $on) AS month_end FROM reached)
SELECT o.buyer_id, o.currency,
    CASE WHEN d.last IS NULL THEN $on - (date_trunc('month', $on)::DATE - INTERVAL 23 MONTH)::DATE + 1
        ELSE ($on - month_end) + (month_end - d.last.month + 1) * (o.outstanding - d.last.sold + d.last.sales)::DOUBLE / d.last.sales END AS dso_countback,
    d.last IS NULL AS dso_censored
FROM of_bills o LEFT JOIN day d ON o.buyer_id IS NOT DISTINCT FROM d.buyer_id AND o.currency IS NOT DISTINCT FROM d.currency
WHERE o.outstanding > 0;

CREATE OR REPLACE TEMP TABLE refreshed AS
SELECT
    k.buyer_id, k.currency,
    coalesce(outstanding, 0)::BIGINT AS outstanding, coalesce(overdue, 0)::BIGINT AS overdue,
    coalesce(outstanding - overdue, 0)::BIGINT AS not_due,
    coalesce(days_1_30, 0)::BIGINT AS days_1_30, coalesce(days_31_60, 0)::BIGINT AS days_31_60, coalesce(days_61_90, 0)::BIGINT AS days_61_90,
    coalesce(days_91_180, 0)::BIGINT AS days_91_180, coalesce(days_181_365, 0)::BIGINT AS days_181_365,
    coalesce(days_over_365, 0)::BIGINT AS days_over_365,
    (coalesce(overpaid, 0) + coalesce(not_applied, 0))::BIGINT AS unapplied_credits,
    coalesce(open_invoices, 0) AS open_invoices, coalesce(overdue_invoices, 0) AS overdue_invoices,
    oldest_days_past_due::BIGINT AS oldest_days_past_due,
    CASE WHEN outstanding > 0 THEN coalesce(open_days, 0) / outstanding END AS weighted_days_late_open,
    coalesce(credit_sales_90d, 0)::BIGINT AS credit_sales_90d, coalesce(credit_sales_365d, 0)::BIGINT AS credit_sales_365d,
    coalesce(invoices_365d, 0) AS invoices_365d, coalesce(paid_365d, 0)::BIGINT AS paid_365d,
    late_365d / nullif(paid_365d, 0) AS days_beyond_terms_365d,
    floored_365d / nullif(paid_365d, 0) AS days_beyond_terms_floored_365d,
    late_90d / nullif(paid_90d, 0) AS days_beyond_terms_90d,
    late_90d / nullif(paid_90d, 0) - late_365d / nullif(paid_365d, 0) AS days_beyond_terms_trend,
    dso_countback, dso_censored,
    outstanding::DOUBLE / nullif(credit_sales_90d, 0) * 90 AS dso_simple_90d,
    (outstanding - overdue)::DOUBLE / nullif(credit_sales_90d, 0) * 90 AS best_possible_dso,
    outstanding::DOUBLE / nullif(credit_sales_90d, 0) * 90 - (outstanding - overdue)::DOUBLE / nullif(credit_sales_90d, 0) * 90 AS average_days_delinquent,
    peak_balance_365d::BIGINT AS peak_balance_365d, coalesce(credits_365d, 0)::BIGINT AS credits_365d,
    first_issue_date, last_payment_date
FROM peak k
LEFT JOIN of_bills b ON k.buyer_id IS NOT DISTINCT FROM b.buyer_id AND k.currency IS NOT DISTINCT FROM b.currency
LEFT JOIN of_postings p ON k.buyer_id IS NOT DISTINCT FROM p.buyer_id AND k.currency IS NOT DISTINCT FROM p.currency
LEFT JOIN countback c ON k.buyer_id IS NOT DISTINCT FROM c.buyer_id AND k.currency IS NOT DISTINCT FROM c.currency;
