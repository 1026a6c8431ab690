"""Metric math: the expressions of alarms on several metrics. Pure.

CloudWatch guide, "Using metric math". What is not supported here is refused when the alarm is put, never passed over.
"""

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.cloud.emulator.patches.cloudwatch_math_values import (
    FUNCTIONS,
    REPEAT,
    SIGNS,
    ExpressionFault,
    Series,
    Value,
    combine,
    each,
    scalar,
    series,
)


@dataclass(frozen=True, slots=True)
class Metrics:
    """What an expression can name: metrics and results of other expressions, by id, each of `length` values.

    period: seconds.
    """

    measured: Mapping[str, Series]
    computed: Mapping[str, Series]
    period: int
    length: int


def evaluate(expression: str, metrics: Metrics) -> Series:
    """Raises ExpressionFault, also when the result is no time series."""
    value = _Parser(expression, metrics).whole()
    if not isinstance(value, tuple):
        raise ExpressionFault("the expression must return a single time series")
    return value


_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<id>[a-z][A-Za-z0-9_]*)|(?P<word>[A-Z][A-Z_0-9]*)|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>(),\[\]]))"
)


class _Parser:
    """Evaluates while it reads: an expression is a line, and read once per evaluation."""

    def __init__(self, expression: str, metrics: Metrics) -> None:
        self._metrics = metrics
        self._tokens = _tokens(expression)
        self._next = 0

    def whole(self) -> Value:
        value = self._binary(0)
        if self._next < len(self._tokens):
            raise ExpressionFault(f"unexpected {self._tokens[self._next]!r}")
        return value

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self, expected: str | None = None) -> str:
        token = self._peek()
        if not token or (expected is not None and token != expected):
            raise ExpressionFault(f"expected {expected or 'a value'}, found {token or 'the end'}")
        self._next += 1
        return token

    def _binary(self, level: int) -> Value:
        if level == len(SIGNS):
            return self._unary()
        value = self._binary(level + 1)
        while (sign := self._peek()) in SIGNS[level]:
            self._take()
            value = combine(SIGNS[level][sign], value, self._binary(level + 1))
        return value

    def _unary(self) -> Value:
        if self._peek() == "-":
            self._take()
            return each(operator.neg, self._unary())
        return self._operand()

    def _operand(self) -> Value:
        word = self._take()
        if word == "(":
            value = self._binary(0)
            self._take(")")
            return value
        if word == "[":
            return self._list()
        if word[0].isdigit():
            return float(word)
        if word[0].islower():
            found = self._metrics.measured.get(word) or self._metrics.computed.get(word)
            if found is None:
                raise ExpressionFault(f"no metric or expression has the id {word}")
            return found
        if word[0].isupper():
            return self._call(word)
        raise ExpressionFault(f"unexpected {word!r}")

    def _list(self) -> list[Series]:
        found: list[Series] = []
        while True:
            value = self._binary(0)
            found += value if isinstance(value, list) else [series(value)]
            if self._take() != ",":
                break
        return found

    def _call(self, name: str) -> Value:
        self._take("(")
        if name in ("METRICS", "PERIOD"):
            return self._about_metrics(name)
        arguments: list[Value] = []
        while self._peek() != ")":
            if name == "FILL" and self._peek() == "REPEAT":
                self._take()
                arguments.append(REPEAT)
            else:
                arguments.append(self._binary(0))
            if self._peek() != ")":
                self._take(",")
        self._take(")")
        if name == "TIME_SERIES":
            return (scalar(arguments[0]),) * self._metrics.length
        if name not in FUNCTIONS:
            raise ExpressionFault(f"the sandbox does not know the function {name}")
        try:
            return FUNCTIONS[name](arguments, self._metrics.period)
        except (IndexError, TypeError, ValueError) as e:
            raise ExpressionFault(f"{name} does not take these arguments") from e

    def _about_metrics(self, name: str) -> Value:
        inner = self._take() if self._peek() != ")" else ""
        self._take(")")
        if name == "PERIOD":
            return float(self._metrics.period)
        part = inner.strip("\"'")
        return [values for identity, values in self._metrics.measured.items() if part in identity]


def _tokens(expression: str) -> list[str]:
    found, position, text = [], 0, expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionFault(f"unexpected {text[position:].strip()[:10]!r}")
        found.append(match.group().strip())
        position = match.end()
    if not found:
        raise ExpressionFault("the expression is empty")
    return found
