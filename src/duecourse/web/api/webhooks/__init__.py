"""Signed webhooks: what happened, told to addresses of the firm's own choosing."""
