"""What happened and must not be lost: tables, writer, effects ledger, journal, outbox, views."""
