"""Make up taxi trips with the columns of New York's green_tripdata, the same ones for the same seed.

    python generate.py ./data --trips 20000 --seed 2021

The city is a plane of zones; trips start where people are, get rarer with distance, and take as long as their length,
the traffic of the hour and the two zones say, with noise on top. So there is something to learn, and a limit to it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

ZONES = 265
# Kilometres are not used: the TLC counts miles.
CITY_MILES = 14.0
# Average miles per hour from midnight to midnight.
SPEEDS = np.array(
    [17, 18, 19, 19, 18, 16, 14, 12, 11, 11, 11, 11, 11, 11, 10, 10, 10, 10, 11, 12, 13, 14, 15, 16], float
)
# How many trips start in each hour, relative to one another.
DEMAND = np.array([4, 3, 2, 2, 2, 3, 5, 8, 10, 10, 10, 10, 10, 11, 12, 13, 13, 13, 12, 10, 8, 7, 6, 5], float)


class City:
    """Where the zones lie, how busy they are and how fast one gets through them; the same for every month."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.places = rng.uniform(0, CITY_MILES, (ZONES, 2))
        self.popularity = rng.permutation(1 / np.arange(1, ZONES + 1))
        self.pace = rng.lognormal(0, 0.2, ZONES)
        self.miles = np.linalg.norm(self.places[:, None] - self.places[None, :], axis=2) * 1.3 + 0.4
        attraction = np.sqrt(self.popularity)[None, :] * np.exp(-self.miles / 3)
        self.reach = np.cumsum(attraction / attraction.sum(axis=1, keepdims=True), axis=1)

    def destinations(self, starts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        draws = rng.random(len(starts))
        return np.minimum((self.reach[starts] < draws[:, None]).sum(axis=1), ZONES - 1)


def generate_month(month: str, trips: int, seed: int = 2021) -> pd.DataFrame:
    """One month ("2021-01") of trips, ordered by the time they began."""
    city = City(seed)
    rng = np.random.default_rng([seed, *map(int, month.split("-"))])
    first_day = np.datetime64(f"{month}-01", "us")
    days = int(
        (np.datetime64(month, "M") + 1).astype("datetime64[D]").astype(int)
        - first_day.astype("datetime64[D]").astype(int)
    )

    hour = rng.choice(24, trips, p=DEMAND / DEMAND.sum())
    seconds = rng.integers(0, days, trips) * 86_400 + hour * 3_600 + rng.integers(0, 3_600, trips)
    starts = rng.choice(ZONES, trips, p=city.popularity / city.popularity.sum())
    ends = city.destinations(starts, rng)

    miles = city.miles[starts, ends] * rng.lognormal(0, 0.15, trips)
    pace = np.sqrt(city.pace[starts] * city.pace[ends])
    minutes = 2 + 60 * miles / SPEEDS[hour] * pace * rng.lognormal(0, 0.25, trips)
    # As in the real files: some meters were never started, some never stopped, some report no distance.
    minutes = np.where(rng.random(trips) < 0.03, rng.choice([0.2, 1_435.0], trips), minutes)
    miles = np.where(rng.random(trips) < 0.04, 0.0, miles)
    pickup = first_day + seconds.astype("timedelta64[s]")

    fare = np.round(2.5 + 2.5 * miles + 0.3 * np.minimum(minutes, 120), 2)
    tip = np.round(np.where(rng.random(trips) < 0.4, fare * 0.18, 0.0), 2)
    extra = rng.choice([0.0, 0.5, 1.0, 2.75], trips, p=[0.6, 0.1, 0.1, 0.2])
    frame = pd.DataFrame(
        {
            "VendorID": rng.choice([1, 2], trips, p=[0.1, 0.9]),
            "lpep_pickup_datetime": pickup,
            "lpep_dropoff_datetime": pickup + (minutes * 60).astype("timedelta64[s]"),
            "store_and_fwd_flag": "N",
            "RatecodeID": 1.0,
            "PULocationID": starts + 1,
            "DOLocationID": ends + 1,
            "passenger_count": rng.choice([1.0, 2.0, 5.0], trips, p=[0.9, 0.07, 0.03]),
            "trip_distance": np.round(miles, 2),
            "fare_amount": fare,
            "extra": extra,
            "mta_tax": 0.5,
            "tip_amount": tip,
            "tolls_amount": 0.0,
            "ehail_fee": np.nan,
            "improvement_surcharge": 0.3,
            "total_amount": np.round(fare + tip + extra + 0.8, 2),
            "payment_type": np.where(tip > 0, 1.0, 2.0),
            "trip_type": 1.0,
            "congestion_surcharge": rng.choice([0.0, 2.75], trips, p=[0.75, 0.25]),
        }
    )
    return frame.sort_values("lpep_pickup_datetime", ignore_index=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--months", nargs="+", default=["2021-01", "2021-02"])
    parser.add_argument("--trips", type=int, default=70_000, help="per month")
    parser.add_argument("--seed", type=int, default=2021)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    for month in options.months:
        path = options.folder / f"green_tripdata_{month}.parquet"
        generate_month(month, options.trips, options.seed).to_parquet(path)
        print(f"{options.trips:,} made-up trips in {path}")


if __name__ == "__main__":
    main()
