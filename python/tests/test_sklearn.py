"""Estimators in scikit-learn's own checks, each that cannot apply with its reason, and at their work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer
from sklearn.utils.estimator_checks import parametrize_with_checks

from segre.sklearn import SegreClassifier, SegreDensity, SegreImputer, SegreRegressor

SMALL: dict[str, Any] = {"steps": 3, "set": {"network.hidden": 8, "network.blocks": 1}}
QUICK = {"network.hidden": 32, "network.blocks": 1}

#: Checks that cannot apply, and why.
NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "SegreClassifier": {"check_classifiers_train": "it asks for an accuracy that three steps do not reach"},
    "SegreRegressor": {"check_regressors_train": "it asks for a fit that three steps do not reach"},
}


def expected(estimator: Any) -> dict[str, str]:
    return NOT_APPLICABLE.get(type(estimator).__name__, {})


@pytest.mark.filterwarnings("ignore::segre.SegreWarning")
@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [SegreDensity(**SMALL), SegreClassifier(**SMALL), SegreRegressor(**SMALL), SegreImputer(**SMALL)],
    expected_failed_checks=expected,
)
def test_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_a_classifier_learns_and_is_searched() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.choice(["u", "v"], 300), "b": rng.integers(0, 3, 300)})
    y = np.where((X["a"] == "u") & (X["b"] > 0), "yes", "no")
    assert cross_val_score(SegreClassifier(steps=200, set=QUICK), X, y, cv=2).mean() > 0.9
    search = GridSearchCV(SegreClassifier(set=QUICK), {"steps": [1, 200]}, cv=2).fit(X, y)
    assert search.best_params_ == {"steps": 200}
    assert set(search.predict(X)) <= {"yes", "no"}
    copied: Any = clone(SegreClassifier(steps=7))
    assert copied.get_params()["steps"] == 7


def test_a_regressor_predicts_means() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.choice(["u", "v"], 400)})
    y = np.where(X["a"] == "u", 10.0, 20.0) + rng.normal(size=400).round(1)
    found = SegreRegressor(steps=300, set=QUICK).fit(X, y).predict(X)
    assert np.corrcoef(found, y)[0, 1] > 0.8


def test_a_density_scores_and_samples(letters: pd.DataFrame) -> None:
    density = SegreDensity(steps=100, set=QUICK).fit(letters)
    assert density.score_samples(letters).shape == (200,)
    rows, _ = density.sample(5)
    assert list(rows.columns) == ["x", "y"]


def test_an_imputer_fills_gaps_and_keeps_frames(letters: pd.DataFrame) -> None:
    holes = letters.copy()
    holes.loc[::5, "y"] = None
    imputer = SegreImputer(steps=300, set=QUICK).set_output(transform="pandas")
    whole = imputer.fit(letters).transform(holes)
    assert whole.isna().sum().sum() == 0 and (whole["y"] == letters["y"]).mean() > 0.95
    numbers = np.random.default_rng(0).integers(0, 5, (100, 3)).astype(float)
    numbers[::7, 1] = np.nan
    filled = SegreImputer(steps=5).fit_transform(numbers)
    assert not np.isnan(filled).any()
    pipeline = make_pipeline(KBinsDiscretizer(3, encode="ordinal", strategy="uniform"), SegreDensity(steps=3))
    assert np.isfinite(pipeline.fit(filled).score(filled))


