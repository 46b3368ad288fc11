"""Documents that prove something, who had them in hand, and the evidence file made of them.  证据材料"""
