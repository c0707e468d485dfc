"""What a person sees of the demonstration's requests: each as it comes, and answers that can be read."""

import json
import time
from typing import Any

import attrs


@attrs.frozen
class Shown:
    """An application whose JSON answers have a line for each field, and whose requests are printed with how they ended."""

    app: Any

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, held = time.monotonic(), []

        async def shown(message: Any) -> None:
            held.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                start, *bodies = held
                content = b"".join(part.get("body", b"") for part in bodies)
                for each in _readable(start, content):
                    await send(each)
                _tell(scope, start["status"], time.monotonic() - begun)

        await self.app(scope, receive, shown)


def _readable(start: Any, content: bytes) -> tuple[Any, Any]:
    headers = {name.lower(): value for name, value in start["headers"]}
    if headers.get(b"content-type", b"").startswith(b"application/json") and content:
        content = json.dumps(json.loads(content), indent=2, ensure_ascii=False).encode() + b"\n"
        headers[b"content-length"] = str(len(content)).encode()
    kept = [(name, headers.get(name.lower(), value)) for name, value in start["headers"]]
    return {**start, "headers": kept}, {"type": "http.response.body", "body": content}


def _tell(scope: Any, status: int, seconds: float) -> None:
    target = scope["path"] + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
    print(f"{scope['method']} {target}  {status}  {seconds * 1000:.0f} ms", flush=True)
