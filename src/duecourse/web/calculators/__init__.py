"""Sums and dates one may ask for without a case: late interest, limitation. Nothing here writes.  计算器"""
