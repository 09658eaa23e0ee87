"""Pure rules of fulfilling: order, parcel, lifecycle tables, release, routing, exception policy."""
