"""The early-warning indicators (预警指标): forty signs that a buyer may stop paying, each a number as of the book's day.

Every function gives one row per buyer of whom it knows something, `buyer_id` and columns named after the indicators: `PAY01` is the indicator's value,
`PAY01_season` a further figure that its thresholds look at. A buyer without a row, or with null, is one of whom the facts needed are lacking: that is
never a zero. Which value is amber or red is not decided here but in `duecourse.risk.warning`.

Amounts of several currencies are brought to the base currency at the latest rates known as of the book, so that a buyer has one figure; a buyer none of
whose currencies has a rate keeps its own. A month is the twelfth part of 365 days, counted back from the book's day, so that the newest is always whole.
"""
