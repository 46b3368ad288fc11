"""Collection agencies and law firms the firm works with: where, at what price, with which results; what they were given and what they report.  追账机构与律所"""
