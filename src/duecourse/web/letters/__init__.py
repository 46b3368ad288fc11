"""Letters to debtors: drafted, approved by a second person, sent once, their receipt proven.  催款函件"""
