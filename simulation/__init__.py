"""The plant that is not there: models, the same machines on real protocol servers, faults."""
