"""The pages: query, render, return."""

from web.pages import (
    account,
    acts,
    alarms,
    doors,
    exceptions,
    items,
    orders,
    overview,
    parcels,
    plan,
    quarantine,
    recovery,
    scan,
    station,
    users,
)

BLUEPRINTS = (
    account.blueprint,
    doors.blueprint,
    overview.blueprint,
    plan.blueprint,
    station.blueprint,
    orders.blueprint,
    parcels.blueprint,
    exceptions.blueprint,
    alarms.blueprint,
    quarantine.blueprint,
    items.blueprint,
    recovery.blueprint,
    users.blueprint,
    scan.blueprint,
    acts.blueprint,
)
