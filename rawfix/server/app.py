"""The server's routes; the only module that knows FastAPI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.security import HTTPBearer
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException

from rawfix import __version__
from rawfix.batch.decide import installed_models
from rawfix.nn.threads import available_threads
from rawfix.server import child
from rawfix.server.answers import (
    EVENTS,
    PICTURE,
    UPLOAD,
    Checked,
    Health,
    JobAnswer,
    Offer,
    errors,
    events_of,
    file_name,
)
from rawfix.server.apart import Entry
from rawfix.server.asking import check_look, to_order
from rawfix.server.guard import Guard, refuse
from rawfix.server.jobs import Job
from rawfix.server.limits import Limits
from rawfix.server.line import Line
from rawfix.server.order import place
from rawfix.server.refused import Refused
from rawfix.server.upload import receive
from rawfix.server.wire import File


def create_app(limits: Limits, spool: Path, token: str = "", entry: Entry = child.main) -> FastAPI:
    """The application.

    Parameters
    ----------
    limits
        What a client may take.
    spool
        An empty folder of this server's own.
    token
        Asked of every client; "" serves programs on this machine only.
    entry
        What a job's process runs.
    """
    models = installed_models()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        line: Line = app.state.line
        line.start()
        try:
            yield
        finally:
            await line.stop()

    guarded = [Security(HTTPBearer(auto_error=False))] if token else []
    app = FastAPI(
        title="rawfix", version=__version__, summary="Develops RAW photographs.",
        docs_url=None, redoc_url=None, lifespan=lifespan,
    )  # fmt: skip
    app.state.line = Line(limits, spool, entry)
    app.add_middleware(Guard, token=token, pause=limits.pause)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> JSONResponse:
        return refuse(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        return refuse(Refused("settings", f"{'.'.join(map(str, first['loc']))}: {first['msg']}"))

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> JSONResponse:
        body = {"error": {"kind": "unknown", "message": str(error.detail)}}
        return JSONResponse(body, error.status_code, error.headers)

    def the_line() -> Line:
        line: Line = app.state.line
        return line

    def the_job(id: str) -> Job:
        return the_line().find(id)

    async def accept(request: Request, file: str = "picture") -> Job:
        line = the_line()
        with line.arrival() as folder:
            upload = await receive(request, folder, limits)
            return await line.join(folder, to_order(upload, limits, file))

    def answer(job: Job, file: str, background: BackgroundTask | None = None) -> FileResponse:
        if job.refused is not None:
            raise job.refused
        if job.state != "done":
            raise Refused("pending", f"{job.order.named}: is {job.state}; follow its events")
        if file not in job.facts["files"]:
            raise Refused("unknown", f"{job.order.named}: no {file} was made of it")
        path = place(job.folder, file, job.order.settings.format)
        return FileResponse(path, filename=file_name(job.order.named, path), background=background)

    @app.get("/healthz", response_model=Health, responses=errors())
    async def healthz() -> Any:
        """Whether the server lives; asks for no token."""
        return {"status": "ok"}

    @app.get("/v1/server", response_model=Offer, responses=errors(401), dependencies=guarded)
    async def server() -> Any:
        """What this server is, and what it grants."""
        return {
            "rawfix": __version__, "models": models, "upload": limits.upload, "seconds": limits.seconds,
            "queue": limits.queue, "waiting": the_line().length, "jobs": limits.jobs, "provider": limits.provider,
            "threads": limits.threads or available_threads(),
        }  # fmt: skip

    @app.get("/v1/check", response_model=Checked, responses=errors(400, 401, 422), dependencies=guarded)
    def check(settings: str = "{}") -> Any:
        """Whether settings, in JSON, can be served: all of them as they would be used."""
        checked = check_look(settings, limits)
        return {"settings": checked.to_dict()}

    @app.post(
        "/v1/jobs", status_code=202, response_model=JobAnswer, dependencies=guarded,
        openapi_extra=UPLOAD, responses=errors(400, 401, 408, 413, 415, 422, 429),
    )  # fmt: skip
    async def create(request: Request) -> Any:
        """Put a RAW file into the queue."""
        return (await accept(request)).to_dict()

    @app.get("/v1/jobs/{id}", response_model=JobAnswer, responses=errors(401, 404), dependencies=guarded)
    async def state(job: Job = Depends(the_job)) -> Any:
        """How a job goes."""
        return job.to_dict()

    @app.delete("/v1/jobs/{id}", status_code=204, responses=errors(401, 404), dependencies=guarded)
    async def delete(job: Job = Depends(the_job)) -> Response:
        """Cancel a job, or delete its files."""
        the_line().forget(job)
        return Response(status_code=204)

    @app.get(
        "/v1/jobs/{id}/events", responses={200: EVENTS, **errors(401, 404)},
        response_class=StreamingResponse, dependencies=guarded,
    )  # fmt: skip
    async def events(job: Job = Depends(the_job)) -> StreamingResponse:
        """How a job goes, as it goes: server-sent events, each named after the state, to the end of the job."""
        return StreamingResponse(
            events_of(job), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    @app.get(
        "/v1/jobs/{id}/files/{file}", response_class=FileResponse, dependencies=guarded,
        responses={200: PICTURE, **errors(401, 404, 409, 410, 422)},
    )  # fmt: skip
    async def fetch(file: File, job: Job = Depends(the_job)) -> FileResponse:
        """What a job made; it stays until it is deleted, or for the time that the server keeps it."""
        return answer(job, file)

    @app.post(
        "/v1/develop", response_class=FileResponse, dependencies=guarded, openapi_extra=UPLOAD,
        responses={200: PICTURE, **errors(400, 401, 404, 408, 410, 413, 415, 422, 429)},
    )  # fmt: skip
    async def develop(request: Request, file: File = "picture") -> FileResponse:
        """Put a RAW file into the queue, wait, and answer with the picture, or with another file of the job."""
        line = the_line()
        job = await accept(request, file)
        try:
            async for _ in job.changes(heartbeat=1.0):
                if await request.is_disconnected():
                    break
            return answer(job, file, BackgroundTask(line.forget, job))
        except BaseException:
            line.forget(job)
            raise

    return app
