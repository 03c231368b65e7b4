"""Parameters that are not what they may be: one line with the name, the value and what is expected."""

import math
from numbers import Integral, Real


def refuse(estimator, name, expected):
    """Raises the error for a parameter."""
    value = getattr(estimator, name)
    raise ValueError(f"{type(estimator).__name__}: {name} is {value!r}: expected {expected}")


def is_whole(value, least):
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= least


def is_number(value, fits):
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value) and fits(value)


def check(estimator, rules):
    """Checks parameters by a table of their names: what holds for the value, and that in words."""
    for name, (fits, expected) in rules.items():
        if not fits(getattr(estimator, name)):
            refuse(estimator, name, expected)


def whole(least):
    return lambda value: is_whole(value, least), f"a whole number of at least {least}"


def whole_or_none(least):
    return lambda value: value is None or is_whole(value, least), f"a whole number of at least {least}, or None"


def number(fits, expected):
    return lambda value: is_number(value, fits), expected


def one_of(values):
    listed = ", ".join(repr(value) for value in values)
    # By the type too: 1 is no True.
    return lambda value: any(type(value) is type(one) and value == one for one in values), f"one of {listed}"


def optional(rule):
    fits, expected = rule
    return lambda value: value is None or fits(value), f"{expected}, or None"


def layers(value):
    """Widths of hidden layers as a list; None where they are no widths."""
    widths = list(value) if hasattr(value, "__iter__") and not isinstance(value, (str, bytes)) else [value]
    return [int(width) for width in widths] if all(is_whole(width, 1) for width in widths) else None


WIDTHS = (lambda value: layers(value) is not None, "a width of at least 1 for each hidden layer")
