"""The side channel of tests and harnesses: reads the physical truth, switches faults. The controller never opens it."""

from __future__ import annotations

from json import JSONDecodeError
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from packline.core.clock import Clock
from simulation.hands import VERBS, Hands, HandsOrder
from simulation.misbehave import Misbehaviour, NoSuchFault
from simulation.mounts.http import Request, Response
from simulation.plant.things import CannotDo
from simulation.plant.truth import Truth, as_json
from simulation.plant.world import World


class FaultOrder(BaseModel):
    """POST /fault: switch `fault` of `device` on for `for_s` wall seconds, `until` a time, `times` uses, or until mended."""

    model_config = ConfigDict(extra="forbid")

    device: str
    fault: str
    for_s: float | None = Field(default=None, gt=0, le=86_400)
    until: AwareDatetime | None = None
    times: int | None = Field(default=None, ge=1, le=10_000)


class MendOrder(BaseModel):
    """POST /mend: one fault of one device, all of one device, or everything."""

    model_config = ConfigDict(extra="forbid")

    device: str = ""
    fault: str = ""


NO_JSON = 'expected an object, as in {"device": "arm-1", "fault": "jam"} or {"do": "take_carton"}'


class TruthChannel:
    """Answers GET /truth, /truth/facts?after=n, /faults, /hands and POST /fault, /mend, /hands."""

    def __init__(self, truth: Truth, world: World, misbehaviour: Misbehaviour, hands: Hands, clock: Clock) -> None:
        self._truth = truth
        self._world = world
        self._misbehaviour = misbehaviour
        self._hands = hands
        self._clock = clock

    async def handle(self, request: Request) -> Response:
        """Answer one request; wrong ones get 400 or 404, impossible ones 409, with the reason as text."""
        try:
            return await self._route(request)
        except ValidationError as error:
            return Response.of_text(_wrong_keys(error), 400)
        except JSONDecodeError as error:
            return Response.of_text(f"the body is no JSON ({error}); {NO_JSON}", 400)
        except ValueError as error:
            return Response.of_text(str(error), 400)
        except NoSuchFault as error:
            return Response.of_text(str(error), 404)
        except CannotDo as error:
            return Response.of_text(str(error), 409)

    async def _route(self, request: Request) -> Response:
        match request.method, request.path:
            case "GET", "/truth":
                return Response.of_json(self._whole())
            case "GET", "/truth/facts":
                return Response.of_json(self._facts(int(request.query.get("after", "0"))))
            case "GET", "/faults":
                return Response.of_json({"known": self._misbehaviour.known(), "active": self._misbehaviour.active()})
            case "POST", "/fault":
                order = FaultOrder.model_validate(request.json())
                for_s = self._lasts_s(order)
                await self._misbehaviour.fault(order.device, order.fault, for_s=for_s, times=order.times)
                return Response.of_json({"active": self._misbehaviour.active()})
            case "POST", "/mend":
                wish = MendOrder.model_validate(request.json() if request.body else {})
                return Response.of_json({"mended": await self._misbehaviour.mend(wish.device, wish.fault)})
            case "GET", "/hands":
                verbs = {verb: list(words) for verb, (words, _) in VERBS.items()}
                return Response.of_json({"verbs": verbs, "held": self._hands.held()})
            case "POST", "/hands":
                return Response.of_json({"held": await self._hands.work(HandsOrder.model_validate(request.json()))})
            case _:
                return Response.of_text(
                    "GET /truth, /truth/facts?after=n, /faults, /hands; POST /fault, /mend, /hands", 404
                )

    def _lasts_s(self, order: FaultOrder) -> float | None:
        if order.until is None:
            return order.for_s
        return max((order.until - self._clock.now()).total_seconds(), 0.0)

    def _whole(self) -> dict[str, Any]:
        return {
            "at": self._clock.now().isoformat(),
            "summary": self._truth.summary(),
            "parcels": {lpn: self._parcel(lpn) for lpn in self._truth.parcels},
            "places": self._places(),
            "held_pieces": [piece.sku for piece in self._world.held_pieces()],
            "tables": {station: piece.sku if piece else "" for station, piece in self._world.tables.items()},
            "peels": {printer: label.sscc if label else None for printer, label in self._world.papers.at_peel.items()},
            "faults": self._misbehaviour.active(),
        }

    def _parcel(self, lpn: str) -> dict[str, Any]:
        carton = self._world.cartons.get(lpn)
        return {**self._truth.parcel(lpn).as_dict(), "place": carton.place if carton else ""}

    def _places(self) -> dict[str, list[str]]:
        return {name: [c.lpn for c in place.cartons] for name, place in self._world.places.items() if place.cartons}

    def _facts(self, after: int) -> dict[str, Any]:
        facts = self._truth.after(after)
        return {"facts": as_json(facts), "next": facts[-1].n if facts else after}


def _wrong_keys(error: ValidationError) -> str:
    """Say in a line which key is wrong and why, as often as there are any."""
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the body'}: {one['msg']}" for one in error.errors())
