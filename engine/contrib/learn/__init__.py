"""`tf.contrib.learn`: the older estimators, their monitors, experiments and tables."""
