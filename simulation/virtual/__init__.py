"""One clock for plant and controller: an asyncio loop that steps SimPy, and what belongs to it."""
