"""What the stub's runs leave to read: reports, tables, log lines, error messages, parameter schemas."""

from tests.e2e.stub.clock import Json

REPORT = """# Trip duration model

| Region | RMSE |
|:-------|-----:|
| New York, green taxis | 6.52 |
| Baseline (mean duration) | 12.81 |

## What it was trained on

* **62,519** trips of January 2021, validated on 55,110 of February
* one booster of 100 rounds, early stopping after 20
* features: `PU_DO`, `trip_distance`

> The model halves the error of the baseline. Trips to the airports stay the hardest.

```python
booster = xgb.train(params, train, num_boost_round=100, evals=[(valid, "validation")])
```

The [data dictionary](https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page) explains each column.
"""

TRAIN_PARAMETERS: Json = {
    "title": "Parameters",
    "type": "object",
    "properties": {
        "train_path": {
            "default": "./data/green_tripdata_2021-01.parquet",
            "description": "The month to learn from.",
            "position": 0,
            "title": "train_path",
            "type": "string",
        },
        "val_path": {
            "default": "./data/green_tripdata_2021-02.parquet",
            "position": 1,
            "title": "val_path",
            "type": "string",
        },
        "rounds": {
            "default": 100,
            "description": "How many trees to grow.",
            "minimum": 1,
            "maximum": 1000,
            "position": 2,
            "title": "rounds",
            "type": "integer",
        },
        "objective": {
            "default": "reg:squarederror",
            "enum": ["reg:squarederror", "reg:absoluteerror", "reg:gamma"],
            "position": 3,
            "title": "objective",
            "type": "string",
        },
        "shuffle": {"default": True, "position": 4, "title": "shuffle", "type": "boolean"},
        "as_of": {
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}],
            "default": None,
            "description": "Train as if it were this moment.",
            "position": 5,
            "title": "as_of",
        },
        "regions": {
            "default": ["manhattan", "queens"],
            "items": {"type": "string"},
            "position": 6,
            "title": "regions",
            "type": "array",
        },
        "booster": {"$ref": "#/definitions/Booster", "position": 7, "title": "booster"},
        "experiment": {
            "description": "The name under which the model is kept.",
            "position": 8,
            "title": "experiment",
            "type": "string",
        },
    },
    "required": ["experiment"],
    "definitions": {
        "Booster": {
            "title": "Booster",
            "type": "object",
            "properties": {
                "learning_rate": {"type": "number", "default": 0.095, "title": "Learning Rate"},
                "max_depth": {"type": "integer", "default": 30, "title": "Max Depth"},
                "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 42, "title": "Seed"},
            },
        }
    },
}

NO_PARAMETERS: Json = {"title": "Parameters", "type": "object", "properties": {}}

CITY_PARAMETERS: Json = {
    "title": "Parameters",
    "type": "object",
    "properties": {"city": {"type": "string", "default": "Lisbon", "title": "city", "position": 0}},
}

FAILURE = (
    "Flow run encountered an exception: TimeoutError: The warehouse did not answer within 30 seconds "
    "(host=warehouse.internal, statement=merge_orders)"
)

TRACEBACK = """Task run failed with an exception: ConnectError('[Errno 111] Connection refused')
Traceback (most recent call last):
  File "flows/orders.py", line 41, in extract_page
    response = client.get(f"/orders?page={page}")
  File "client.py", line 1101, in get
    return self.request("GET", url)
httpx.ConnectError: [Errno 111] Connection refused"""

LINES = [
    (20, "Reading page {n} of 40"),
    (20, "Validated 1,250 rows in 0.18 s"),
    (10, "cache key 8f14e45fceea167a5a36dedd4bea2543: miss"),
    (20, "Wrote part-{n:04d}.parquet (4.1 MB)"),
    (30, "Slow answer from the warehouse: 2.4 s"),
    (20, "Merged 1,250 rows into orders"),
]
