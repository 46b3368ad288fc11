"""Which way to the money of a buyer is worth its cost: routes, assumptions, assets, the decision.  追收路径"""
