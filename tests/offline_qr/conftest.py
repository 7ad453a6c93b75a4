"""Property tests judge results, not speed: a busy machine is no failure. Speed is measured in benchmarks/."""

from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
