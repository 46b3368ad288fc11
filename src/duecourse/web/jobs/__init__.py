"""Work in the background: schedule, lease, retry, progress, cancel.

A room registers its jobs in its module `background.py` (`jobs.registry.job`, `scheduled`) and asks for them with `jobs.queue.enqueue`.
"""
