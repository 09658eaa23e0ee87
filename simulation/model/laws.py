"""How a file says a distribution: a number, or a table with its kind and its figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from packline.core.file_part import FilePart
from packline.core.files import Mistake, Wrong
from simulation.blocks import draws
from simulation.blocks.draws_phases import Coxian, Pareto

Kind = Literal[
    "deterministic", "exponential", "erlang", "hyperexponential", "lognormal", "uniform", "triangular", "weibull",
    "gamma", "geometric", "poisson", "empirical", "hypoexponential", "coxian", "pareto",
]  # fmt: skip
SHORT = 'a number, or a table such as { kind = "exponential", mean = 2.5 }'

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Law(FilePart):
    """A distribution: its kind, and what that needs. Times are seconds."""

    kind: Kind
    mean: NotNegative | None = Field(None, description="The expected value.")
    rate: Positive | None = Field(None, description="Instead of the mean of an exponential: 1 / mean.")
    cv: NotNegative | None = Field(None, description="Coefficient of variation: standard deviation / mean.")
    k: Annotated[int, Field(ge=1, le=1000)] | None = Field(None, description="Stages of an Erlang; cv = 1 / sqrt(k).")
    shape: Positive | None = Field(
        None, description="Shape of a Weibull: below 1 fails early, above 1 wears out; of a Pareto, above 1."
    )
    low: NotNegative | None = Field(None, description="The least value.")
    high: NotNegative | None = Field(None, description="The greatest value.")
    mode: NotNegative | None = Field(None, description="The most likely value of a triangular.")
    means: list[NotNegative] | None = Field(None, description="Means of the phases.")
    go_on: list[Annotated[float, Field(ge=0, le=1)]] | None = Field(
        None, description="Probabilities to go on after each phase of a Coxian but the last."
    )
    weights: list[NotNegative] | None = Field(
        None, description="Probabilities of the phases, or weights of the values; they are scaled to a sum of 1."
    )
    values: list[NotNegative] | None = Field(None, description="The values of an empirical.")
    smooth: bool = Field(False, description="An empirical that also takes what lies between its values.")

    @model_validator(mode="after")
    def _fits(self) -> Law:
        self.distribution()
        return self

    def distribution(self) -> draws.Distribution:
        """Give it as what can be drawn; raises Wrong when its figures do not fit its kind."""
        given = {name for name in type(self).model_fields if _is_said(getattr(self, name))} - {"kind"}
        for needed, make in _MADE[self.kind]:
            if given == needed:
                return make(self)
        expected = " or ".join(", ".join(sorted(needed)) for needed, _ in _MADE[self.kind])
        raise Wrong(Mistake(seen=", ".join(sorted(given)) or "nothing", expected=f"for {self.kind}: {expected}"))


def _is_said(value: object) -> bool:
    return value is not None and value is not False


def as_law(given: Any) -> Any:
    """Take a number for that value always."""
    if isinstance(given, bool) or not isinstance(given, (int, float, dict, Law)):
        raise Wrong(Mistake(seen=repr(given)[:80], expected=SHORT))
    if isinstance(given, (int, float)):
        if not (math.isfinite(given) and given >= 0):
            raise Wrong(Mistake(seen=str(given), expected="a number, at least 0"))
        return {"kind": "deterministic", "mean": given}
    return given


Time = Annotated[Law, BeforeValidator(as_law, json_schema_input_type=float | Law)]
"""A distribution, or a number."""

Make = Callable[[Law], draws.Distribution]


def _must(is_so: bool, at: str, seen: object, expected: str) -> None:
    if not is_so:
        raise Wrong(Mistake(at=at, seen=str(seen), expected=expected))


def _mean(law: Law, least: float = 0.0) -> float:
    mean = law.mean or 0.0
    _must(mean > 0 and mean >= least, "mean", f"{mean:g}", f"at least {least:g}" if least else "above 0")
    return mean


def _erlang_by_cv(law: Law) -> draws.Distribution:
    cv = law.cv or 0.0
    k = round(1 / cv**2) if cv > 0 else 0
    _must(
        1 <= k <= 1000 and abs(1 / math.sqrt(k) - cv) < 0.005,
        "cv",
        f"{cv:g}",
        "1 / sqrt(k) of a whole k: 1, 0.707, 0.577, 0.5 ...; a gamma has any cv",
    )
    return draws.Erlang(_mean(law), k)


def _hyper_by_cv(law: Law) -> draws.Distribution:
    cv = law.cv or 0.0
    _must(cv >= 1, "cv", f"{cv:g}", "at least 1; an erlang or a gamma has less")
    return draws.Hyperexponential.balanced(_mean(law), cv)


def _hyper_by_phases(law: Law) -> draws.Distribution:
    means, weights = law.means or [], law.weights or []
    _must(len(means) == len(weights) > 0, "weights", f"{len(weights)} weights", f"one for each of {len(means)} means")
    total = sum(weights)
    _must(total > 0, "weights", "nothing but 0", "at least one above 0")
    return draws.Hyperexponential(tuple(w / total for w in weights), tuple(means))


def _phases(law: Law) -> draws.Distribution:
    means = law.means or []
    go_on = law.go_on if law.go_on is not None else [1.0] * (len(means) - 1)
    _must(len(means) >= 1 and sum(means) > 0, "means", f"{len(means)} means", "at least one above 0")
    _must(
        len(go_on) == len(means) - 1,
        "go_on",
        f"{len(go_on)} probabilities",
        f"{len(means) - 1}: after all but the last",
    )
    return Coxian(tuple(means), tuple(go_on))


def _pareto(law: Law) -> draws.Distribution:
    shape = law.shape or 0.0
    _must(shape > 1, "shape", f"{shape:g}", "above 1, or it has no mean")
    return Pareto(_mean(law), shape)


def _by_cv(make: Callable[[float, float], draws.Distribution]) -> Make:
    def made(law: Law) -> draws.Distribution:
        if law.cv == 0:
            return draws.Deterministic(_mean(law))
        return make(_mean(law), law.cv or 0.0)

    return made


def _uniform(law: Law) -> draws.Distribution:
    low, high = law.low or 0.0, law.high or 0.0
    _must(low <= high, "high", f"{high:g}", f"at least low, {low:g}")
    return draws.Uniform(low, high)


def _uniform_by_cv(law: Law) -> draws.Distribution:
    mean, half = _mean(law), (law.mean or 0.0) * (law.cv or 0.0) * math.sqrt(3)
    _must(half <= mean, "cv", f"{law.cv:g}", "at most 0.577, or it would go below 0")
    return draws.Uniform(mean - half, mean + half)


def _triangular(law: Law) -> draws.Distribution:
    low, mode, high = law.low or 0.0, law.mode or 0.0, law.high or 0.0
    _must(low <= mode <= high, "mode", f"{mode:g}", f"from low, {low:g}, to high, {high:g}")
    return draws.Triangular(low, mode, high)


def _empirical(law: Law) -> draws.Distribution:
    values = law.values or []
    spans = len(values) - 1 if law.smooth else len(values)
    weights = law.weights if law.weights is not None else [1.0] * max(spans, 0)
    _must(spans >= 1, "values", f"{len(values)} values", "at least 2" if law.smooth else "at least 1")
    _must(len(weights) == spans, "weights", f"{len(weights)} weights", f"{spans}: one for each {_of(law)}")
    _must(sum(weights) > 0, "weights", "nothing but 0", "at least one above 0")
    _must(not law.smooth or sorted(values) == values, "values", "values out of order", "rising values")
    return draws.Empirical(tuple(values), tuple(weights), law.smooth)


def _of(law: Law) -> str:
    return "span between two values" if law.smooth else "value"


_MADE: Mapping[str, tuple[tuple[set[str], Make], ...]] = {
    "deterministic": (({"mean"}, lambda law: draws.Deterministic(law.mean or 0.0)),),
    "exponential": (
        ({"mean"}, lambda law: draws.Exponential(_mean(law))),
        ({"rate"}, lambda law: draws.Exponential(1 / (law.rate or 1.0))),
    ),
    "erlang": (
        ({"mean", "k"}, lambda law: draws.Erlang(_mean(law), law.k or 1)),
        ({"mean", "cv"}, _erlang_by_cv),
    ),
    "hyperexponential": (({"mean", "cv"}, _hyper_by_cv), ({"means", "weights"}, _hyper_by_phases)),
    "lognormal": (({"mean", "cv"}, _by_cv(draws.Lognormal)),),
    "uniform": (({"low", "high"}, _uniform), ({"mean", "cv"}, _uniform_by_cv)),
    "triangular": (({"low", "mode", "high"}, _triangular),),
    "weibull": (({"mean", "shape"}, lambda law: draws.Weibull(_mean(law), law.shape or 1.0)),),
    "gamma": (({"mean", "cv"}, _by_cv(draws.Gamma)),),
    "geometric": (({"mean"}, lambda law: draws.Geometric(_mean(law, 1.0))),),
    "poisson": (({"mean"}, lambda law: draws.Poisson(_mean(law))),),
    "hypoexponential": (({"means"}, _phases),),
    "coxian": (({"means", "go_on"}, _phases),),
    "pareto": (({"mean", "shape"}, _pareto),),
    "empirical": (
        ({"values"}, _empirical),
        ({"values", "weights"}, _empirical),
        ({"values", "smooth"}, _empirical),
        ({"values", "weights", "smooth"}, _empirical),
    ),
}
