"""Whether the service is well: for orchestrators, and for Prometheus."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response

from deploy.service.metrics import CONTENT_TYPE
from deploy.service.models import Health
from deploy.service.parts import CallerOf, ServiceOf
from deploy.service.problems import Problem, problem_responses

router = APIRouter(tags=["health"])


@router.get("/livez")
async def livez() -> Health:
    """Whether the process answers at all."""
    return Health(status="alive")


@router.get("/readyz", responses=problem_responses())
async def readyz(service: ServiceOf) -> Health:
    """Whether requests should be sent here: every index can be searched, and nobody has asked it to stop."""
    if service.is_draining:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "The service is about to stop.")
    if not service.opened.are_there():
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "An index is not there at the moment.", retry_s=5)
    return Health(status="ready")


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "The numbers."},
        **problem_responses(),
    },
)
async def metrics(service: ServiceOf, caller: CallerOf) -> Response:
    """The numbers of this process, as Prometheus reads them; asks for a key where others do."""
    del caller  # known to be somebody
    return Response(service.metrics.page(), media_type=CONTENT_TYPE)
