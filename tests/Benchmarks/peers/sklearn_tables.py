"""The quality of scikit-learn's models on a table whose every fifth row is held back, by the defaults of each.

usage: sklearn_tables.py FILE.csv[.gz] TARGET classification|regression SEEDS
prints, for each model, a line: name, the figure (AUC or RMSE) of each seed, and the seconds of all
"""
import sys
import time

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import mean_squared_error, roc_auc_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler


def prepared(model, numbers, words):
    """Words as one column for each, gaps among them; numbers standardised, gaps as the mean."""
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
            (make_pipeline(SimpleImputer(strategy="constant", fill_value="?"), OneHotEncoder(handle_unknown="ignore")), words),
        ),
        model,
    )


def boosted(model, numbers, words):
    """Words as numbers that the trees take for categories; gaps stay gaps."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    return make_pipeline(make_column_transformer((encoder, words), remainder="passthrough"), model)


def models(task, seed, numbers, words):
    mask = [True] * len(words) + [False] * len(numbers)
    if task == "classification":
        yield "gradient boosting", boosted(HistGradientBoostingClassifier(random_state=seed, categorical_features=mask), numbers, words)
        yield "MLP", prepared(MLPClassifier(random_state=seed), numbers, words)
        yield "linear", prepared(LogisticRegression(max_iter=1000), numbers, words)
    else:
        yield "gradient boosting", boosted(HistGradientBoostingRegressor(random_state=seed, categorical_features=mask), numbers, words)
        scaled = TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler())
        yield "MLP", prepared(scaled, numbers, words)
        yield "linear", prepared(Ridge(), numbers, words)


def main():
    path, target, task, seeds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    data = pd.read_csv(path, skipinitialspace=True, na_values=["?"])
    labels = data.pop(target)
    held = np.arange(len(data)) % 5 == 4
    words = [column for column in data if data[column].dtype == object]
    numbers = [column for column in data if column not in words]
    data[words] = data[words].where(data[words].notna(), "?")
    truth = labels if task == "regression" else (labels == sorted(labels.unique())[1]).astype(int)
    figures, seconds = {}, {}
    for seed in range(seeds):
        for name, model in models(task, seed, numbers, words):
            began = time.perf_counter()
            model.fit(data[~held], truth[~held])
            seconds[name] = seconds.get(name, 0) + time.perf_counter() - began
            if task == "regression":
                figure = mean_squared_error(truth[held], model.predict(data[held])) ** 0.5
            else:
                figure = roc_auc_score(truth[held], model.predict_proba(data[held])[:, 1])
            figures.setdefault(name, []).append(figure)
    for name, values in figures.items():
        print(name, *values, seconds[name], sep="\t", flush=True)


if __name__ == "__main__":
    main()
