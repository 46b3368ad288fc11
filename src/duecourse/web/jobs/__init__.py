"""Work in the background: schedule, lease, retry, progress, cancel."""
