"""Telling people what happened: by mail and in their firm's chats, at once or as a digest, never lost and never doubled.  通知

    with transaction.atomic():
        ...                                     # what happened, in a table of the app
        tell(audience, [News("alert_opened", key="alert 7", …)])

Whoever rolls the transaction back has told nothing. A notice is there once for each recipient and key, however often it is told.
"""
