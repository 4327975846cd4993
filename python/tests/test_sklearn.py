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

#: The check that asks for something that was learned, for which the other ones' three steps are too few.
LEARNING = "check_classifiers_train"

#: The checks that cannot apply, and why.
NOT_APPLICABLE: dict[str, str] = {
    "check_sample_weight_equivalence_on_dense_data": (
        "it asks that repeated rows give what weights give to seven digits: a fit draws its rows at random, and others from more rows"
    ),
    "check_regressors_train": (
        "it has 200 rows of 10 columns, in each of which every number comes once: too few to learn their joint distribution from "
        "(R² 0.00 after 600 steps too)"
    ),
}


def expected(estimator: Any) -> dict[str, str]:
    # A density has no predictions that could be compared.
    return {} if isinstance(estimator, SegreDensity) else NOT_APPLICABLE


@pytest.mark.filterwarnings("ignore::segre.SegreWarning")
@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [SegreDensity(**SMALL), SegreClassifier(**SMALL), SegreRegressor(**SMALL), SegreImputer(**SMALL)],
    expected_failed_checks=expected,
)
def test_checks(estimator: Any, check: Any) -> None:
    if check.func.__name__ == LEARNING:
        estimator = estimator.set_params(steps=300, set=QUICK)
    check(estimator)


def test_rows_count_as_much_as_they_weigh() -> None:
    X = pd.DataFrame({"a": ["u", "v"] * 150})
    y = np.array(["yes", "yes", "no", "no"] * 75)
    weights = np.where(y == "yes", 3.0, 1.0)
    proba = SegreClassifier(steps=200, set=QUICK).fit(X, y, sample_weight=weights).predict_proba(X)
    assert proba[:, 1].mean() == pytest.approx(0.75, abs=0.05)
    numbers = np.where(y == "yes", 10.0, 20.0)
    means = SegreRegressor(steps=200, set=QUICK).fit(X, numbers, sample_weight=weights).predict(X)
    assert means.mean() == pytest.approx(12.5, abs=0.7)
    density = SegreDensity(steps=100, set=QUICK).fit(X, sample_weight=np.where(X["a"] == "u", 1.0, 0.0))
    assert (density.sample(200)[0]["a"] == "u").mean() > 0.95
    search = GridSearchCV(SegreClassifier(set=QUICK), {"steps": [1, 50]}, cv=2).fit(X, y, sample_weight=weights)
    assert set(search.cv_results_["param_steps"]) == {1, 50}


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


