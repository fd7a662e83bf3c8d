"""What each optimiser does to its variables, element by element.

A formula takes the namespace, the old values (the variable first, then its slots), the gradient and the scalars in the
order of the op's inputs, and returns the new values in the order of the old ones. It writes to nothing that it is given.
The order of the operations is TensorFlow's kernels', so that long runs agree.
"""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace

Values = tuple[Array, ...]


def gradient_descent(xp: Namespace, var: Array, delta: Array, alpha: Array) -> Values:
    """Step down the gradient."""
    return (var - alpha * delta,)


def proximal_gradient_descent(xp: Namespace, var: Array, delta: Array, alpha: Array, l1: Array, l2: Array) -> Values:
    """Step down the gradient, then shrink by the L1 and L2 penalties."""
    return (_shrink(xp, var - alpha * delta, alpha * l1, 1 + l2 * alpha),)


def _shrink(xp: Namespace, value: Array, threshold: Array, divisor: Array) -> Array:
    """Pull `value` towards 0 by `threshold` (not at all when that is not positive) and divide."""
    return xp.sign(value) * xp.maximum(xp.abs(value) - xp.maximum(threshold, 0), 0) / divisor


def momentum(
    xp: Namespace, var: Array, accum: Array, grad: Array, lr: Array, factor: Array, *, use_nesterov: bool
) -> Values:
    """Step along a decaying sum of gradients."""
    accum = accum * factor + grad
    if use_nesterov:
        return var - (grad * lr + accum * factor * lr), accum
    return var - accum * lr, accum


def keras_momentum(
    xp: Namespace, var: Array, accum: Array, grad: Array, lr: Array, factor: Array, *, use_nesterov: bool
) -> Values:
    """Step along a decaying sum of steps."""
    accum = accum * factor - grad * lr
    if use_nesterov:
        return var + (accum * factor - grad * lr), accum
    return var + accum, accum


def adam(
    xp: Namespace, var: Array, m: Array, v: Array, grad: Array, beta1_power: Array, beta2_power: Array, lr: Array,
    beta1: Array, beta2: Array, epsilon: Array, *, use_nesterov: bool = False,
) -> Values:  # fmt: skip
    """Step by the first moment over the root of the second, both corrected for their start."""
    alpha = lr * xp.sqrt(1 - beta2_power) / (1 - beta1_power)
    m = m + (grad - m) * (1 - beta1)
    v = v + (xp.square(grad) - v) * (1 - beta2)
    step = grad * (1 - beta1) + beta1 * m if use_nesterov else m
    return var - step * alpha / (xp.sqrt(v) + epsilon), m, v


def amsgrad(
    xp: Namespace, var: Array, m: Array, v: Array, vhat: Array, grad: Array, beta1_power: Array, beta2_power: Array, lr: Array,
    beta1: Array, beta2: Array, epsilon: Array,
) -> Values:  # fmt: skip
    """Step as Adam does, over the largest second moment so far."""
    alpha = lr * xp.sqrt(1 - beta2_power) / (1 - beta1_power)
    m = m + (grad - m) * (1 - beta1)
    v = v + (xp.square(grad) - v) * (1 - beta2)
    vhat = xp.maximum(vhat, v)
    return var - m * alpha / (xp.sqrt(vhat) + epsilon), m, v, vhat


def adamax(
    xp: Namespace, var: Array, m: Array, v: Array, grad: Array, beta1_power: Array, lr: Array, beta1: Array, beta2: Array,
    epsilon: Array,
) -> Values:  # fmt: skip
    """Step by the first moment over a decaying maximum of gradients."""
    m = m + (grad - m) * (1 - beta1)
    v = xp.maximum(beta2 * v, xp.abs(grad))
    return var - lr / (1 - beta1_power) * (m / (v + epsilon)), m, v


def adagrad(xp: Namespace, var: Array, accum: Array, grad: Array, lr: Array, *, update_slots: bool) -> Values:
    """Step by the gradient over the root of the sum of squares."""
    accum = accum + xp.square(grad) if update_slots else accum
    return var - grad * lr / xp.sqrt(accum), accum


def adagrad_v2(
    xp: Namespace, var: Array, accum: Array, grad: Array, lr: Array, epsilon: Array, *, update_slots: bool
) -> Values:
    """Step as Adagrad does, with epsilon beside the root."""
    accum = accum + xp.square(grad) if update_slots else accum
    return var - grad * lr / (xp.sqrt(accum) + epsilon), accum


def proximal_adagrad(xp: Namespace, var: Array, accum: Array, grad: Array, lr: Array, l1: Array, l2: Array) -> Values:
    """Step as Adagrad does, then shrink by the L1 and L2 penalties."""
    accum = accum + xp.square(grad)
    rate = lr / xp.sqrt(accum)
    return _shrink(xp, var - grad * rate, rate * l1, 1 + rate * l2), accum


def adagrad_da(
    xp: Namespace,
    var: Array,
    accum: Array,
    squared: Array,
    grad: Array,
    lr: Array,
    l1: Array,
    l2: Array,
    global_step: Array,
) -> Values:
    """Step from the sums of gradients and of their squares since the start."""
    accum = accum + grad
    squared = squared + xp.square(grad)
    step = global_step.astype(var.dtype)
    pulled = xp.sign(accum) * xp.maximum(xp.abs(accum) - xp.maximum(l1, 0) * step, 0)
    return -lr * pulled / (l2 * step * lr + xp.sqrt(squared)), accum, squared


def adadelta(
    xp: Namespace, var: Array, accum: Array, accum_update: Array, grad: Array, lr: Array, rho: Array, epsilon: Array
) -> Values:
    """Step by the gradient times the ratio of decaying means of squares, of steps and of gradients."""
    accum = accum * rho + xp.square(grad) * (1 - rho)
    update = xp.sqrt(accum_update + epsilon) / xp.sqrt(accum + epsilon) * grad
    return var - update * lr, accum, accum_update * rho + xp.square(update) * (1 - rho)


def rmsprop(
    xp: Namespace, var: Array, ms: Array, mom: Array, grad: Array, lr: Array, rho: Array, factor: Array, epsilon: Array
) -> Values:
    """Step along a momentum of gradients over the root of a decaying mean of squares."""
    ms = ms + (xp.square(grad) - ms) * (1 - rho)
    mom = mom * factor + grad * lr / xp.sqrt(ms + epsilon)
    return var - mom, ms, mom


def centered_rmsprop(
    xp: Namespace,
    var: Array,
    mg: Array,
    ms: Array,
    mom: Array,
    grad: Array,
    lr: Array,
    rho: Array,
    factor: Array,
    epsilon: Array,
) -> Values:
    """Step as RMSProp does, over the gradients' decaying variance."""
    ms = ms + (xp.square(grad) - ms) * (1 - rho)
    mg = mg + (grad - mg) * (1 - rho)
    mom = mom * factor + grad * lr / xp.sqrt(ms - xp.square(mg) + epsilon)
    return var - mom, mg, ms, mom


def ftrl(
    xp: Namespace, var: Array, accum: Array, linear: Array, grad: Array, lr: Array, l1: Array, l2: Array, lr_power: Array,
    *, multiply_linear_by_lr: bool,
) -> Values:  # fmt: skip
    """Follow the regularised leader."""
    return _ftrl(xp, var, accum, linear, grad, grad, lr, l1, l2, lr_power, multiply_linear_by_lr)


def ftrl_v2(
    xp: Namespace, var: Array, accum: Array, linear: Array, grad: Array, lr: Array, l1: Array, l2: Array, l2_shrinkage: Array,
    lr_power: Array, *, multiply_linear_by_lr: bool,
) -> Values:  # fmt: skip
    """Follow the regularised leader, with shrinkage."""
    shrunk = grad + 2 * l2_shrinkage * var
    return _ftrl(xp, var, accum, linear, grad, shrunk, lr, l1, l2, lr_power, multiply_linear_by_lr)


def _ftrl(
    xp: Namespace, var: Array, accum: Array, linear: Array, grad: Array, shrunk: Array, lr: Array, l1: Array, l2: Array,
    lr_power: Array, by_lr: Any,
) -> Values:  # fmt: skip
    new_accum = accum + xp.square(grad)
    new_power, old_power = new_accum**-lr_power, accum**-lr_power
    if by_lr:
        linear = linear + shrunk * lr - (new_power - old_power) * var
        quadratic = new_power + 2 * l2 * lr
        bound = l1 * lr
    else:
        linear = linear + shrunk - (new_power - old_power) / lr * var
        quadratic = new_power / lr + 2 * l2
        bound = l1
    pulled = (xp.sign(linear) * bound - linear) / quadratic
    return xp.where(xp.abs(linear) > bound, pulled, pulled * 0), new_accum, linear


def add_sign(
    xp: Namespace, var: Array, m: Array, grad: Array, lr: Array, alpha: Array, sign_decay: Array, beta: Array
) -> Values:
    """Step by the gradient, more where it agrees with its mean's sign."""
    m = m * beta + grad * (1 - beta)
    return var - lr * (alpha + sign_decay * xp.sign(grad) * xp.sign(m)) * grad, m


def power_sign(
    xp: Namespace, var: Array, m: Array, grad: Array, lr: Array, logbase: Array, sign_decay: Array, beta: Array
) -> Values:
    """Step by the gradient times a power of its agreement with its mean's sign."""
    m = m * beta + grad * (1 - beta)
    return var - lr * xp.exp(logbase * sign_decay * xp.sign(grad) * xp.sign(m)) * grad, m
