"""Duecourse 如期: trade-credit risk, from the first look at a buyer to the last unit recovered."""

__version__ = "0.1.0"
