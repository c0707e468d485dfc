"""The OpenAPI document, and a page to read and try it; every asset is served from here, nothing from elsewhere."""

import json
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect
from swagger_ui_bundle import swagger_ui_path  # type: ignore[import-untyped]

from ocs_http.auth import PUBLIC
from ocs_http.openapi import as_text, document

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>OCS revenue management: API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="viewer"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/viewer.js"></script>
</body>
</html>
"""
SCRIPT = """\
SwaggerUIBundle({url: "/docs/openapi-3.0.json", dom_id: "#viewer", deepLinking: true, validatorUrl: null});
"""
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
_FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}


def as_3_0(value: Any) -> Any:
    """The document as the bundled viewer understands it, which knows OpenAPI 3.0 only."""
    if isinstance(value, list):
        return [as_3_0(item) for item in value]
    if not isinstance(value, dict):
        return value
    if {"type": "null"} in (kinds := value.get("anyOf", [])):
        rest = {key: inner for key, inner in value.items() if key != "anyOf"}
        return {**rest, "nullable": True, "allOf": [as_3_0(kind) for kind in kinds if kind != {"type": "null"}]}
    plain = {key: as_3_0(inner) for key, inner in value.items()}
    match plain.get("type"):
        case [kind, "null"]:
            plain |= {"type": kind, "nullable": True}
    if isinstance(plain.get("examples"), list):
        plain["example"] = plain.pop("examples")[0]
    return plain


def viewer_handlers() -> list[HTTPRouteHandler]:
    """The document's route and the viewer's."""
    openapi = as_text().encode()
    files = {name: ((swagger_ui_path / name).read_bytes(), media_type) for name, media_type in _FILES.items()}
    files["viewer.js"] = (SCRIPT.encode(), "text/javascript")
    files["openapi-3.0.json"] = (_viewed(), "application/json")

    @get("/openapi.json", name="OpenApi", opt=PUBLIC)
    async def openapi_document() -> Response[bytes]:
        return Response(openapi, media_type="application/json")

    @get("/", name="Root", opt=PUBLIC)
    async def root() -> Redirect:
        return Redirect("/docs")

    @get("/docs", name="Viewer", opt=PUBLIC)
    async def viewer() -> Response[str]:
        return Response(PAGE, media_type="text/html", headers={"Content-Security-Policy": POLICY})

    @get("/docs/{name:str}", name="ViewerFile", opt=PUBLIC)
    async def viewer_file(request: Request[Any, Any, Any]) -> Response[bytes]:
        found = files.get(request.scope["path_params"]["name"])
        if found is None:
            raise NotFoundException
        return Response(found[0], media_type=found[1], headers={"Cache-Control": "max-age=3600"})

    return [openapi_document, root, viewer, viewer_file]


def _viewed() -> bytes:
    return json.dumps(as_3_0({**document(), "openapi": "3.0.3"})).encode()
