"""What is known about a buyer besides its invoices: accounts, signals, names on lists.  资信信息"""
