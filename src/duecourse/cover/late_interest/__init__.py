"""What a late payer owes besides the price, 逾期利息: agreed and statutory rates, day by day, exact until the last step."""
