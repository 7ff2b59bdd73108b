"""Drives a running service past its capacity and says what became of the uploads.

Three phases, each on connections of their own as strangers open them:

1. unloaded: one upload at a time, each waited for;
2. capacity: as many at a time as keep the examiners busy; verdicts per second;
3. overload: an open loop at a multiple of that rate. A slow answer does not slow the sender down, so waiting
   is measured and not hidden.

With the key of a second tenant there is a neighbour: it uploads at a tenth of the capacity and waits for each
verdict, first alone and then beside the overload.

Every upload is the same picture with a comment of its own, so that no answer comes from the cache. Python's
standard library alone; one process, one thread, so that the service is not starved by who measures it.

usage: load.py --address 127.0.0.1:8080 --pid PID --picture FILE.jpg [--seconds 180] [--times 2] [--key KEY]
       [--neighbour-key KEY]
"""

import argparse
import asyncio
import itertools
import json
import sys
import time
from dataclasses import dataclass, field

COMMENT = b"\xff\xfe"
TIMEOUT_S = 60.0


@dataclass
class Outcomes:
    """What came of the uploads of one phase; times in seconds."""

    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    other: dict[str, int] = field(default_factory=dict)

    def add(self, status: int, took: float) -> None:
        if status in (201, 202):
            self.accepted.append(took)
        elif status in (429, 503):
            self.refused.append(took)
        else:
            name = str(status) if status else "no answer"
            self.other[name] = self.other.get(name, 0) + 1


class Sender:
    def __init__(self, address: str, picture: bytes, key: str | None) -> None:
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        if picture[:2] != b"\xff\xd8":
            sys.exit("the picture must be a JPEG")
        self.picture = picture
        self.key = key
        self.numbers = itertools.count(int(time.time() * 1000) << 20)

    def body(self) -> bytes:
        comment = str(next(self.numbers)).encode()
        length = (len(comment) + 2).to_bytes(2, "big")
        return self.picture[:2] + COMMENT + length + comment + self.picture[2:]

    async def ask(self, head: str, body: bytes = b"") -> tuple[int, bytes]:
        """One request; status 0 stands for no answer."""
        key = f"Authorization: Bearer {self.key}\r\n" if self.key else ""
        request = f"{head}\r\nHost: {self.host}:{self.port}\r\nConnection: close\r\n{key}"
        request += f"Content-Length: {len(body)}\r\n\r\n"
        writer = None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                writer.write(request.encode() + body)
                try:
                    await writer.drain()
                except ConnectionError:
                    pass  # Refused before all of it was read: the answer is there all the same.
                answer = await reader.read(-1)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return 0, b""
        finally:
            if writer is not None:
                writer.close()
        first, _, rest = answer.partition(b"\r\n")
        words = first.split(b" ")
        status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        return status, rest.partition(b"\r\n\r\n")[2]

    async def upload(self, outcomes: Outcomes, wait_s: int | None) -> None:
        prefer = f"\r\nPrefer: wait={wait_s}" if wait_s else ""
        head = f"POST /v1/analyses HTTP/1.1\r\nContent-Type: image/jpeg{prefer}"
        body = self.body()
        started = time.perf_counter()
        status, _ = await self.ask(head, body)
        outcomes.add(status, time.perf_counter() - started)

    async def verdicts(self) -> float:
        """Verdicts given so far, by the service's own count."""
        status, text = await self.ask("GET /metrics HTTP/1.1")
        if status != 200:
            sys.exit(f"/metrics answers {status}")
        lines = text.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("bonafide_verdicts_total"))


async def neighbour(sender: Sender, rate: float, seconds: float) -> Outcomes:
    """Uploads of one who asks for little; the times are those to the verdict."""
    outcomes = Outcomes()
    end = time.perf_counter() + seconds
    uploads = []
    while time.perf_counter() < end:
        uploads.append(asyncio.create_task(sender.upload(outcomes, 30)))
        await asyncio.sleep(1 / rate)
    await asyncio.gather(*uploads)
    return outcomes


def beside(name: str, outcomes: Outcomes) -> dict:
    return {
        f"{name}_verdicts": len(outcomes.accepted),
        f"{name}_refused": len(outcomes.refused),
        f"{name}_other": outcomes.other,
        f"{name}_p50_ms": percentile(outcomes.accepted, 0.5),
        f"{name}_p99_ms": percentile(outcomes.accepted, 0.99),
    }


def percentile(times: list[float], share: float) -> float | None:
    """The time in milliseconds that `share` of `times` do not exceed."""
    if not times:
        return None
    ordered = sorted(times)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 1)


def resident_mib(pid: int) -> float | None:
    try:
        with open(f"/proc/{pid}/status") as status:
            line = next(line for line in status if line.startswith("VmRSS:"))
    except (OSError, StopIteration):
        return None
    return round(int(line.split()[1]) / 1024, 1)


async def unloaded(sender: Sender, uploads: int) -> dict:
    waited, taken = Outcomes(), Outcomes()
    for _ in range(uploads):
        await sender.upload(waited, 30)
        await sender.upload(taken, None)
        await asyncio.sleep(0.3)
    return {
        "uploads": uploads,
        "accepted_p50_ms": percentile(taken.accepted, 0.5),
        "accepted_p99_ms": percentile(taken.accepted, 0.99),
        "verdict_p50_ms": percentile(waited.accepted, 0.5),
        "verdict_p99_ms": percentile(waited.accepted, 0.99),
    }


async def capacity(sender: Sender, seconds: float, at_a_time: int) -> float:
    """Verdicts per second while `at_a_time` senders each wait for their verdict before they go on."""
    end = time.perf_counter() + seconds
    outcomes = Outcomes()

    async def one() -> None:
        while time.perf_counter() < end:
            await sender.upload(outcomes, 30)

    before, started = await sender.verdicts(), time.perf_counter()
    await asyncio.gather(*(one() for _ in range(at_a_time)))
    after, took = await sender.verdicts(), time.perf_counter() - started
    return (after - before) / took


async def overload(sender: Sender, rate: float, seconds: float, pid: int) -> tuple[Outcomes, dict]:
    outcomes, memory = Outcomes(), []
    running: set[asyncio.Task] = set()
    before, started = await sender.verdicts(), time.perf_counter()
    for number in itertools.count():
        due = started + number / rate
        if due > started + seconds:
            break
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(sender.upload(outcomes, None))
        running.add(task)
        task.add_done_callback(running.discard)
        if number % max(1, int(rate)) == 0:
            memory.append(resident_mib(pid))
    after, took = await sender.verdicts(), time.perf_counter() - started
    if running:
        await asyncio.wait(running)
    known = [value for value in memory if value is not None]
    return outcomes, {
        "verdicts_per_s": round((after - before) / took, 2),
        "rss_first_mib": known[0] if known else None,
        "rss_middle_mib": known[len(known) // 2] if known else None,
        "rss_max_mib": max(known, default=None),
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="127.0.0.1:8080")
    parser.add_argument("--pid", type=int, required=True, help="process id of the service, for its memory")
    parser.add_argument("--picture", required=True, help="a JPEG")
    parser.add_argument("--seconds", type=float, default=180.0, help="of overload")
    parser.add_argument("--capacity-seconds", type=float, default=30.0)
    parser.add_argument("--times", type=float, default=2.0, help="capacity is exceeded this many times")
    parser.add_argument("--at-a-time", type=int, default=6)
    parser.add_argument("--key", help="with the scopes analyse and admin")
    parser.add_argument("--neighbour-key", help="of another tenant, with the scope analyse")
    arguments = parser.parse_args()
    with open(arguments.picture, "rb") as file:
        picture = file.read()
    sender = Sender(arguments.address, picture, arguments.key)

    quiet = await unloaded(sender, 40)
    print(json.dumps({"phase": "unloaded", **quiet}), flush=True)
    found = await capacity(sender, arguments.capacity_seconds, arguments.at_a_time)
    print(json.dumps({"phase": "capacity", "verdicts_per_s": round(found, 2)}), flush=True)
    rate = found * arguments.times
    flood = overload(sender, rate, arguments.seconds, arguments.pid)
    if arguments.neighbour_key:
        other = Sender(arguments.address, picture, arguments.neighbour_key)
        alone = await neighbour(other, found / 10, arguments.seconds)
        (outcomes, figures), flooded = await asyncio.gather(flood, neighbour(other, found / 10, arguments.seconds))
        found_beside = beside("alone", alone) | beside("beside", flooded)
        print(json.dumps({"phase": "neighbour", **found_beside}), flush=True)
    else:
        outcomes, figures = await flood
    print(
        json.dumps(
            {
                "phase": "overload",
                "seconds": arguments.seconds,
                "sent_per_s": round(rate, 2),
                "accepted": len(outcomes.accepted),
                "refused": len(outcomes.refused),
                "other": outcomes.other,
                **figures,
                "goodput_over_capacity": round(figures["verdicts_per_s"] / found, 3) if found else None,
                "accepted_p50_ms": percentile(outcomes.accepted, 0.5),
                "accepted_p99_ms": percentile(outcomes.accepted, 0.99),
                "refused_p50_ms": percentile(outcomes.refused, 0.5),
                "refused_p99_ms": percentile(outcomes.refused, 0.99),
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run(main())
