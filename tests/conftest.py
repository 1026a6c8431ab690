"""Hypothesis keeps no clock: a machine that stalls for a moment is no finding."""

from hypothesis import settings

settings.register_profile("mailtls", deadline=None, max_examples=100)
settings.load_profile("mailtls")
