"""Hidden cells of a table, filled in by Segre and by scikit-learn (1.9.1; pandas 2.3.3): RMSE in standard deviations, accuracy.

    python benches/compare/impute.py SEGRE TABLE.csv WORD_COLUMN [fit arguments, as --time 240s]

A fifth of the rows is held out and a fifth of its cells hidden; WORD_COLUMN is the one column of categories, all others are numbers.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import pandas
from sklearn.ensemble import RandomForestRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer

program, path, word, *arguments = sys.argv[1:]
table = pandas.read_csv(path)
numbers = [name for name in table if name != word]
words = sorted(table[word].unique())
order = numpy.random.default_rng(0).permutation(len(table))
test, train = (table.iloc[part].reset_index(drop=True) for part in (order[: len(table) // 5], order[len(table) // 5 :]))
hidden = numpy.random.default_rng(1).random(test.shape) < 0.2
holes = test.astype(object).mask(hidden)
mean, deviation = train[numbers].mean(), train[numbers].std()


def tell(name, filled):
    errors = ((filled[numbers].astype(float) - test[numbers]) / deviation).to_numpy()[hidden[:, [table.columns.get_loc(n) for n in numbers]]]
    right = (filled[word].to_numpy() == test[word].to_numpy())[hidden[:, table.columns.get_loc(word)]]
    print(f"{name}: RMSE {numpy.sqrt((errors**2).mean()):.4f}, accuracy {right.mean():.4f}", flush=True)


def standardised(rows):
    rows = rows.copy()
    rows[word] = rows[word].map({own: place for place, own in enumerate(words)})
    rows = rows.astype(float)
    rows[numbers] = (rows[numbers] - mean) / deviation
    return rows


def written(values):
    rows = pandas.DataFrame(values, columns=table.columns)
    rows[numbers] = rows[numbers] * deviation + mean
    rows[word] = [words[round(min(max(value, 0), len(words) - 1))] for value in rows[word]]
    return rows


with tempfile.TemporaryDirectory() as folder:
    at = Path(folder)
    train.to_csv(at / "train.csv", index=False)
    holes.to_csv(at / "holes.csv", index=False)
    run = lambda *words: subprocess.run([program, *map(str, words), "--quiet"], check=True, stdout=subprocess.DEVNULL)  # noqa: E731
    run("fit", at / "train.csv", "--out", at / "model", *arguments)
    run("impute", at / "model", at / "holes.csv", "--out", at / "filled.csv", "--mode", "expected")
    tell("segre", pandas.read_csv(at / "filled.csv"))
forest = RandomForestRegressor(n_estimators=30, n_jobs=2, min_samples_leaf=3, random_state=0)
for name, imputer in (
    ("10 nearest rows", KNNImputer(n_neighbors=10)),
    ("forests in rounds", IterativeImputer(forest, max_iter=4, random_state=0)),
):
    tell(name, written(imputer.fit(standardised(train)).transform(standardised(holes))))
