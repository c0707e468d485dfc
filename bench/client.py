"""A small HTTP client for benches: keep-alive connections, as many requests as are answered or so many a second."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable

import attrs
import uvloop


@attrs.frozen
class Result:
    """Requests a second, and the times of the median and of the slowest hundredth, in milliseconds."""

    per_second: float
    p50: float
    p99: float


def load(
    port: int,
    headers: dict[str, str],
    path: str,
    body: Callable[[int], dict],
    clients: int,
    seconds: float,
    per_second: float | None = None,
) -> Result:
    """Post bodies, each used once, from that many clients for so long: one after the other, or `per_second` of them, where the
    time of each counts from the moment at which it should have been sent.

    Raises `AssertionError` for any answer but a 200.
    """
    return uvloop.run(_load(port, headers, path, body, clients, seconds, per_second))


async def _load(port, headers, path, body, clients, seconds, per_second) -> Result:  # type: ignore[no-untyped-def]
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    numbers, times = itertools.count(), []
    began = time.perf_counter()
    end = began + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (now := time.perf_counter()) < end:
            number = next(numbers)
            content = json.dumps(body(number)).encode()
            sent = began + number / per_second if per_second else now
            if sent > now:
                await asyncio.sleep(sent - now)
            writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            text = await reader.readexactly(length)
            assert answer.startswith(b"HTTP/1.1 200"), answer + text
            times.append(time.perf_counter() - sent)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    took = time.perf_counter() - began
    times.sort()
    return Result(len(times) / took, times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3)
