"""The typed JSON API under /api/v1."""
