"""Exact contributions of the inputs of an equation against a stated reference person.

Both functions give Shapley values, which do not depend on the order in which inputs are changed from
the reference person to the patient: in closed form for sums of products of at most two variables
(logistic and Cox equations with pairwise interactions), by enumeration for any function of few inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import factorial, inf
from operator import mul

MAX_ENUMERATED = 8  # 2**8 evaluations of the function; beyond that the closed form is the right tool


@dataclass(frozen=True, slots=True)
class Variable:
    """An input as an equation uses it: held between two knots, centred, and divided by a step.

    input: the id of the input that this variable is made of; several variables may share one (a spline).
    centre, per: in `unit`, as printed in the source.
    above, below: knots in `unit`; outside them the variable stays constant, so that two variables with
        a common knot make a linear spline. They are part of the equation and clip no patient's value.
    """

    input: str
    centre: float = 0.0
    per: float = 1.0
    unit: str = "1"
    above: float = -inf
    below: float = inf

    def __call__(self, value: float) -> float:
        """The variable's value for an input in `unit`."""
        return (min(max(value, self.above), self.below) - self.centre) / self.per


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a linear predictor: coefficient x first variable (x second variable)."""

    coefficient: float
    first: str
    second: str | None = None


def linear_predictor(constant: float, terms: Sequence[Term], at: Mapping[str, float]) -> float:
    """The constant plus all terms, where the variables have the values `at`."""
    total = constant
    for term in terms:
        second = term.second
        total += term.coefficient * at[term.first] * (1.0 if second is None else at[second])
    return total


def product_contributions(
    terms: Sequence[Term], at: Mapping[str, float], reference: Mapping[str, float], owners: Mapping[str, str]
) -> dict[str, float]:
    """Shapley value of each input of a sum of products of at most two variables.

    at, reference: values of the variables of the patient and of the reference person.
    owners: variable -> the input it is made of; variables of one input are changed together.
    The values add up to the linear predictor of the patient minus that of the reference person.
    Source: for a term b*x*y the average over both orders gives x the share b*(x-x0)*(y+y0)/2
    (Shapley 1953, doi:10.1515/9781400881970-018); the two shares of one owner sum to b*(x*y-x0*y0).
    """
    shares = dict.fromkeys(owners.values(), 0.0)
    for term in terms:
        first, second = term.first, term.second
        x, x0 = at[first], reference[first]
        if second is None:
            shares[owners[first]] += term.coefficient * (x - x0)
            continue
        y, y0 = at[second], reference[second]
        half = term.coefficient / 2
        shares[owners[first]] += half * (x - x0) * (y + y0)
        shares[owners[second]] += half * (y - y0) * (x + x0)
    return shares


def shapley(
    function: Callable[..., float], at: Mapping[str, float], reference: Mapping[str, float]
) -> dict[str, float]:
    """Shapley value of each input of any function of few inputs, by evaluating every subset.

    function: called with all inputs as keyword arguments.
    at, reference: the inputs of the patient and of the reference person, with the same keys.
    The values add up to function(at) - function(reference).
    Raises ValueError for different keys or more than `MAX_ENUMERATED` inputs.
    Source: Shapley 1953, doi:10.1515/9781400881970-018.
    """
    names = tuple(at)
    if set(names) != set(reference):
        raise ValueError(f"patient and reference person need the same inputs, got {sorted(at)} and {sorted(reference)}")
    if len(names) > MAX_ENUMERATED:
        raise ValueError(f"at most {MAX_ENUMERATED} inputs can be enumerated, got {len(names)}")
    pairs = [(reference[name], at[name]) for name in names]
    values = [function(**dict(zip(names, inputs, strict=True))) for inputs in product(*pairs)]
    return {name: sum(map(mul, weights, values)) for name, weights in zip(names, _weights(len(names)), strict=True)}


@cache
def _weights(n: int) -> tuple[tuple[float, ...], ...]:
    """For each of n inputs the weight with which every subset's value enters its share, in the order of `product`."""
    of_size = [factorial(size) * factorial(n - size - 1) / factorial(n) for size in range(n)]
    subsets = list(product((False, True), repeat=n))
    return tuple(
        tuple(of_size[sum(inside) - 1] if inside[i] else -of_size[sum(inside)] for inside in subsets) for i in range(n)
    )
