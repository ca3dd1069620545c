"""``make bench``: ratios of speed, each measured side by side in one run; medians, with the range.

Times on a shared machine drift, ratios of neighbours in time much less: the two programs take turns.
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from tests.benchmarks import build, cold_search, embed, evaluation, handcrafted, scale, training, warm_search
from tests.benchmarks.ratio import Ratio

BENCHMARKS = {
    "build": build.measure,
    "embed": embed.measure,
    "cold": cold_search.measure,
    "warm": warm_search.measure,
    "evaluate": evaluation.measure,
    "handcrafted": handcrafted.measure,
    "scale": scale.measure,
    "training": training.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], help="all without one")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each program (default 3)")
    parser.add_argument("--large", action="store_true", help="scale: also a million rows (25 minutes)")
    arguments = parser.parse_args()
    shared = Path(os.environ.get("CBIR_TEST_DATA", Path(__file__).parents[2] / ".." / "shared")).resolve()
    if not (shared / "data").is_dir():
        sys.exit(f"no test data in {shared}; set CBIR_TEST_DATA")
    print(Ratio.HEADER)
    benchmarks = BENCHMARKS | {"scale": partial(scale.measure, large=arguments.large)}
    for name in arguments.names or BENCHMARKS:
        for ratio in benchmarks[name](shared, arguments.rounds):
            print(ratio, flush=True)


if __name__ == "__main__":
    main()
