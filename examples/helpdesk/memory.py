"""What saves work over a restart. Nothing is wrong without it: the helpdesk knows it all."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

# What was written while we looked, and clocks that differ a little.
OVERLAP = timedelta(minutes=10)
# Without a memory. FirstReply knows an answer that it was given before for at least as long.
LOOK_BACK = timedelta(days=13)


class Memory:
    """In a file; `:memory:` for none. Safe for threads."""

    def __init__(self, path: Path | str) -> None:
        self._lock = Lock()
        self._file = sqlite3.connect(path, check_same_thread=False, autocommit=True)
        self._file.executescript(
            "CREATE TABLE IF NOT EXISTS tickets (case_id TEXT PRIMARY KEY, ticket TEXT NOT NULL);"
            "CREATE TABLE IF NOT EXISTS carried (answer TEXT PRIMARY KEY, at TEXT NOT NULL);"
            "CREATE TABLE IF NOT EXISTS looked (one INTEGER PRIMARY KEY, at TEXT NOT NULL);"
        )

    def close(self) -> None:
        self._file.close()

    def ticket(self, case_id: str) -> str | None:
        return self._one("SELECT ticket FROM tickets WHERE case_id = ?", case_id)

    def keep_ticket(self, case_id: str, ticket: str) -> None:
        self._do("INSERT OR REPLACE INTO tickets VALUES (?, ?)", case_id, ticket)

    def drop_ticket(self, case_id: str) -> None:
        self._do("DELETE FROM tickets WHERE case_id = ?", case_id)

    def is_carried(self, answer: str) -> bool:
        return self._one("SELECT answer FROM carried WHERE answer = ?", answer) is not None

    def keep_carried(self, answer: str, now: datetime) -> None:
        self._do("INSERT OR REPLACE INTO carried VALUES (?, ?)", answer, now.isoformat())
        self._do("DELETE FROM carried WHERE at < ?", (now - 2 * LOOK_BACK).isoformat())

    def look_from(self, now: datetime) -> datetime:
        """Since when there may be answers that were not carried."""
        at = self._one("SELECT at FROM looked WHERE one = 1")
        return datetime.fromisoformat(at) - OVERLAP if at else now - LOOK_BACK

    def keep_looked(self, at: datetime) -> None:
        self._do("INSERT OR REPLACE INTO looked VALUES (1, ?)", at.isoformat())

    def _one(self, query: str, *values: str) -> str | None:
        with self._lock, closing(self._file.execute(query, values)) as found:
            row = found.fetchone()
        return str(row[0]) if row else None

    def _do(self, query: str, *values: str) -> None:
        with self._lock:
            self._file.execute(query, values).close()
