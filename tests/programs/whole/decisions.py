"""Programs that learn to act: deep Q-learning in a corridor of cells, and a policy's gradient on a bandit with contexts."""

from __future__ import annotations

import numpy as np

from .registry import program


@program
def deep_q_learning_on_a_gridworld(tf, at):
    """From any cell of a 3 x 3 grid the greedy policy takes a shortest way to the corner."""
    side, discount = 3, 0.9
    moves = [(0, 1), (1, 0), (0, -1), (-1, 0)]

    def act(state, action):
        row, column = divmod(state, side)
        row = min(max(row + moves[action][0], 0), side - 1)
        column = min(max(column + moves[action][1], 0), side - 1)
        after = row * side + column
        return after, float(after == side * side - 1)

    def network(states, scope):
        with tf.variable_scope(scope):
            start = tf.glorot_uniform_initializer(seed=1)
            hidden = tf.layers.dense(tf.one_hot(states, side * side), 24, tf.nn.relu, kernel_initializer=start)
            return tf.layers.dense(hidden, len(moves), kernel_initializer=start)

    state, action, after = (tf.placeholder(tf.int32, [None]) for _ in range(3))
    reward = tf.placeholder(tf.float32, [None])
    with at(0):
        values = network(state, "online")
        chosen = tf.reduce_sum(values * tf.one_hot(action, len(moves)), 1)
    with at(1):
        future = tf.reduce_max(network(after, "target"), 1)
        target = tf.stop_gradient(reward + discount * (1.0 - reward) * future)
    loss = tf.reduce_mean(tf.square(chosen - target))
    online, frozen = (tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope) for scope in ("online", "target"))
    step = tf.train.AdamOptimizer(0.02).minimize(loss, var_list=online)
    copy = tf.group(*[f.assign(o) for o, f in zip(online, frozen, strict=True)])

    rng = np.random.RandomState(0)
    memory = [(s, a, *act(s, a)) for s in range(side * side - 1) for a in range(len(moves))]
    losses = []
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for i in range(240):
            if i % 20 == 0:
                sess.run(copy)
            s, a, t, r = zip(*[memory[k] for k in rng.randint(0, len(memory), 32)], strict=True)
            losses.append(sess.run([loss, step], {state: s, action: a, after: t, reward: r})[0])
        greedy = sess.run(tf.argmax(values, 1), {state: np.arange(side * side)})
    for start in range(side * side - 1):
        here, taken = start, 0
        while here != side * side - 1 and taken < 9:
            here, taken = act(here, greedy[here])[0], taken + 1
        assert taken == sum(side - 1 - c for c in divmod(start, side))
    return losses[:40]


@program
def policy_gradient_on_a_bandit(tf, at):
    """Each context has its own best arm; the policy finds them from rewards alone."""
    context, arm = tf.placeholder(tf.int32, [None]), tf.placeholder(tf.int32, [None])
    advantage = tf.placeholder(tf.float32, [None])
    with at(0):
        scores = tf.nn.embedding_lookup(tf.get_variable("scores", [3, 4], initializer=tf.zeros_initializer()), context)
    with at(1):
        log_policy = tf.nn.log_softmax(scores)
        picked = tf.gather_nd(log_policy, tf.stack([tf.range(tf.size(arm)), arm], 1))
    step = tf.train.GradientDescentOptimizer(1.0).minimize(-tf.reduce_mean(advantage * picked))
    rng, best = np.random.RandomState(1), np.array([2, 0, 3])
    trace = []
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(100):
            contexts = rng.randint(0, 3, 40)
            policy = np.exp(sess.run(log_policy, {context: contexts}))
            arms = (policy.cumsum(1) > rng.rand(40, 1)).argmax(1)
            rewards = (arms == best[contexts]).astype("f4")
            sess.run(step, {context: contexts, arm: arms, advantage: rewards - rewards.mean()})
            trace.append(rewards.mean())
        found = sess.run(tf.argmax(scores, 1), {context: [0, 1, 2]})
    assert (found == best).all() and np.mean(trace[-10:]) > 0.8
    return trace
