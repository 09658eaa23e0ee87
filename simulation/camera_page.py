"""Serves a virtual camera as network cameras do: a snapshot address."""

from __future__ import annotations

from simulation.machines.camera import VirtualCamera
from simulation.mounts.http import Handler, Request, Response
from simulation.mounts.wire import Wire

PATH = "/snapshot.jpg"


def camera_page(camera: VirtualCamera, wire: Wire) -> Handler:
    """Answer GET /snapshot.jpg with a JPEG, X-Frame-Counter and X-Captured-At (ISO 8601, UTC)."""

    async def answer(request: Request) -> Response:
        if request.path != PATH:
            return Response.of_text(f"try {PATH}", 404)
        await wire.carry_request()
        shot = await camera.shoot()
        await wire.carry_answer()
        headers = {
            "Content-Type": "image/jpeg",
            "Cache-Control": "no-store",
            "X-Frame-Counter": str(shot.frame),
            "X-Captured-At": shot.captured_at.isoformat(),
        }
        return Response(body=shot.jpeg, headers=headers)

    return answer
