"""The peers of accuracy.py with their defaults, and what they came to before.

A peer is a function of a case and the threads, and what it gives is the test rows' probabilities [rows, classes] or numbers. Those of trees get
texts as categories. scikit-learn's MLP, which needs numbers, gets standardised ones and one-hot texts, missing cells filled, and a regression's
target standardised. RealMLP-TD and TabM of pytabkit get texts as categories and missing numbers as the mean with a column that says so, as
TabArena does (github.com/autogluon/tabarena); they choose their epoch by what they are judged by, and RealMLP smooths no labels then, which its
authors advise for probabilities (arXiv 2407.04491, appendix B.5).
"""

import hashlib
import importlib.metadata
import json
import sys
import warnings


def as_categories(case):
    """Training and test rows with texts as categories; a text that training has not counts as missing."""
    import pandas as pd

    x, x_test = case.x.copy(), case.x_test.copy()
    for column in case.texts():
        known = sorted(x[column].dropna().unique())
        x[column], x_test[column] = (pd.Categorical(part.where(part.isin(known)), categories=known) for part in (x[column], x_test[column]))
    for part in (x, x_test):  # names that all take
        part.columns = [f"c{i}" for i in range(part.shape[1])]
    return x, x_test


def learned(case, regressor, classifier, x, x_test, **settings):
    if case.labels is None:
        return regressor(**settings).fit(x, case.y).predict(x_test)
    return classifier(**settings).fit(x, case.codes()).predict_proba(x_test)


def lightgbm(case, threads):
    from lightgbm import LGBMClassifier, LGBMRegressor

    return learned(case, LGBMRegressor, LGBMClassifier, *as_categories(case), n_jobs=threads, random_state=case.seed, verbose=-1)


def xgboost(case, threads):
    from xgboost import XGBClassifier, XGBRegressor

    return learned(case, XGBRegressor, XGBClassifier, *as_categories(case), n_jobs=threads, random_state=case.seed, enable_categorical=True)


def hist_gradient_boosting(case, threads):
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    x, x_test = as_categories(case)
    for column in x.columns[x.dtypes == "category"]:
        if len(x[column].cat.categories) > 254:  # more than it takes as categories
            x[column], x_test[column] = (part[column].cat.codes.where(part[column].notna()) for part in (x, x_test))
    with threadpool_limits(threads):
        return learned(case, HistGradientBoostingRegressor, HistGradientBoostingClassifier, x, x_test, random_state=case.seed)


def catboost(case, threads):
    from catboost import CatBoostClassifier, CatBoostRegressor

    texts = case.texts()
    parts = (part.astype({column: object for column in texts}).fillna({column: "" for column in texts}) for part in (case.x, case.x_test))
    settings = {"thread_count": threads, "random_seed": case.seed, "verbose": False, "allow_writing_files": False, "cat_features": texts}
    return learned(case, CatBoostRegressor, CatBoostClassifier, *parts, **settings)


def scikit_learn(case, threads):
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from threadpoolctl import threadpool_limits

    texts = case.texts()
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    categories = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore", sparse_output=False))
    encoder = ColumnTransformer([("numbers", numbers, [column for column in case.x if column not in texts]), ("texts", categories, texts)])
    x, x_test = (part.astype({column: object for column in texts}) for part in (case.x, case.x_test))
    with warnings.catch_warnings(), threadpool_limits(threads):
        warnings.simplefilter("ignore", ConvergenceWarning)  # its default is 200 epochs at most
        if case.labels is None:
            network = TransformedTargetRegressor(MLPRegressor(random_state=case.seed), transformer=StandardScaler())
            return make_pipeline(encoder, network).fit(x, case.y).predict(x_test)
        return make_pipeline(encoder, MLPClassifier(random_state=case.seed)).fit(x, case.codes()).predict_proba(x_test)


def without_gaps(case):
    """Rows for pytabkit: a missing number is the mean, and a column of its own says so; a missing text is a text."""
    x, x_test = as_categories(case)
    for column in list(x.columns):
        if x[column].dtype == "category":
            x[column], x_test[column] = (part[column].astype(object).fillna("").astype(str) for part in (x, x_test))
        elif x[column].isna().any() or x_test[column].isna().any():
            mean = x[column].mean()
            for part in (x, x_test):
                part[f"{column}_missing"] = part[column].isna().astype(float)
                part[column] = part[column].fillna(mean)
    names = {name: name for name in x if x[name].dtype == object}
    return x.astype(dict.fromkeys(names, "category")), x_test.astype(dict.fromkeys(names, "category"))


def of_pytabkit(case, threads, regressor, classifier, smoothing):
    import torch

    torch.set_num_threads(threads)
    settings = {"device": "cpu", "n_threads": threads, "random_state": case.seed, "verbosity": 0}
    if case.labels is not None:
        settings |= {"val_metric_name": "1-auc_ovr" if case.task == "binary" else "cross_entropy"} | smoothing
    return learned(case, regressor, classifier, *without_gaps(case), **settings)


def realmlp(case, threads):
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    return of_pytabkit(case, threads, RealMLP_TD_Regressor, RealMLP_TD_Classifier, {"use_ls": False})


def tabm(case, threads):
    from pytabkit import TabM_D_Classifier, TabM_D_Regressor

    return of_pytabkit(case, threads, TabM_D_Regressor, TabM_D_Classifier, {})


LEARNERS = {  # of each its function and the packages whose versions decide what comes of it
    "LightGBM": (lightgbm, ["lightgbm"]),
    "XGBoost": (xgboost, ["xgboost"]),
    "HistGradientBoosting": (hist_gradient_boosting, ["scikit-learn"]),
    "CatBoost": (catboost, ["catboost"]),
    "scikit-learn MLP": (scikit_learn, ["scikit-learn"]),
    "RealMLP-TD": (realmlp, ["pytabkit", "torch"]),
    "TabM": (tabm, ["pytabkit", "torch"]),
}
SLOW = ["RealMLP-TD", "TabM"]


def versions(names):
    return {package: importlib.metadata.version(package) for name in names for package in LEARNERS[name][1]}


class Kept:
    """What peers came to, in a file: a figure is measured once for the same rows, seed, threads and versions."""

    def __init__(self, path):
        self.path = path
        self.found = json.loads(path.read_text()) if path.is_file() else {}

    def of(self, program, case, threads, measure):
        rows = hashlib.sha256(case.path.read_bytes()).hexdigest()[:16]
        told = {"table": case.name, "rows": rows, "seed": case.seed, "threads": threads, **versions([program]), "python": sys.version.split()[0]}
        key = " ".join([program, *map(str, told.values())])
        if key not in self.found:
            self.found[key] = {"program": program, **told, **measure()}
            lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(self.found[key])}" for key in sorted(self.found))
            aside = self.path.with_suffix(".new")  # a run that is ended leaves the file whole
            aside.write_text(f"{{\n{lines}\n}}\n")
            aside.replace(self.path)
        return self.found[key]
