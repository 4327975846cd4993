"""Referee of `segre evaluate --quality`: SDMetrics 0.32.0 and XGBoost 3.2.0 (pandas 2.3.3, scikit-learn 1.9.1).

    python benches/compare/tables.py REAL.csv SYNTHETIC.csv                     shape, trend, C2ST
    python benches/compare/tables.py REAL.csv SYNTHETIC.csv HELD_OUT.csv TARGET also AUC on held-out rows, trained on either
    python benches/compare/tables.py fixed                                      the numbers in evaluation/quality/tests.rs

Numbers are what has more than 20 different ones, as in Segre; empty fields and `?` are missing. Trend counts the pairs that
SDMetrics' quality report counts by default; in brackets all pairs, as its older versions did.
"""

import io
import sys
import warnings

import numpy
import pandas
from sdmetrics.reports.single_table import QualityReport
from sdmetrics.single_table.detection.sklearn import ScikitLearnClassifierDetectionMetric
from sklearn.metrics import roc_auc_score
from xgboost import XGBClassifier

warnings.filterwarnings("ignore")
DATE = "%Y-%m-%d"


class XgboostDetection(ScikitLearnClassifierDetectionMetric):
    @staticmethod
    def _get_classifier():
        return XGBClassifier(enable_categorical=True)


def kinds(table):
    def kind(column):
        if pandas.api.types.is_numeric_dtype(column) and column.nunique() > 20:
            return {"sdtype": "numerical"}
        if column.dropna().astype(str).str.fullmatch(r"\d{4}-\d\d-\d\d").all():
            return {"sdtype": "datetime", "datetime_format": DATE}
        return {"sdtype": "categorical"}

    return {name: kind(table[name]) for name in table}


def read(source, columns=None):
    table = pandas.read_csv(source, na_values=["?"])
    columns = columns or kinds(table)
    for name, kind in columns.items():
        if kind["sdtype"] == "categorical":
            table[name] = table[name].astype(str).where(table[name].notna(), None)
    return table[list(columns)], columns


def similarity(real, synthetic, columns):
    report = QualityReport()
    report.generate(real, synthetic, {"columns": columns}, verbose=False)
    every = QualityReport()
    every.real_correlation_threshold = every.real_association_threshold = 0
    every.generate(real, synthetic, {"columns": columns}, verbose=False)
    score = lambda found, name: found.get_properties().set_index("Property")["Score"][name]
    shape, trend = (score(report, name) for name in ("Column Shapes", "Column Pair Trends"))
    print(f"shape {shape:.6f} trend {trend:.6f} ({score(every, 'Column Pair Trends'):.6f}) overall {report.get_score():.6f}")
    return report, every


def c2st(real, synthetic, columns):
    numpy.random.seed(0)
    rows = min(len(real), len(synthetic))
    found = XgboostDetection.compute(real.sample(rows), synthetic.sample(rows), {"columns": columns})
    print(f"C2ST {found:.4f} of {rows} rows each")


def usefulness(real, synthetic, held_out, target, columns):
    rows = min(len(real), len(synthetic))
    words = [name for name, kind in columns.items() if kind["sdtype"] == "categorical" and name != target]
    for name, train in (("synthetic", synthetic), ("real", real)):
        train = train.sample(rows, random_state=0)
        both = pandas.concat([train, held_out]).drop(columns=target)
        both[words] = both[words].astype("category")
        labels = sorted(held_out[target].unique())
        found = XGBClassifier(enable_categorical=True).fit(both[: len(train)], train[target].map(labels.index))
        chances = found.predict_proba(both[len(train) :])
        chances = chances[:, 1] if len(labels) == 2 else chances
        area = roc_auc_score(held_out[target].map(labels.index), chances, multi_class="ovr")
        print(f"AUC of {target} after training on {rows} {name} rows: {area:.4f}")


def fixed(shift):
    """Rows as `table` in evaluation/quality/tests.rs writes them."""
    lines = ["price,amount,day,colour,paid,shop"]
    for row in range(300):
        random = lambda step: row * (step + shift) % 997
        cents = random(17) * 5
        price = "" if random(19) % 10 == 0 else f"{cents / 100:.2f}"
        amount = cents // 10 + random(23) % 7
        day = f"{2020 + cents // 2000}-{random(29) % 12 + 1:02}-{random(31) % 28 + 1:02}"
        colour = "red" if cents < 1500 else ("green" if random(37) % 3 == 0 else "blue")
        colour = "" if random(41) % 8 == 0 else colour
        paid = "yes" if (cents > 2500) != (random(43) % 9 == 0) else "no"
        lines.append(f"{price},{amount},{day},{colour},{paid},s{random(47) % 5}")
    return io.StringIO("\n".join(lines))


if __name__ == "__main__":
    if sys.argv[1:] == ["fixed"]:
        real, columns = read(fixed(0))
        report, every = similarity(real, read(fixed(6), columns)[0], columns)
        print(report.get_details("Column Shapes").to_string(float_format="%.9f"))
        print(every.get_details("Column Pair Trends").to_string(float_format="%.9f"))
        print(report.get_details("Column Pair Trends")[["Real Correlation", "Real Association", "Meets Threshold?"]].to_string(float_format="%.9f"))
    else:
        real, columns = read(sys.argv[1])
        synthetic = read(sys.argv[2], columns)[0]
        similarity(real, synthetic, columns)
        c2st(real, synthetic, columns)
        if len(sys.argv) > 4:
            usefulness(real, synthetic, read(sys.argv[3], columns)[0], sys.argv[4], columns)
