"""`python -m payments.simulator --port N [--home DIR] [--seed N] [--callback-delay S]`."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from payments.simulator.server import serve
from payments.simulator.world import World


def arguments() -> argparse.Namespace:
    home = Path(os.environ.get("BURSAR_HOME", ".bursar")) / "simulator"
    parser = argparse.ArgumentParser(prog="payments.simulator", description="A local Daraja.")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--home", type=Path, default=home, help="where book and keys are kept")
    parser.add_argument("--seed", type=int, default=1, help="of conversation ids and receipts")
    parser.add_argument(
        "--callback-delay", type=float, default=1.0, help="seconds before a result is sent"
    )
    return parser.parse_args()


async def main(chosen: argparse.Namespace) -> None:
    world = World(chosen.home, seed=chosen.seed, callback_delay_s=chosen.callback_delay)
    await serve(world, chosen.port)


if __name__ == "__main__":
    asyncio.run(main(arguments()))
