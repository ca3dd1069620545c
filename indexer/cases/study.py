"""Cases that ask, and cases that are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cbir.evaluation.protocol import Search, Study, rank_queries
from cbir.types import Item
from indexer.cases.aspect import aspect_of
from indexer.cases.hits import CaseImage, CaseQuery
from indexer.cases.search import CaseSearcher
from indexer.cases.stand_ins import CaseLabel, StandIns, stand_ins
from indexer.index import Index


def study_cases(
    index: Index,
    queries: Sequence[Item],
    gallery: Sequence[Item],
    k: int,
    *,
    column: str,
    label: CaseLabel,
    source: Index,
    among: frozenset[str] | None,
    may_share_groups: bool,
) -> Study:
    """Ask for every labelled case, and keep what it found.

    Args:
        index: the gallery.
        queries: items whose cases ask; a case is made of those alone.
        gallery: items whose cases may be found, likewise.
        k: how many hits are judged.
        column: that tells cases apart.
        label: of cases whose images have several.
        source: the index that the queries are in.
        among: ids of the gallery's items; None for all of the index.
        may_share_groups: a query may have its group in another gallery.

    Raises:
        ItemsError: as ``stand_ins`` and ``rank_queries``.
        FingerprintError: the two indexes come from different extractors.
    """
    there = stand_ins(gallery, column, label, str(index.path))
    asked = there if queries is gallery else stand_ins(queries, column, label, str(source.path))
    study = rank_queries(
        list(asked.items.values()),
        _search(CaseSearcher(index, there.table), source, asked, among),
        k,
        gallery=list(there.items.values()),
        may_share_groups=may_share_groups,
    )
    return replace(study, notes=(*dict.fromkeys([*there.notes, *asked.notes]), *study.notes))


def _search(searcher: CaseSearcher, source: Index, asked: StandIns, among: frozenset[str] | None) -> Search:
    def query(case: str) -> CaseQuery:
        # As strangers: the protocol leaves out the case and its group.
        return CaseQuery(
            tuple(
                CaseImage(
                    item.id,
                    replace(source.query(item.id), item_id=None, group=None),
                    aspect_of(item.metadata),
                )
                for item in asked.members[case]
            )
        )

    def search(cases: Sequence[str], depth: int) -> list[list[str]]:
        found = searcher.search_many([query(case) for case in cases], depth, among=among)
        return [[hit.case for hit in hits] for hits in found]

    return search
