"""An index, measured: who asks, who may be found, by which column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from cbir.evaluation.protocol import Search, Study, rank_queries
from cbir.items.part import Part, Selection, values_of
from cbir.items.where import Condition
from cbir.types import Item
from indexer.asking.reranked import Reranking
from indexer.cases.stand_ins import CasePlan
from indexer.cases.study import study_cases
from indexer.cases.table import case_column
from indexer.index import Index
from indexer.refine import Refinement, refined_gallery
from indexer.refine.gallery import IndexGallery


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """What a study of an index asks.

    Args:
        label: the column that says what is relevant.
        k: how many hits are judged.
        queries: the items that ask; None for all.
        gallery: the items that may be found; None for all. A query's own group never may.
        where: holds for the items that the study is of, those that ask and those that may be found; None for
            all.
        may_share_groups: a query may have its group in a gallery that is not all of the same index.
        refinements: of the search; what a query may not find has no part in them.
        cases: None where images ask and are found; else how they make cases, which do.
    """

    label: str = "label"
    k: int = 10
    queries: Selection | None = None
    gallery: Selection | None = None
    where: Condition | None = None
    may_share_groups: bool = False
    refinements: tuple[Refinement, ...] = ()
    cases: CasePlan | None = None


def study_index(
    index: Index,
    plan: StudyPlan,
    *,
    asking: Index | None = None,
    search: Search | None = None,
    reranking: Reranking | None = None,
    tells_leak: bool = True,
) -> Study:
    """Ask an index for every labelled query of a plan, and keep what it found.

    By case, the items chosen are those whose cases ask or may be found; a case is made of those alone.

    Args:
        index: the gallery.
        plan: who asks, and who may be found.
        asking: another index, of the same extractor, that the queries come from.
        search: instead of the index's own: another system's answers over the same items; not by case.
        reranking: of the index's own search, not by case; instead of the plan's refinements.
        tells_leak: False spares a refined or re-ranked search a second time with the query's group in the
            gallery; the study then says nothing of a leak.

    Raises:
        ItemsError: a column or part that is not there, or nothing to measure: see ``rank_queries``.
        FingerprintError: the two indexes come from different extractors.
    """
    everything = _labelled(index, plan)
    gallery = plan.gallery.of(everything, str(index.path)) if plan.gallery else everything
    asked = everything if asking is None else _labelled(asking, plan)
    queries = plan.queries.of(asked, str((asking or index).path)) if plan.queries else asked
    among = frozenset(item.id for item in gallery) if plan.gallery or plan.where else None
    may_share = plan.may_share_groups or (asking is None and plan.gallery is None)
    if plan.cases:
        return study_cases(
            index, queries, gallery, plan.k,
            column=case_column_of(index, plan.cases), label=plan.cases.label,
            source=asking or index, among=among, may_share_groups=may_share,
        )  # fmt: skip
    apart: Search | None = None
    if search is None and (plan.refinements or reranking):
        other = (
            partial(_reranked, index, asking or index, among, reranking)
            if reranking
            else partial(_refined, index, asking or index, among, plan.refinements)
        )
        apart = other(leaves_group=True)
        search = other(leaves_group=False) if tells_leak else apart
    return rank_queries(
        queries,
        search or _search(index, asking or index, among),
        plan.k,
        gallery=gallery,
        may_share_groups=may_share,
        apart=apart,
    )


def case_column_of(index: Index, cases: CasePlan) -> str:
    """The column that tells cases apart: the plan's, else the first of the usual ones that the index has.

    Raises:
        ColumnError: no item has a value of it.
    """
    return case_column(index, cases.column)


def split_hash(index: Index, plan: StudyPlan) -> str | None:
    """The hash of the split that a plan's parts are of, as ``cbir items split`` wrote it, or None."""
    columns = {part.column for part in (plan.queries, plan.gallery) if isinstance(part, Part)}
    if len(columns) != 1:
        return None
    name = f"{columns.pop()}_hash"
    found = {item.metadata.get(name) for item in index.items()}
    return str(found.pop()) if len(found) == 1 and None not in found else None


def _labelled(index: Index, plan: StudyPlan) -> list[Item]:
    """The items that the study is of, their label taken from a column."""
    items = index.items(where=plan.where)
    if plan.label == "label":
        return list(items)
    pairs = values_of(items, plan.label, str(index.path))
    return [replace(item, label=value) for item, value in pairs]


def _search(index: Index, source: Index, among: frozenset[str] | None) -> Search:
    def search(query_ids: Sequence[str], depth: int) -> list[list[str]]:
        # As strangers: the protocol leaves out the query and its group, and such queries are asked together.
        strangers = [replace(source.query(each), item_id=None, group=None) for each in query_ids]
        return [[hit.item.id for hit in hits] for hits in index.search_many(strangers, depth, among=among)]

    return search


def _reranked(
    index: Index,
    source: Index,
    among: frozenset[str] | None,
    reranking: Reranking,
    *,
    leaves_group: bool,
) -> Search:
    def search(query_ids: Sequence[str], depth: int) -> list[list[str]]:
        n_hits = max(depth, reranking.depth)
        found: dict[str, list[str]] = {}
        queries = [(each, source.query(each)) for each in query_ids]
        for excludes in (False, True):
            chosen = [each for each in queries if (leaves_group and each[1].group is not None) is excludes]
            hits = index.search_many(
                [query for _, query in chosen], n_hits, exclude_same_group=excludes, among=among
            )
            for (item_id, query), some in zip(chosen, hits, strict=True):
                found[item_id] = [hit.item.id for hit in reranking.of(query, some)[:depth]]
        return [found[each] for each in query_ids]

    return search


def _refined(
    index: Index,
    source: Index,
    among: frozenset[str] | None,
    refinements: Sequence[Refinement],
    *,
    leaves_group: bool,
) -> Search:
    whole, without_group = (
        refined_gallery(IndexGallery(index, exclude_same_group=excludes, among=among), refinements)
        for excludes in (False, True)
    )

    def search(query_ids: Sequence[str], depth: int) -> list[list[str]]:
        # One by one: each may find something else.
        found = []
        for query in map(source.query, query_ids):
            gallery = without_group if leaves_group and query.group is not None else whole
            found.append([hit.item.id for hit in gallery.search([query], depth)[0]])
        return found

    return search
