"""Orders: checked against the credit limit, headroom reserved, held ones released by people.  订单放行"""
