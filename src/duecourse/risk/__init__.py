"""Estimates about the future, each with its uncertainty (评估). Judgement stands on measures; tables become Arrow at this door."""
