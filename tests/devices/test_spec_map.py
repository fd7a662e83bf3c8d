"""Requests that are brought elsewhere: which entry of a table counts, and what of a request stays."""

import pytest

from millstream.devices.spec_map import remapping

TABLE = {"/gpu:1": "/gpu:0", "/gpu": "/cpu", "/job:ps": None, "/job:worker/task:3": "/job:worker/task:0"}


@pytest.mark.parametrize(("asked", "wanted"), [
    ("/gpu:1", "/device:GPU:0"),
    ("/gpu:2", "/device:CPU:2"),
    ("/gpu", "/device:CPU:*"),
    ("/job:ps/task:4/gpu:1", "/job:ps/task:4/device:GPU:0"),
    ("/job:ps/task:4/cpu:0", "/device:CPU:0"),
    ("/job:worker/task:3/cpu:1", "/job:worker/task:0/device:CPU:1"),
    ("/job:worker/task:2", "/job:worker/task:2"),
    ("", ""),
])  # fmt: skip
def test_the_entry_that_names_most_counts(asked, wanted):
    assert remapping(TABLE)(asked) == wanted


def test_functions_and_nothing():
    assert remapping(None)("/gpu:0") == "/device:GPU:0"
    assert remapping(lambda name: None)("/gpu:0") == ""
    assert remapping(lambda name: name.replace("GPU", "CPU"))("/gpu:0") == "/device:CPU:0"
    with pytest.raises(ValueError, match="Unknown attribute"):
        remapping({"/nonsense": None})
