"""A small company's week, as a Headrace server would have recorded it."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.stub import shapes
from tests.e2e.stub.clock import Json, instant_of, make_id, seconds, text_of
from tests.e2e.stub.documents import CITY_PARAMETERS, LINES, NO_PARAMETERS, REPORT, TRACEBACK, TRAIN_PARAMETERS
from tests.e2e.stub.runs import Shape, TaskRuns, enter, make_flow_run, make_state, play

SHAPES: dict[str, Shape] = {
    "main-flow-35": shapes.train,
    "fetch-animal-facts": shapes.facts,
    "sync-orders": shapes.orders,
    "resize-images": shapes.wide(2000, 32),
    "backfill-weather": shapes.wide(9_998, 64),
    "hourly-weather": shapes.facts,
    "nightly-report": shapes.facts,
}


class World:
    """Everything the stub server knows. `now` is the moment at which it was made."""

    def __init__(self, now: datetime | None = None) -> None:
        self.chance = random.Random(7)
        self.now = now or datetime.now(UTC)
        self.flows: list[Json] = []
        self.flow_runs: list[Json] = []
        self.task_runs: dict[str, list[Json]] = {}
        self.logs: dict[str, list[Json]] = {}
        self.artifacts: list[Json] = []
        self.deployments: list[Json] = []
        self.work_pools: list[Json] = []
        self.queues: dict[str, list[Json]] = {}
        self.workers: dict[str, list[Json]] = {}
        self.named: dict[str, Json] = {}
        self._make_pools()
        self._make_flows()
        self._make_deployments()
        self._make_history()
        self._make_special_runs()
        self._make_upcoming()
        self._make_artifacts()

    # What is asked of it

    def find_flow_run(self, run_id: str) -> Json | None:
        """The flow run of that id."""
        return next((run for run in self.flow_runs if run["id"] == run_id), None)

    def tasks_of(self, run: Json) -> list[Json]:
        """The run's task runs, made when first asked for."""
        if run["id"] not in self.task_runs:
            made = TaskRuns(run, random.Random(run["id"]))
            flow = next(flow for flow in self.flows if flow["id"] == run["flow_id"])
            shape = SHAPES.get(flow["name"])
            if run["start_time"] and shape:
                took = run["total_run_time"] or 600
                shape(made, instant_of(run["start_time"]), took, run["state_type"])
            self.task_runs[run["id"]] = made.made
        return self.task_runs[run["id"]]

    def logs_of(self, run: Json) -> list[Json]:
        """The run's log lines, in order of time."""
        if run["id"] not in self.logs:
            lines: list[Json] = []
            for task in self.tasks_of(run):
                self._log_task(run, task, lines)
            lines.sort(key=lambda line: line["timestamp"])
            self.logs[run["id"]] = lines
        return self.logs[run["id"]]

    def _log_task(self, run: Json, task: Json, lines: list[Json]) -> None:
        chance = random.Random(task["id"])
        if not task["start_time"]:
            return
        at = instant_of(task["start_time"])
        for n in range(chance.randint(2, 6)):
            level, text = chance.choice(LINES)
            lines.append(self._line(chance, run, task, at + seconds(n * 0.31), level, text.format(n=n + 1)))
        if len(task["attempts"]) > 1 or task["state_type"] == "FAILED":
            lines.append(self._line(chance, run, task, at + seconds(2.2), 40, TRACEBACK))
        if task["state_type"] in {"COMPLETED", "FAILED"}:
            level = 20 if task["state_type"] == "COMPLETED" else 40
            until = instant_of(task["end_time"])
            lines.append(self._line(chance, run, task, until, level, f"Finished in state {task['state_name']}()"))

    def _line(self, chance: random.Random, run: Json, task: Json, at: datetime, level: int, text: str) -> Json:
        return {
            "id": make_id(chance),
            "name": "headrace.task_runs",
            "level": level,
            "message": text,
            "timestamp": text_of(at),
            "flow_run_id": run["id"],
            "task_run_id": task["id"],
        }

    # How it came about

    def _make_pools(self) -> None:
        for name, kind, paused, limit in [
            ("zoompool", "process", False, 8),
            ("gpu", "kubernetes", False, 2),
            ("nightly", "docker", True, None),
        ]:
            pool_id = make_id(self.chance)
            queue = self.make_queue(pool_id, name, "default", 1)
            pool: Json = {
                "id": pool_id,
                "created": text_of(self.now - timedelta(days=40)),
                "updated": text_of(self.now - timedelta(hours=5)),
                "name": name,
                "description": {"gpu": "Two nodes with one card each."}.get(name),
                "type": kind,
                "base_job_template": {},
                "is_paused": paused,
                "concurrency_limit": limit,
                "status": "PAUSED" if paused else "READY",
                "default_queue_id": queue["id"],
                "active_slots": 2 if name == "zoompool" else 0,
            }
            self.work_pools.append(pool)
            self.queues[name] = [queue]
            if name == "zoompool":
                self.queues[name].append(self.make_queue(pool_id, name, "urgent", 2, limit=2))
            self.workers[name] = []
        for name, place, age, status in [
            ("mill-01", "zoompool", 4, "ONLINE"),
            ("mill-02", "zoompool", 11, "ONLINE"),
            ("laptop of Ada", "zoompool", 7_400, "OFFLINE"),
            ("gpu-worker", "gpu", 18, "ONLINE"),
        ]:
            self.workers[place].append(
                {
                    "id": make_id(self.chance),
                    "created": text_of(self.now - timedelta(days=3)),
                    "updated": text_of(self.now),
                    "name": name,
                    "work_pool_id": next(p["id"] for p in self.work_pools if p["name"] == place),
                    "last_heartbeat_time": text_of(self.now - seconds(age)),
                    "heartbeat_interval_seconds": 30,
                    "status": status,
                }
            )

    def make_queue(self, pool_id: str, pool: str, name: str, priority: int, **given: Any) -> Json:
        """A queue of the pool."""
        return {
            "id": make_id(self.chance),
            "created": text_of(self.now),
            "updated": text_of(self.now),
            "name": name,
            "description": "The work pool's default queue." if name == "default" else "",
            "is_paused": False,
            "concurrency_limit": given.get("limit"),
            "priority": priority,
            "work_pool_id": pool_id,
            "work_pool_name": pool,
            "last_polled": text_of(self.now - seconds(3)),
            "status": "READY",
            "active_slots": 1,
        }

    def _make_flows(self) -> None:
        tags = {
            "main-flow-35": ["ml", "taxi"],
            "sync-orders": ["etl"],
            "resize-images": ["media"],
            "hourly-weather": ["etl"],
        }
        for index, name in enumerate([*SHAPES, "rebuild-everything"]):
            self.flows.append(
                {
                    "id": make_id(self.chance),
                    "created": text_of(self.now - timedelta(days=30 - index)),
                    "updated": text_of(self.now - timedelta(days=3)),
                    "name": name,
                    "tags": tags.get(name, []),
                    "labels": {},
                }
            )

    def flow(self, name: str) -> Json:
        """The flow of that name."""
        return next(flow for flow in self.flows if flow["name"] == name)

    def _make_deployments(self) -> None:
        cron: Json = {"cron": "30 6 * * 1-5", "timezone": "Europe/Berlin", "day_or": True}
        hourly: Json = {"interval": 3600.0, "anchor_date": text_of(self.now - timedelta(days=9)), "timezone": "UTC"}
        minutes: Json = {"interval": 900.0, "anchor_date": text_of(self.now - timedelta(days=9)), "timezone": "UTC"}
        monthly: Json = {"rrule": "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18;BYMINUTE=0", "timezone": "America/New_York"}
        for name, flow, pool, schedules, schema, paused in [
            ("taxi_local_data", "main-flow-35", "zoompool", [cron], TRAIN_PARAMETERS, False),
            ("taxi_local_data2", "main-flow-35", "zoompool", [], TRAIN_PARAMETERS, False),
            ("every-quarter-hour", "fetch-animal-facts", "zoompool", [minutes], NO_PARAMETERS, False),
            ("orders-eu", "sync-orders", "zoompool", [hourly], NO_PARAMETERS, False),
            ("orders-us", "sync-orders", "nightly", [cron], NO_PARAMETERS, True),
            ("lisbon", "hourly-weather", "zoompool", [hourly, monthly], CITY_PARAMETERS, False),
            ("all-sizes", "resize-images", "gpu", [], NO_PARAMETERS, False),
        ]:
            self.deployments.append(self.make_deployment(name, self.flow(flow), pool, schedules, schema, paused=paused))

    def make_deployment(
        self, name: str, flow: Json, pool: str, schedules: list[Json], schema: Json, **given: Any
    ) -> Json:
        """A deployment with its schedules."""
        return {
            "id": make_id(self.chance),
            "created": text_of(self.now - timedelta(days=12)),
            "updated": text_of(self.now - timedelta(hours=7)),
            "name": name,
            "version": "4f1d2c9a",
            "description": "Trains on two months of green taxi trips and **reports the error**."
            if "taxi" in name
            else None,
            "flow_id": flow["id"],
            "flow_name": flow["name"],
            "paused": given.get("paused", False),
            "schedules": [self.make_schedule(schedule) for schedule in schedules],
            "parameters": {},
            "parameter_openapi_schema": schema,
            "enforce_parameter_schema": True,
            "tags": flow["tags"],
            "labels": {},
            "work_pool_name": pool,
            "work_queue_name": "default",
            "status": "NOT_READY" if pool == "nightly" else "READY",
            "entrypoint": f"flows/{flow['name'].replace('-', '_')}.py:{flow['name'].replace('-', '_')}",
            "path": "/srv/pipelines",
            "pull_steps": [
                {"headrace.deployments.steps.git_clone": {"repository": "/srv/git/pipelines.git", "branch": "main"}}
            ],
            "job_variables": {},
            "concurrency_limit": None,
            "global_concurrency_limit": None,
            "created_by": None,
            "last_polled": text_of(self.now - seconds(5)),
        }

    def make_schedule(self, schedule: Json, **given: Any) -> Json:
        """One schedule of a deployment."""
        return {
            "id": make_id(self.chance),
            "created": text_of(self.now),
            "updated": text_of(self.now),
            "schedule": schedule,
            "active": given.get("active", True),
            "max_scheduled_runs": None,
            "parameters": given.get("parameters", {}),
            "slug": None,
        }

    def add_run(self, flow: str, expected: datetime, deployment: str | None = None, **given: Any) -> Json:
        """A flow run that has not begun."""
        owner = next((one for one in self.deployments if one["name"] == deployment), None)
        if owner:
            given = {
                "deployment_id": owner["id"],
                "work_pool_name": owner["work_pool_name"],
                "work_queue_name": "default",
                "auto_scheduled": bool(owner["schedules"]),
                **given,
            }
        run = make_flow_run(self.chance, self.flow(flow), expected, **given)
        self.flow_runs.append(run)
        return run

    def _make_history(self) -> None:
        chance = self.chance
        ends = ["COMPLETED"] * 30 + ["FAILED"] * 2 + ["CRASHED", "CANCELLED"]
        for flow, deployment, every, typical in [
            ("fetch-animal-facts", "every-quarter-hour", 1.0, 9.0),
            ("sync-orders", "orders-eu", 2.0, 95.0),
            ("hourly-weather", "lisbon", 2.0, 14.0),
            ("main-flow-35", "taxi_local_data", 12.0, 210.0),
            ("nightly-report", None, 24.0, 42.0),
        ]:
            at = self.now - timedelta(days=7)
            while at < self.now - timedelta(minutes=12):
                run = self.add_run(flow, at, deployment)
                took = typical * (0.7 + 0.8 * chance.random())
                play(chance, run, at + seconds(chance.random() * 3), took, chance.choice(ends), self.now)
                at += timedelta(hours=every) * (0.8 + 0.4 * chance.random())

    def _make_special_runs(self) -> None:
        now, chance = self.now, self.chance
        taxi = {
            "train_path": "./data/green_tripdata_2021-01.parquet",
            "val_path": "./data/green_tripdata_2021-02.parquet",
            "experiment": "january",
        }
        for key, flow, deployment, ago, took, end in [
            ("trained", "main-flow-35", "taxi_local_data2", 1_900, 221.0, "COMPLETED"),
            ("failed", "sync-orders", "orders-eu", 1_150, 88.0, "FAILED"),
            ("wide", "resize-images", "all-sizes", 5_300, 412.0, "COMPLETED"),
            ("huge", "backfill-weather", None, 9_000, 900.0, "COMPLETED"),
            ("running", "sync-orders", "orders-eu", 50, 600.0, "RUNNING"),
            ("cats", "fetch-animal-facts", "every-quarter-hour", 400, 12.0, "COMPLETED"),
            ("parent", "rebuild-everything", None, 3_600, 340.0, "COMPLETED"),
        ]:
            run = self.add_run(flow, now - seconds(ago), deployment, parameters=taxi if key == "trained" else {})
            play(chance, run, now - seconds(ago - 1.2), took, end, now)
            self.named[key] = run
        self._make_running(self.named["running"])
        self._make_subflows(self.named["parent"])
        paused = self.add_run("nightly-report", now - seconds(900))
        play(chance, paused, now - seconds(899), 1.0, "RUNNING", now)
        enter(
            paused,
            make_state(chance, "PAUSED", now - seconds(600), message="Waits for somebody to approve the figures"),
        )
        self.named["paused"] = paused

    def _make_running(self, run: Json) -> None:
        began = instant_of(run["start_time"])
        tasks = TaskRuns(run, random.Random(3))
        for page in range(8):
            read = tasks.add(
                "extract-page", began + seconds(1 + page * 0.3), 14 + page * 2.0, tries=2 if page == 3 else 1
            )
            if page < 5:
                done = instant_of(read["end_time"])
                tasks.add("transform", done + seconds(0.2), 6.0 if page < 2 else None, parents=[read])
        self.task_runs[run["id"]] = tasks.made

    def _make_subflows(self, run: Json) -> None:
        began = instant_of(run["start_time"])
        tasks = TaskRuns(run, random.Random(5))
        plan = tasks.add("plan", began + seconds(0.5), 4.0)
        for index, (flow, took) in enumerate(
            [("sync-orders", 120.0), ("hourly-weather", 40.0), ("main-flow-35", 190.0)]
        ):
            at = began + seconds(6 + index * 46)
            place = tasks.add(flow, at, took, parents=[plan])
            child = self.add_run(flow, at, parent_task_run_id=place["id"])
            play(self.chance, child, at, took, "COMPLETED", self.now)
            place["subflow"] = child
        tasks.add("publish", began + seconds(330), 8.0, parents=tasks.made[1:4])
        self.task_runs[run["id"]] = tasks.made

    def _make_upcoming(self) -> None:
        for flow, deployment, first, every in [
            ("fetch-animal-facts", "every-quarter-hour", 340, 900),
            ("sync-orders", "orders-eu", 1_500, 3_600),
            ("hourly-weather", "lisbon", 2_000, 3_600),
            ("main-flow-35", "taxi_local_data", 40_000, 86_400),
        ]:
            for index in range(3):
                at = self.now + seconds(first + index * every)
                run = self.add_run(flow, at, deployment, next_scheduled_start_time=text_of(at))
                enter(run, make_state(self.chance, "SCHEDULED", self.now - seconds(60)))
        late = self.add_run("resize-images", self.now - seconds(130), "all-sizes")
        enter(late, make_state(self.chance, "SCHEDULED", self.now - seconds(70), "Late"))

    def _make_artifacts(self) -> None:
        trained = self.named["trained"]
        reporter = next(task for task in self.tasks_of(trained) if task["task_key"] == "report-rmse")
        for days in (6, 4, 2, 1):
            at = self.now - timedelta(days=days)
            self.add_artifact("duration-model-report", "markdown", at, REPORT.replace("6.52", f"{6.3 + days / 10:.2f}"))
        self.add_artifact("duration-model-report", "markdown", self.now - seconds(1_690), REPORT, trained, reporter)
        rows: list[Json] = [
            {"zone": zone, "trips": trips, "rmse": rmse, "mean_minutes": minutes, "airport": airport}
            for zone, trips, rmse, minutes, airport in [
                ("East Harlem North", 5120, 4.8, 12.2, False),
                ("Astoria", 2310, 6.1, 14.9, False),
                ("LaGuardia Airport", 870, 11.4, 27.5, True),
                ("Park Slope", 1420, 5.9, 15.3, False),
                ("JFK Airport", 390, 14.2, 44.1, True),
            ]
        ]
        self.add_artifact(
            "errors-by-zone", "table", self.now - seconds(1_688), rows, trained, reporter, "Where the model is wrong."
        )
        self.add_artifact(
            "orders-dashboard",
            "link",
            self.now - seconds(7_000),
            "[Orders, last 24 h](https://dash.example.com/orders)",
        )
        self.add_artifact("backfill", "progress", self.now - seconds(8_200), 84.0, self.named["huge"])
        self.add_artifact(
            None,
            "markdown",
            self.now - seconds(1_680),
            "A note without a key, left by `report-rmse`.",
            trained,
            reporter,
        )

    def add_artifact(
        self,
        key: str | None,
        kind: str,
        at: datetime,
        data: object,
        run: Json | None = None,
        task: Json | None = None,
        description: str | None = None,
    ) -> Json:
        """An artifact; the newest of its key is the latest."""
        artifact: Json = {
            "id": make_id(self.chance),
            "created": text_of(at),
            "updated": text_of(at),
            "key": key,
            "type": kind,
            "description": description,
            "data": data,
            "metadata_": None,
            "flow_run_id": run["id"] if run else None,
            "task_run_id": task["id"] if task else None,
        }
        self.artifacts.append(artifact)
        return artifact
