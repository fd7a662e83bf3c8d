"""The golden file of TensorFlow's op declarations loads, and says what is known of a few ops."""

from support import opdefs


def test_the_registry_is_whole() -> None:
    assert len(opdefs.load()) > 1500


def test_arguments_name_their_attrs() -> None:
    concat = opdefs.load()["ConcatV2"]
    assert [(arg.name, arg.type_attr, arg.number_attr) for arg in concat.inputs] == [
        ("values", "T", "N"),
        ("axis", "Tidx", ""),
    ]
    assert concat.attrs["N"].minimum == 2
    assert concat.attrs["Tidx"].default == "int32"
    assert concat.attrs["T"].required


def test_refs_and_state_are_marked() -> None:
    assert opdefs.load()["AssignAdd"].inputs[0].is_ref
    assert opdefs.load()["VariableV2"].is_stateful
    assert opdefs.load()["AddN"].is_aggregate


def test_every_argument_has_one_source_of_its_type() -> None:
    for op in opdefs.load().values():
        for arg in (*op.inputs, *op.outputs):
            assert sum(map(bool, (arg.type, arg.type_attr, arg.type_list_attr))) == 1, (op.name, arg)
            for attr in filter(None, (arg.type_attr, arg.number_attr, arg.type_list_attr)):
                assert attr in op.attrs, (op.name, arg)
