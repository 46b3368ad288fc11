"""How much of a debt will be lost (损失程度): recovery by age, the debtor's assets, loss given default."""
