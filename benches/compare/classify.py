"""Referee of `segre predict`: random forest and gradient boosting on one-hot columns (scikit-learn 1.9.1, pandas).

    python benches/compare/classify.py split table.csv DIR         writes DIR/train.csv (4/5) and DIR/test.csv, seed 0
    python benches/compare/classify.py split splice.csv DIR dna instance    the same with the column dna spelled out, one
                                                                   column to the letter, and without the column instance and
                                                                   rows of other letters than ACGT
    python benches/compare/classify.py score DIR COLUMN            prints the test accuracy of both classifiers
"""

import csv
import random
import sys
from pathlib import Path


def split(table, folder, spelled=None, *dropped):
    with open(table, newline="") as file:
        header, *rows = csv.reader(file)
    if spelled:
        text = [row[header.index(spelled)].strip() for row in rows]
        kept = [place for place, name in enumerate(header) if name not in (spelled, *dropped)]
        header = [header[place] for place in kept] + [f"{spelled}{letter}" for letter in range(len(text[0]))]
        rows = [
            [row[place].strip() for place in kept] + list(letters)
            for row, letters in zip(rows, text)
            if set(letters) <= set("ACGT")
        ]
    random.Random(0).shuffle(rows)
    test = len(rows) // 5
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in (("test", rows[:test]), ("train", rows[test:])):
        with open(folder / f"{name}.csv", "w", newline="") as file:
            csv.writer(file).writerows([header, *part])


def score(folder, column):
    import pandas
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.preprocessing import OneHotEncoder

    train, test = (
        pandas.read_csv(folder / f"{part}.csv", dtype=str, keep_default_na=False) for part in ("train", "test")
    )
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(train.drop(columns=column))
    inputs = [encoder.transform(part.drop(columns=column)) for part in (train, test)]
    for classifier in (RandomForestClassifier(300, random_state=0), HistGradientBoostingClassifier(random_state=0)):
        classifier.fit(inputs[0], train[column])
        print(f"{type(classifier).__name__}: {classifier.score(inputs[1], test[column]):.4f}")


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] not in ("split", "score"):
        sys.exit(__doc__)
    if sys.argv[1] == "split":
        split(sys.argv[2], Path(sys.argv[3]), *sys.argv[4:])
    else:
        score(Path(sys.argv[2]), sys.argv[3])
