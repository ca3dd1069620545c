"""Items of an index, and their thumbnails."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from deploy.service.models import ItemAnswer
from deploy.service.parts import CallerOf, IndexName, ItemName, ServiceOf, seen
from deploy.service.problems import not_found, problem_responses

if TYPE_CHECKING:
    from cbir.types import Item
    from indexer.index import Index

router = APIRouter(prefix="/v1/indexes/{index}/items", tags=["items"])

_JPEG = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}


@router.get("/{item}", responses=problem_responses())
async def describe_item(index: IndexName, item: ItemName, service: ServiceOf, caller: CallerOf) -> ItemAnswer:
    """What the index says of an item."""
    with seen(service, caller, index) as view:
        return service.showing.item(await service.working.quick.run(partial(_item, view.index, item)))


@router.get(
    "/{item}/thumbnail",
    response_class=Response,
    responses={
        200: {"content": _JPEG, "description": "A JPEG of at most 192 pixels a side."},
        **problem_responses(),
    },
)
async def thumbnail(index: IndexName, item: ItemName, service: ServiceOf, caller: CallerOf) -> Response:
    """The item's picture, small."""
    with seen(service, caller, index) as view:
        jpeg = await service.working.quick.run(partial(_thumbnail, view.index, item))
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


def _item(index: Index, item_id: str) -> Item:
    try:
        return index.item(item_id)
    except KeyError:
        raise not_found("item", item_id) from None


def _thumbnail(index: Index, item_id: str) -> bytes:
    _item(index, item_id)
    jpeg = index.thumbnail(item_id)
    if not jpeg:
        raise not_found("thumbnail of item", item_id)
    return jpeg
