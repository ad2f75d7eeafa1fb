"""How random input is tried in all unit tests."""

from hypothesis import settings

# How long one takes tells of the machine that it runs on, not of what is tested.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
