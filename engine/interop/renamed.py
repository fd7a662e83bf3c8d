"""Names that TensorFlow itself gave up before 1.15, and what took their place: one table.

Programs written for TensorFlow 0.x say them, and 1.15 has them no more than this package: who meets one is told what to write
instead. Invariant: every replacement that starts with `tf.` exists here (tests/engine/interop/test_renamed.py).
"""

from __future__ import annotations

_REPLACED = {
    "tf.audio_summary": "tf.summary.audio",
    "tf.batch_cholesky": "tf.cholesky",
    "tf.batch_fft": "tf.fft",
    "tf.batch_fft2d": "tf.fft2d",
    "tf.batch_fft3d": "tf.fft3d",
    "tf.batch_ifft": "tf.ifft",
    "tf.batch_matmul": "tf.matmul",
    "tf.batch_matrix_band_part": "tf.matrix_band_part",
    "tf.batch_matrix_determinant": "tf.matrix_determinant",
    "tf.batch_matrix_diag": "tf.matrix_diag",
    "tf.batch_matrix_diag_part": "tf.matrix_diag_part",
    "tf.batch_matrix_inverse": "tf.matrix_inverse",
    "tf.batch_matrix_set_diag": "tf.matrix_set_diag",
    "tf.batch_matrix_solve": "tf.matrix_solve",
    "tf.batch_matrix_transpose": "tf.matrix_transpose",
    "tf.batch_matrix_triangular_solve": "tf.matrix_triangular_solve",
    "tf.batch_self_adjoint_eig": "tf.self_adjoint_eig",
    "tf.complex_abs": "tf.abs",
    "tf.contrib.data.Dataset": "tf.data.Dataset",
    "tf.contrib.data.FixedLengthRecordDataset": "tf.data.FixedLengthRecordDataset",
    "tf.contrib.data.Iterator": "tf.data.Iterator",
    "tf.contrib.data.TFRecordDataset": "tf.data.TFRecordDataset",
    "tf.contrib.data.TextLineDataset": "tf.data.TextLineDataset",
    "tf.histogram_summary": "tf.summary.histogram",
    "tf.image_summary": "tf.summary.image",
    "tf.inv": "tf.reciprocal",
    "tf.merge_all_summaries": "tf.summary.merge_all",
    "tf.merge_summary": "tf.summary.merge",
    "tf.mul": "tf.multiply",
    "tf.neg": "tf.negative",
    "tf.nn.deconv2d": "tf.nn.conv2d_transpose",
    "tf.nn.rnn": "tf.nn.static_rnn",
    "tf.nn.bidirectional_rnn": "tf.nn.static_bidirectional_rnn",
    "tf.nn.state_saving_rnn": "tf.nn.static_state_saving_rnn",
    "tf.nn.seq2seq": "tf.contrib.legacy_seq2seq",
    "tf.pack": "tf.stack",
    "tf.scalar_summary": "tf.summary.scalar",
    "tf.select": "tf.where",
    "tf.sub": "tf.subtract",
    "tf.train.SummaryWriter": "tf.summary.FileWriter",
    "tf.unpack": "tf.unstack",
}
# What changed besides the name, where a program must know it to go on.
_CHANGED = {
    "tf.batch_matmul": "adj_x and adj_y are adjoint_a and adjoint_b",
    "tf.scalar_summary": "the first argument is a name, not a tag",
    "tf.histogram_summary": "the first argument is a name, not a tag",
    "tf.image_summary": "the first argument is a name, max_images is max_outputs",
}


def words_for(title: str) -> str:
    """Return words that say what replaced a name, such as "tf.mul"; "" when TensorFlow 1 never lost such a name."""
    if title not in _REPLACED:
        return ""
    changed = f" ({_CHANGED[title]})" if title in _CHANGED else ""
    return f"; TensorFlow 1 has {_REPLACED[title]} in its place{changed}"
