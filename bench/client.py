"""A small HTTP client for benches: keep-alive connections, requests made beforehand, one process of its own."""

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
    port: int, headers: dict[str, str], path: str, body: Callable[[int], dict], clients: int, seconds: float
) -> Result:
    """Post bodies, each used once, from that many clients for so long. Raises `AssertionError` for any answer but a 200."""
    return uvloop.run(_load(port, headers, path, body, clients, seconds))


async def _load(port, headers, path, body, clients, seconds) -> Result:  # type: ignore[no-untyped-def]
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    numbers, times = itertools.count(), []
    end = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            content = json.dumps(body(next(numbers))).encode()
            begin = time.perf_counter()
            writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            text = await reader.readexactly(length)
            assert answer.startswith(b"HTTP/1.1 200"), answer + text
            times.append(time.perf_counter() - begin)
        writer.close()

    begin = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    took = time.perf_counter() - begin
    times.sort()
    return Result(len(times) / took, times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3)
