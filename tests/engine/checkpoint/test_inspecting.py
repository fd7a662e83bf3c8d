"""TensorFlow's `inspect_checkpoint`: what programs that import it print."""

import pathlib

import millstream as tf
from millstream.engine.checkpoint.inspecting import print_tensors_in_checkpoint_file

PREFIX = str(pathlib.Path(__file__).parents[2] / "golden" / "checkpoint" / "model")


def test_one_tensor_all_names_and_all_values(capsys):
    print_tensors_in_checkpoint_file(PREFIX, "step", False)
    assert f"tensor_name:  step\n{tf.train.load_variable(PREFIX, 'step')}" in capsys.readouterr().out
    print_tensors_in_checkpoint_file(PREFIX, "", False, all_tensor_names=True, count_exclude_pattern="parts|words")
    assert capsys.readouterr().out.splitlines()[-2:] == ["tensor: words (string) [3]", "# Total number of params: 9"]
    print_tensors_in_checkpoint_file(PREFIX, "", True)
    assert str(tf.train.load_variable(PREFIX, "weights")) in capsys.readouterr().out
    print_tensors_in_checkpoint_file(PREFIX, "", False)
    assert "weights (DT_FLOAT) [2,3]" in capsys.readouterr().out
