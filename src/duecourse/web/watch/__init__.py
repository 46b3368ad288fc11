"""Alerts as people work them: the inbox, who has which, until when it rests, what came of it; and the daily run that draws them up.  预警"""
