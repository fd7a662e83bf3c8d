"""Random numbers: Philox 4x32-10, TensorFlow's distributions on it, and the ops that draw from them."""
