"""Writes variable_nodes.json.gz: the nodes that TensorFlow builds for small programs with variables, scopes and optimisers.

Run with a Python that has TensorFlow: `python tests/golden/variable_nodes.py`. The file maps each program to its nodes as
[name, type, inputs, control inputs, colocation groups]; nodes of gradients are left out. The test runs the programs again.
"""

import gzip
import json
import pathlib

PROGRAMS = (
    "tf.Variable([1., 2.], name='v')",
    "tf.Variable(3)",
    "tf.Variable(lambda: tf.constant([1., 2.]), name='v')",
    "v = tf.Variable([1., 2.], name='v'); v.assign_add([1., 1.]); v.assign([2., 2.]); v.assign_sub([1., 0.]); v.read_value()",
    "v = tf.Variable([1., 2.], name='v'); tf.assign(v, [1., 1.]); tf.scatter_update(v, [0], [5.]); v.scatter_nd_add([[1]], [5.])",
    "v = tf.Variable([1., 2.], name='v'); v + 1.0; 1.0 - v; v[0]; -v; v * v",
    "v = tf.Variable([1., 2.], name='v', caching_device='/cpu:0'); v.value()",
    "v = tf.Variable([1., 2.], name='v', use_resource=True); v.assign_add([1., 1.]); v.assign([1., 2.]); v + 1.0; v.read_value()",
    "v = tf.Variable([1., 2.], name='v', use_resource=True); v.sparse_read([0]); tf.scatter_add(v, [0], [1.]); tf.square(v)",
    "v = tf.Variable(3, name='v'); tf.count_up_to(v, 5); v.count_up_to(5); tf.is_variable_initialized(v)",
    "v = tf.Variable(1., name='v'); u = tf.Variable(1., name='u', use_resource=True); tf.global_variables_initializer(); "
    "tf.variables_initializer([v], name='mine')",
    "v = tf.Variable(1., name='v'); tf.group(v.op, v.initializer); tf.tuple([v.value(), tf.constant(1.)])",
    "tf.get_variable('g', [2, 3])",
    "tf.get_variable('g', [3], dtype=tf.int32)",
    "tf.get_variable('g', [3], dtype=tf.string)",
    "tf.get_variable('g', initializer=[1., 2.])",
    "tf.get_variable('g', initializer=tf.constant([1., 2.]))",
    "tf.get_variable('g', [2000, 2000], initializer=tf.zeros_initializer())",
    "tf.get_variable('g', [2], initializer=tf.random_normal_initializer())",
    "tf.get_variable('g', [2], initializer=tf.truncated_normal_initializer(stddev=0.1))",
    "tf.get_variable('g', [2], initializer=tf.random_uniform_initializer(-1, 1))",
    "tf.get_variable('g', [2], initializer=tf.constant_initializer(2.))",
    "tf.get_variable('g', [2, 2], initializer=tf.glorot_normal_initializer())",
    "tf.get_variable('g', [2, 2], initializer=tf.uniform_unit_scaling_initializer())",
    "with tf.variable_scope('a'):\n  with tf.variable_scope('b') as b: x = tf.get_variable('x', [1]); x + 1.0\n"
    "with tf.variable_scope(b, reuse=True): tf.get_variable('x', [1]) + 1.0\nwith tf.variable_scope('a/b'): tf.constant(1)",
    "for _ in range(2):\n  with tf.variable_scope(None, 'layer'): tf.get_variable('x', [1]); tf.constant(1)",
    "with tf.name_scope('n'):\n  with tf.variable_scope('s', auxiliary_name_scope=False): "
    "tf.get_variable('x', [1]); tf.constant(1)",
)
_MODEL = (
    "with tf.variable_scope('m'): w = tf.Variable([1., 2.], name='w', use_resource={0}); "
    "b = tf.Variable(1., name='b', use_resource={0})\n"
    "tf.train.{1}.minimize(tf.reduce_sum(w * b){2})"
)
_ROWS = "e = tf.Variable(tf.ones([5, 2]), name='e')\ntf.train.{0}.minimize(tf.reduce_sum(tf.gather(e, [0, 1, 1])))"
_STEP = ", global_step=tf.train.get_or_create_global_step()"
OPTIMIZERS = (
    *(
        _MODEL.format(kind, made, step)
        for kind in (False, True)
        for made, step in (
            ("GradientDescentOptimizer(.1)", _STEP), ("MomentumOptimizer(.1, .9)", ""), ("AdamOptimizer(.1)", _STEP),
            ("AdagradOptimizer(.1)", ""), ("RMSPropOptimizer(.1)", ""), ("RMSPropOptimizer(.1, centered=True)", ""),
            ("AdadeltaOptimizer(.1)", ""), ("ProximalAdagradOptimizer(.1)", ""), ("ProximalGradientDescentOptimizer(.1)", ""),
        )
    ),
    *(
        _ROWS.format(made)
        for made in ("GradientDescentOptimizer(.1)", "MomentumOptimizer(.1, .9)", "AdamOptimizer(.1)", "AdagradOptimizer(.1)")
    ),
)  # fmt: skip


def nodes_of(program, tf):
    """Returns the nodes that a program builds in a new graph, without those of gradients."""
    with tf.Graph().as_default() as graph:
        exec(program, {"tf": tf})
        return [described(op) for op in graph.get_operations() if not op.name.startswith("gradients")]


def described(op):
    own = f"loc:@{op.name}"
    groups = [group.decode() for group in op.colocation_groups()]
    controls = sorted(control.name for control in op.control_inputs)
    return [op.name, op.type, [t.name for t in op.inputs], controls, [group for group in groups if group != own]]


def main():
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    found = {program: nodes_of(program, tf) for program in (*PROGRAMS, *OPTIMIZERS)}
    path = pathlib.Path(__file__).with_name("variable_nodes.json.gz")
    path.write_bytes(gzip.compress(json.dumps(found).encode(), mtime=0))
    print(f"{path}: {len(found)} programs")


if __name__ == "__main__":
    main()
