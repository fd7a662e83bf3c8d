"""Whole programs, written as people wrote them for TensorFlow 1, get the module as `tf`.

TF_IMPL names another module to run them on, such as tensorflow.compat.v1, where it is installed.
"""

import importlib
import os

import pytest

IMPLEMENTATION = os.environ.get("TF_IMPL", "millstream")


@pytest.fixture
def tf():
    """The module under test, with an empty default graph before and after."""
    module = importlib.import_module(IMPLEMENTATION)
    if hasattr(module, "disable_v2_behavior"):
        module.disable_v2_behavior()
    module.reset_default_graph()
    yield module
    module.reset_default_graph()
