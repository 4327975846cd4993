"""Estimators for scikit-learn: a density, a classifier, a regressor and an imputer, all of one joint distribution.

>>> import numpy as np
>>> from segre.sklearn import SegreClassifier
>>> rng = np.random.default_rng(0)
>>> X = rng.integers(0, 3, (200, 2)); y = np.where(X[:, 0] == 0, "low", "high")
>>> SegreClassifier(steps=60, seed=0).fit(X, y).score(X, y) > 0.9
True

``X`` is a frame, whose columns keep their types, or an array, whose columns are numbers: at most 20 different ones are categories,
more are numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional, Union

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, DensityMixin, RegressorMixin, TransformerMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

import segre
from segre._asked import ColumnsAs
from segre._frames import kind_of
from segre._model import Model

__all__ = ["SegreClassifier", "SegreDensity", "SegreImputer", "SegreRegressor"]


class _Segre(BaseEstimator):  # type: ignore[misc]
    """What the estimators share: settings of a fit, and tables of pandas."""

    def __init__(
        self,
        *,
        time: Union[str, float, None] = None,
        steps: Optional[int] = None,
        seed: Optional[int] = 0,
        set: Optional[Mapping[str, object]] = None,
        columns_as: ColumnsAs = None,
    ) -> None:
        self.time = time
        self.steps = steps
        self.seed = seed
        self.set = set
        self.columns_as = columns_as

    def _frame(self, X: Any, *, reset: bool, gaps: bool = False) -> Any:
        """``X`` as a pandas frame with columns of its own names, or ``x0``, ``x1``, … of an array."""
        import pandas

        # A row for each part of the split.
        least = 3 if reset else 1
        if kind_of(X) in ("pandas", "polars"):
            # Names and their number are checked; the cells keep their types.
            validate_data(self, X, reset=reset, skip_check_array=True)
            if len(X) < least:
                raise ValueError(
                    f"Found array with {len(X)} sample(s) (shape={X.shape}) while a minimum of {least} is required."
                )
            return X if kind_of(X) == "pandas" else X.to_pandas()
        allowed = "allow-nan" if gaps else True
        array: Any = validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite=allowed, ensure_min_samples=least)
        return pandas.DataFrame(array, columns=[f"x{place}" for place in range(array.shape[1])])

    def _frame_and_target(self, X: Any, y: Any) -> tuple[Any, np.ndarray]:
        """``X`` as a frame and ``y`` as an array of its length, for which ``_target`` is a free name."""
        frame = self._frame(X, reset=True)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y is None."
            )
        y = column_or_1d(y, warn=True)
        _require_length(frame, y)
        self._target = _free_name(frame, "target")
        return frame, y

    def _learn(self, frame: Any, sample_weight: Any, **more: Any) -> Model:
        settings = dict(self.set or {})
        settings.update(more)
        weights = None if sample_weight is None else _weights_of(sample_weight, frame)
        return segre.fit(
            frame,
            weights=weights,
            time=self.time,
            steps=self.steps,
            seed=self.seed,
            set=settings,
            columns_as=self.columns_as,
            progress=False,
        )


class SegreDensity(DensityMixin, _Segre):  # type: ignore[misc]
    """A joint distribution, with the methods of scikit-learn's GaussianMixture.

    Parameters
    ----------
    time, steps, seed, set, columns_as
        See :func:`segre.fit`.

    Attributes
    ----------
    model_ : segre.Model
    """

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> SegreDensity:
        """Learns the rows of ``X``, which count as much as they weigh."""
        self.model_ = self._learn(self._frame(X, reset=True), sample_weight)
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """Log-probability of every row in nats, ``[rows]``."""
        check_is_fitted(self)
        return self.model_.log_prob(self._frame(X, reset=False), progress=False)

    def score(self, X: Any, y: Any = None) -> float:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Mean log-probability of the rows in nats."""
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1) -> tuple[Any, None]:
        """Draws rows; the second is for scikit-learn, which would have components there."""
        check_is_fitted(self)
        return self.model_.sample(n_samples, progress=False), None


class SegreClassifier(ClassifierMixin, _Segre):  # type: ignore[misc]
    """The conditional distribution of ``y`` given ``X``, from the joint one.

    Attributes
    ----------
    model_ : segre.Model
    classes_ : numpy.ndarray
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SegreClassifier:
        """Learns ``X`` and ``y`` together; rows count as much as they weigh."""
        frame, y = self._frame_and_target(X, y)
        check_classification_targets(y)
        self.classes_ = unique_labels(y)
        if sample_weight is not None:
            weighing = unique_labels(y[_weights_of(sample_weight, frame) > 0])
            # Classes of rows that weigh nothing are not learned; of one that is left nothing is.
            self.classes_ = weighing if len(weighing) == 1 else self.classes_
        self._only = len(self.classes_) == 1
        if self._only:
            return self
        codes = np.searchsorted(self.classes_, y)
        frame = frame.assign(**{self._target: [f"class {code}" for code in codes]})
        self.model_ = self._learn(frame, sample_weight, **{"training.conditional": "any"})
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities ``[rows, classes]``, in the order of ``classes_``."""
        check_is_fitted(self, "classes_")
        frame = self._frame(X, reset=False)
        if self._only:
            return np.ones((len(frame), 1))
        names, values = self.model_._chances(self.model_._predicted(frame, self._target, "error", False))
        order = [names.index(f"class {code}") for code in range(len(self.classes_))]
        chances = values[:, order]
        shares: np.ndarray = chances / chances.sum(axis=1, keepdims=True)
        return shares

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of every row."""
        chances = self.predict_proba(X)
        found: np.ndarray = self.classes_[chances.argmax(axis=1)]
        return found


class SegreRegressor(RegressorMixin, _Segre):  # type: ignore[misc]
    """The mean of ``y`` given ``X``, from the joint distribution.

    Attributes
    ----------
    model_ : segre.Model
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SegreRegressor:
        """Learns ``X`` and ``y`` together; rows count as much as they weigh."""
        frame, y = self._frame_and_target(X, y)
        y = np.asarray(y, dtype=np.float64)
        if not np.isfinite(y).all():
            raise ValueError("Input y contains NaN or infinity.")
        frame = frame.assign(**{self._target: y})
        self.model_ = self._learn(frame, sample_weight, **{"training.conditional": "any"})
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The mean of every row's distribution."""
        check_is_fitted(self)
        frame = self._frame(X, reset=False)
        found = self.model_._predicted(frame, self._target, "error", False)
        if found.is_number():
            return np.frombuffer(found.means(), dtype=np.float64).copy()
        # Few different numbers are categories, whose mean is that of their probabilities.
        names, chances = self.model_._chances(found)
        means: np.ndarray = chances @ np.array([float(name) for name in names]) / chances.sum(axis=1)
        return means


class SegreImputer(TransformerMixin, _Segre):  # type: ignore[misc]
    """Fills in what is missing by draws given what is known, all that is missing of a row together.

    Parameters
    ----------
    method : {"sample", "map", "mean"}
        See :meth:`segre.Model.impute`.
    """

    def __init__(
        self,
        *,
        method: str = "sample",
        time: Union[str, float, None] = None,
        steps: Optional[int] = None,
        seed: Optional[int] = 0,
        set: Optional[Mapping[str, object]] = None,
        columns_as: ColumnsAs = None,
    ) -> None:
        super().__init__(time=time, steps=steps, seed=seed, set=set, columns_as=columns_as)
        self.method = method

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> SegreImputer:
        """Learns the rows of ``X``, gaps among them; rows count as much as they weigh."""
        frame = self._frame(X, reset=True, gaps=True)
        self.model_ = self._learn(frame, sample_weight, **{"training.conditional": "any"})
        return self

    def transform(self, X: Any) -> Any:
        """The rows with their gaps filled: a frame of a frame, else an array of numbers. Columns that are no part of the model
        stay as they are."""
        check_is_fitted(self)
        frame = self._frame(X, reset=False, gaps=True)
        filled = self.model_.impute(frame, method=self.method, progress=False)
        whole = frame.copy()
        for name in filled.columns:
            whole[name] = filled[name].to_numpy()
        return whole if kind_of(X) in ("pandas", "polars") else whole.to_numpy()

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Those that came in."""
        from sklearn.utils.validation import _check_feature_names_in

        names: Any = _check_feature_names_in(self, input_features)
        return np.asarray(names)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _weights_of(sample_weight: Any, frame: Any) -> np.ndarray:
    weights: np.ndarray = _check_sample_weight(sample_weight, frame, dtype=np.float64, ensure_non_negative=True)
    if not weights.any():
        raise ValueError("sample_weight is 0 in every row: no row counts")
    return weights


def _require_length(frame: Any, y: np.ndarray) -> None:
    if len(frame) != len(y):
        raise ValueError(f"Found input variables with inconsistent numbers of samples: [{len(frame)}, {len(y)}]")


def _free_name(frame: Any, name: str) -> str:
    """A name that no column has."""
    while name in frame.columns:
        name += "_"
    return name
