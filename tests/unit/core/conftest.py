import pytest
from hypothesis import settings

from .scene import Scene

settings.register_profile("quick", max_examples=60, deadline=None)
settings.load_profile("quick")


@pytest.fixture
def scene() -> Scene:
    return Scene()
