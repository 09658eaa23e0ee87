"""Lines and queues from a scenario file with a `[model]` table: reading, building, running, and what it says at the end."""
