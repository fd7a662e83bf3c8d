"""Reading ConfigProto: every field is read, refused or listed as a hint, and none is both."""

import pytest

import millstream as tf
from millstream.engine.config import HINTS

READ = {"allow_soft_placement", "device_count", "gpu_options", "log_device_placement", "operation_timeout_in_ms"}
REFUSED = {"cluster_def"}


def test_every_field_is_read_refused_or_a_hint():
    assert sorted([*READ, *REFUSED, *HINTS]) == sorted(tf.ConfigProto.DESCRIPTOR.fields_by_name)


def test_clusters_are_refused():
    config = tf.ConfigProto()
    config.cluster_def.job.add(name="worker")
    with pytest.raises(tf.errors.UnimplementedError, match="cluster_def"):
        tf.Session(config=config, graph=tf.Graph())


def test_a_configuration_has_to_be_a_config_proto():
    with pytest.raises(TypeError, match="ConfigProto"):
        tf.Session(config={"allow_soft_placement": True}, graph=tf.Graph())
