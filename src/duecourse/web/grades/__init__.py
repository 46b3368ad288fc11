"""Grades in the app: why a buyer has the one it has, and moving it by two persons' judgement.  信用评级"""
