"""Every comparison begins with TensorFlow as 1.15 was: others in the same process switch on what 2.x has."""

import pytest

from support import oracle


@pytest.fixture(autouse=True)
def as_in_version_1() -> None:
    """Switch off control flow by functions and variables by handles, which tests may switch on."""
    if oracle.available:
        tf = oracle.tensorflow()
        tf.disable_control_flow_v2()
        tf.disable_resource_variables()
