"""Copying what people have made from one orchestrator to another. What is there already is left as it is.

So the same copying again goes on where one was cut off, and changes nothing where it was not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from uuid import UUID

from msgspec import UNSET, Struct

from headrace.base.errors import ConfigurationError, GatewayError, ObjectNotFound, Unavailable
from headrace.cli.counterparts import Counterparts, find_by_name, put_named_first
from headrace.cli.lookup import read_flow_names, read_pages
from headrace.schema.block import (
    DOCUMENT_ID,
    REFERENCE,
    BlockDocument,
    BlockDocumentCreate,
    BlockSchema,
    BlockSchemaCreate,
    BlockSchemaFilter,
    BlockSelection,
    BlockType,
    BlockTypeCreate,
)
from headrace.schema.deployment import Deployment, DeploymentCreate
from headrace.schema.filters import IdFilter
from headrace.schema.flow import Flow, FlowCreate
from headrace.schema.orchestration import ConcurrencyLimitCreate
from headrace.schema.schedule import DeploymentScheduleCreate
from headrace.schema.variable import VariableCreate
from headrace.schema.work_pool import WorkPoolCreate, WorkQueue, WorkQueueCreate, WorkQueueUpdate

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration
    from headrace.gateway.execution import Execution

Outcome = Literal["copied", "skipped", "failed"]
Made = TypeVar("Made", bound=Struct)

THERE = "there already"


class Copied(Struct, frozen=True):
    """What became of one thing; `reason` says why it was skipped or has failed."""

    kind: str
    name: str
    outcome: Outcome
    reason: str | None = None


class Copier:
    """Copies from `source` to `target`, thing by thing: each before what refers to it."""

    def __init__(self, source: Administration, target: Administration, target_runs: Execution) -> None:
        self._source = source
        self._target = target
        self._target_runs = target_runs
        self._flows: dict[UUID, UUID] = {}
        self._types: dict[UUID, UUID] = {}
        self._schemas: dict[UUID, UUID] = {}
        self._documents: dict[UUID, UUID] = {}
        self._made: set[UUID] = set()

    def copy(self) -> Iterator[Copied]:
        """Copy everything, and tell of each thing as it is done. Raises `Unavailable` where one side does not answer."""
        yield from self._copy_flows()
        yield from self._copy_variables()
        yield from self._copy_limits()
        yield from self._copy_blocks()
        yield from self._copy_pools()
        yield from self._copy_deployments()
        yield from self._copy_automations()

    def _copy_flows(self) -> Iterator[Copied]:
        def copy(flow: Flow) -> None:
            made = self._target_runs.register_flow(_make(FlowCreate, flow))
            self._flows[flow.id] = made.id

        for flow in read_pages(lambda page: self._source.list_flows(page=page)):
            yield _attempt("flow", flow.name, self._flow_reader(flow), lambda flow=flow: copy(flow))

    def _flow_reader(self, flow: Flow) -> Callable[[], object]:
        def read() -> None:
            self._flows[flow.id] = self._target.read_flow_by_name(flow.name).id

        return read

    def _copy_variables(self) -> Iterator[Copied]:
        for variable in read_pages(lambda page: self._source.list_variables(page=page)):
            yield _attempt(
                "variable",
                variable.name,
                lambda name=variable.name: self._target.read_variable_by_name(name),
                lambda variable=variable: self._target.create_variable(_make(VariableCreate, variable)),
            )

    def _copy_limits(self) -> Iterator[Copied]:
        for limit in read_pages(self._source.list_concurrency_limits):
            yield _attempt(
                "concurrency limit",
                limit.name,
                lambda name=limit.name: self._target.read_concurrency_limit(name),
                lambda limit=limit: self._target.create_concurrency_limit(_make(ConcurrencyLimitCreate, limit)),
            )

    def _copy_blocks(self) -> Iterator[Copied]:
        self._target.install_block_types()
        for kind in read_pages(lambda page: self._source.list_block_types(page=page)):
            if not kind.is_protected:
                yield _attempt(
                    "block type",
                    kind.slug,
                    lambda slug=kind.slug: self._target.read_block_type_by_slug(slug),
                    lambda kind=kind: self._copy_type_with_schemas(kind),
                )
        for document in read_pages(lambda page: self._source.list_block_documents(page=page)):
            slug = document.block_type.slug if document.block_type is not None else ""
            yield _attempt(
                "block",
                f"{slug}/{document.name}",
                lambda slug=slug, found=document: self._read_document(slug, found),
                lambda found=document.id: self._copy_document(found),
            )

    def _copy_type_with_schemas(self, kind: BlockType) -> None:
        of_kind = BlockSelection(block_schemas=BlockSchemaFilter(block_type_id=IdFilter(any_=[kind.id])))
        self._find_type(kind)
        for schema in reversed(read_pages(lambda page: self._source.list_block_schemas(of_kind, page))):
            self._find_schema(schema, kind)

    def _find_type(self, kind: BlockType) -> UUID:
        """The type at the target, made if there is none."""
        if kind.id not in self._types:
            try:
                self._types[kind.id] = self._target.read_block_type_by_slug(kind.slug).id
            except ObjectNotFound:
                self._types[kind.id] = self._target.create_block_type(_make(BlockTypeCreate, kind)).id
        return self._types[kind.id]

    def _find_schema(self, schema: BlockSchema, kind: BlockType) -> UUID:
        """The schema at the target, made if there is none."""
        if schema.id not in self._schemas:
            asked = _make(BlockSchemaCreate, schema, block_type_id=self._find_type(kind))
            self._schemas[schema.id] = self._target.create_block_schema(asked).id
        return self._schemas[schema.id]

    def _read_document(self, slug: str, document: BlockDocument) -> None:
        """Raises `ObjectNotFound` for a block that was not there, or has been made just now for one that refers to it."""
        if document.id in self._made:
            raise ObjectNotFound(f"Block {document.name!r} is new.")
        self._target.read_block_document_by_name(slug, document.name or "")

    def _copy_document(self, document_id: UUID) -> UUID:
        """The block at the target, made with everything that it refers to."""
        if document_id in self._documents:
            return self._documents[document_id]
        document = self._source.read_block_document(document_id, include_secrets=True)
        found = self._find_document(document)
        self._documents[document_id] = found
        return found

    def _find_document(self, document: BlockDocument) -> UUID:
        kind = document.block_type or self._source.read_block_type(document.block_type_id)
        if document.name is not None and not document.is_anonymous:
            try:
                return self._target.read_block_document_by_name(kind.slug, document.name).id
            except ObjectNotFound:
                pass  # it is to be made
        schema = document.block_schema or self._source.read_block_schema(document.block_schema_id)
        inner = {
            field: {REFERENCE: {DOCUMENT_ID: str(self._copy_document(each.block_document.id))}}
            for field, each in document.block_document_references.items()
        }
        asked = BlockDocumentCreate(
            name=None if document.is_anonymous else document.name,
            data={**document.data, **inner},
            block_schema_id=self._find_schema(schema, kind),
            block_type_id=self._find_type(kind),
            is_anonymous=document.is_anonymous,
        )
        self._made.add(document.id)
        return self._target.create_block_document(asked).id

    def _copy_pools(self) -> Iterator[Copied]:
        for pool in read_pages(lambda page: self._source.list_work_pools(page=page)):
            asked = _make(WorkPoolCreate, pool)
            # What is kept there is named by an id of the source's.
            asked.storage_configuration = WorkPoolCreate(name=pool.name).storage_configuration
            done = _attempt(
                "work pool",
                pool.name,
                lambda name=pool.name: self._target.read_work_pool(name),
                lambda asked=asked: self._target.create_work_pool(asked),
            )
            yield done
            if done.outcome != "failed":
                yield from self._copy_queues(pool.name, is_new=done.outcome == "copied")

    def _copy_queues(self, pool: str, *, is_new: bool) -> Iterator[Copied]:
        """The queues of a pool, by priority. A new pool has one queue already, which is made like the source's."""

        def read(name: str) -> None:
            if is_new:
                raise ObjectNotFound(f"Nobody has made queue {name!r} yet.")
            self._target.read_work_queue_by_name(pool, name)

        queues = read_pages(lambda page: self._source.list_work_queues(pool, page=page))
        for queue in sorted(queues, key=lambda each: each.priority):
            yield _attempt(
                "work queue",
                f"{pool}/{queue.name}",
                lambda name=queue.name: read(name),
                lambda queue=queue: self._copy_queue(pool, queue),
            )

    def _copy_queue(self, pool: str, queue: WorkQueue) -> None:
        try:
            there = self._target.read_work_queue_by_name(pool, queue.name)
        except ObjectNotFound:
            self._target.create_work_queue(pool, _make(WorkQueueCreate, queue))
        else:
            # When the source's was asked last says nothing of the target's.
            self._target.update_work_queue(there.id, _make(WorkQueueUpdate, queue, last_polled=UNSET))

    def _copy_deployments(self) -> Iterator[Copied]:
        found = read_pages(lambda page: self._source.list_deployments(page=page))
        flows = read_flow_names(self._source, (each.flow_id for each in found))
        for deployment in found:
            flow = flows.get(deployment.flow_id, "")
            yield _attempt(
                "deployment",
                f"{flow}/{deployment.name}",
                lambda flow=flow, name=deployment.name: self._target.read_deployment_by_name(flow, name),
                lambda deployment=deployment: self._copy_deployment(deployment),
            )

    def _copy_automations(self) -> Iterator[Copied]:
        """Those that name others last. Several may have one name: then as many are to be there."""
        counterparts = Counterparts(self._source, self._target)
        met: Counter[str] = Counter()

        def read(name: str) -> None:
            if len(find_by_name(self._target, name)) < met[name]:
                raise ObjectNotFound(f"Nobody has made automation {name!r} yet.")

        found = read_pages(lambda page: self._source.list_automations(page=page))
        for automation in put_named_first(found):
            met[automation.name] += 1
            yield _attempt(
                "automation",
                automation.name,
                lambda name=automation.name: read(name),
                lambda each=automation: self._target.create_automation(counterparts.translate(each)),
            )

    def _copy_deployment(self, deployment: Deployment) -> None:
        if deployment.flow_id not in self._flows:
            raise ObjectNotFound("its flow was not copied.")
        limit_id = deployment.global_concurrency_limit_id
        if limit_id is not None:
            limit = self._source.read_concurrency_limit(str(limit_id))
            limit_id = self._target.read_concurrency_limit(limit.name).id
        asked = _make(
            DeploymentCreate,
            deployment,
            flow_id=self._flows[deployment.flow_id],
            schedules=[_make(DeploymentScheduleCreate, each) for each in deployment.schedules],
            global_concurrency_limit_id=limit_id,
            # Documents of an older kind, named by ids of the source's; nothing here reads them.
            storage_document_id=None,
            infrastructure_document_id=None,
        )
        self._target.create_deployment(asked)


def count_outcomes(done: Iterable[Copied]) -> dict[str, dict[Outcome, int]]:
    """How much of each kind was copied, skipped, and has failed."""
    counts: dict[str, dict[Outcome, int]] = {}
    for each in done:
        of_kind = counts.setdefault(each.kind, {"copied": 0, "skipped": 0, "failed": 0})
        of_kind[each.outcome] += 1
    return counts


def _attempt(kind: str, name: str, read: Callable[[], object], copy: Callable[[], object]) -> Copied:
    """Copy one thing, unless reading it at the target finds it there."""
    try:
        try:
            read()
        except ObjectNotFound:
            copy()
            return Copied(kind, name, "copied")
    except Unavailable:
        raise
    except (GatewayError, ConfigurationError) as error:
        return Copied(kind, name, "failed", str(error))
    return Copied(kind, name, "skipped", THERE)


def _make(kind: type[Made], stored: Struct, **more: Any) -> Made:
    """A request for a thing like one that is stored."""
    known = set(stored.__struct_fields__) - more.keys()
    told = {name: getattr(stored, name) for name in kind.__struct_fields__ if name in known}
    return kind(**told, **more)
