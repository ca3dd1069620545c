"""One of several processes: what it got of what the first does for all, into FOLDER/RANK.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cbir.errors import ColumnError, OtherProcessError
from cbir.training.processes import joined_processes


def raised(work) -> str:
    try:
        work()
    except OtherProcessError as error:
        return f"OtherProcessError of {error.kind.__name__}"
    except (ColumnError, KeyboardInterrupt) as error:
        return type(error).__name__
    return "nothing"


def main() -> None:
    done = []

    def work() -> int:
        done.append(1)
        return 7

    def fail() -> None:
        raise ColumnError("items.csv", "label", {"path": 1}.keys())

    def interrupt() -> None:
        raise KeyboardInterrupt

    with joined_processes(cpu=True) as processes:
        found = {"result": processes.once(work), "n_done": len(done)}
        found["error"] = raised(lambda: processes.once(fail))
        found["interrupted"] = raised(lambda: processes.once(interrupt))
    (Path(sys.argv[1]) / f"{processes.rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
