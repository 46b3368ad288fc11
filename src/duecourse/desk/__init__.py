"""The use cases, one file each: where the stages meet. Pages, API and command line call these and nothing deeper."""
