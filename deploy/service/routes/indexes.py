"""Which indexes there are, and what they are."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from fastapi import APIRouter

from deploy.service.models import ColumnAnswer, ColumnValue, IndexAnswer, IndexList, IndexSummary
from deploy.service.parts import CallerOf, IndexName, ServiceOf, seen
from deploy.service.problems import problem_responses

if TYPE_CHECKING:
    from collections.abc import Collection

    from indexer.asking.column_info import ColumnInfo
    from indexer.index import Index

router = APIRouter(prefix="/v1/indexes", tags=["indexes"])


@router.get("", responses=problem_responses())
async def list_indexes(service: ServiceOf, caller: CallerOf) -> IndexList:
    """The indexes that the caller may search."""
    names = [name for name in service.opened.names() if caller.may_see(name)]
    return IndexList(indexes=[IndexSummary(name=n, is_there=service.opened.is_there(n)) for n in names])


@router.get("/{index}", responses=problem_responses())
async def describe_index(index: IndexName, service: ServiceOf, caller: CallerOf) -> IndexAnswer:
    """What an index is: counts, extractor, and the columns that `where` can ask for."""
    with seen(service, caller, index) as view:
        return await service.working.quick.run(
            partial(_description, index, view.index, service.showing.hidden)
        )


def _description(name: str, index: Index, hidden: Collection[str]) -> IndexAnswer:
    info = index.info()
    skipped = Counter(str(file.reason) for file in index.skipped())
    return IndexAnswer(
        name=name,
        extractor=info.name,
        fingerprint=info.fingerprint,
        generation=info.generation,
        dim=info.dim,
        n_items=info.n_items,
        labels=dict(info.n_labels),
        files=dict(info.n_files),
        skipped=dict(sorted(skipped.items())),
        columns=[_column(each) for each in index.columns() if each.name not in hidden],
        attachments=index.attachments(),
        store=info.store,
        created=info.created,
        updated=info.updated,
    )


def _column(column: ColumnInfo) -> ColumnAnswer:
    return ColumnAnswer(
        name=column.name,
        kinds=list(column.kinds),
        n_known=column.n_known,
        n_values=column.n_values,
        most=[ColumnValue(value=value, n_items=n_items) for value, n_items in column.most],
        bounds=None if column.bounds is None else list(column.bounds),
    )
