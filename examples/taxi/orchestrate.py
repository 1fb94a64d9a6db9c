"""Train a model that predicts how long a ride in a green New York taxi takes.

Run it where `./data` holds two months of trips (`python data.py` brings them), or call `main_flow` with other paths.
"""

import pickle
from datetime import date
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import xgboost as xgb
from scipy.sparse import csr_matrix
from sklearn.feature_extraction import DictVectorizer
from sklearn.metrics import root_mean_squared_error

from headrace import flow, task
from headrace.artifacts import create_markdown_artifact


@task(retries=3, retry_delay_seconds=2)
def read_data(filename: str) -> pd.DataFrame:
    """Read one month of trips and keep those between one minute and one hour."""
    df = pd.read_parquet(filename)

    df["lpep_pickup_datetime"] = pd.to_datetime(df["lpep_pickup_datetime"])
    df["lpep_dropoff_datetime"] = pd.to_datetime(df["lpep_dropoff_datetime"])
    df["duration"] = (df["lpep_dropoff_datetime"] - df["lpep_pickup_datetime"]).dt.total_seconds() / 60
    df = df[df["duration"].between(1, 60)].copy()

    locations = ["PULocationID", "DOLocationID"]
    df[locations] = df[locations].astype(str)
    return df


@task
def add_features(
    df_train: pd.DataFrame, df_val: pd.DataFrame
) -> tuple[csr_matrix, csr_matrix, np.ndarray, np.ndarray, DictVectorizer]:
    """Turn trips into the matrices the model learns from: the route, and how long it is."""
    for df in (df_train, df_val):
        df["PU_DO"] = df["PULocationID"] + "_" + df["DOLocationID"]

    features = ["PU_DO", "trip_distance"]
    dv = DictVectorizer()
    X_train = dv.fit_transform(df_train[features].to_dict(orient="records"))
    X_val = dv.transform(df_val[features].to_dict(orient="records"))

    y_train = df_train["duration"].to_numpy()
    y_val = df_val["duration"].to_numpy()
    return X_train, X_val, y_train, y_val, dv


@task(log_prints=True)
def train_best_model(
    X_train: csr_matrix, X_val: csr_matrix, y_train: np.ndarray, y_val: np.ndarray, dv: DictVectorizer
) -> float:
    """Train with the parameters an earlier search found best, and keep everything about it in MLflow."""
    best_params = {
        "learning_rate": 0.09585355369315604,
        "max_depth": 30,
        "min_child_weight": 1.060597050922164,
        "objective": "reg:squarederror",
        "reg_alpha": 0.018060244040060163,
        "reg_lambda": 0.011658731377413597,
        "seed": 42,
    }

    with mlflow.start_run():
        mlflow.log_params(best_params)

        train = xgb.DMatrix(X_train, label=y_train)
        valid = xgb.DMatrix(X_val, label=y_val)
        booster = xgb.train(
            params=best_params,
            dtrain=train,
            num_boost_round=100,
            evals=[(valid, "validation")],
            early_stopping_rounds=20,
            verbose_eval=10,
        )

        rmse = root_mean_squared_error(y_val, booster.predict(valid))
        mlflow.log_metric("rmse", rmse)
        print(f"RMSE: {rmse:.3f} minutes after {booster.num_boosted_rounds()} rounds")

        preprocessor = Path("models/preprocessor.b")
        preprocessor.parent.mkdir(exist_ok=True)
        preprocessor.write_bytes(pickle.dumps(dv))
        mlflow.log_artifact(str(preprocessor), artifact_path="preprocessor")
        mlflow.xgboost.log_model(booster, name="models_mlflow")

    create_markdown_artifact(
        key="duration-model-report",
        description="How well the model predicts the duration of a trip",
        markdown=f"""
            # Duration prediction

            An XGBoost model, trained on {train.num_row():,} trips and validated on {valid.num_row():,}.

            | Region | Trained on | RMSE (minutes) |
            |:-------|:-----------|---------------:|
            | New York City, green taxis | {date.today()} | {rmse:.2f} |
        """,
    )
    return rmse


@flow
def main_flow(
    train_path: str = "./data/green_tripdata_2021-01.parquet",
    val_path: str = "./data/green_tripdata_2021-02.parquet",
) -> float:
    """Read, prepare, train: the whole pipeline. Returns the model's error in minutes."""
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment("nyc-taxi-experiment")

    df_train = read_data(train_path)
    df_val = read_data(val_path)
    X_train, X_val, y_train, y_val, dv = add_features(df_train, df_val)
    return train_best_model(X_train, X_val, y_train, y_val, dv)


if __name__ == "__main__":
    main_flow()
