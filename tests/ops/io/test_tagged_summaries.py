"""Summaries whose tags are said, as TensorFlow 0.x had them."""

import numpy as np

import millstream as ms

deprecated = ms.contrib.deprecated


def test_tags_are_what_was_said():
    with ms.name_scope("model"):
        made = [
            deprecated.scalar_summary("loss (raw)", 2.5),
            deprecated.scalar_summary(["a", "b"], [1.0, 2.0], name="two"),
            deprecated.histogram_summary("h", np.arange(4.0)),
            deprecated.image_summary("i", np.zeros((2, 3, 3, 1), np.float32), max_images=1),
            deprecated.audio_summary("s", np.zeros((2, 8), np.float32), 8000.0, max_outputs=2),
        ]
    assert [m.op.name for m in made][:3] == ["model/ScalarSummary", "model/two", "model/HistogramSummary"]
    assert ms.get_collection(ms.GraphKeys.SUMMARIES) == made
    merged = deprecated.merge_all_summaries()
    assert ms.get_collection(ms.GraphKeys.SUMMARIES) == made
    with ms.Session() as session:
        found = ms.Summary.FromString(session.run(merged))
    assert [v.tag for v in found.value] == ["loss (raw)", "a", "b", "h", "i/image", "s/audio/0", "s/audio/1"]
    with ms.Graph().as_default():
        assert deprecated.merge_all_summaries() is None
