"""Clients that others generate of the OpenAPI document compile, and work against the server: Java's, and two for TypeScript."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocs_http import openapi
from tests.contract.http.served import KEY, served
from tests.contract.maven import jars_of, once
from tests.programs import needed

HERE = Path(__file__).parent / "clients"
GENERATOR = "org.openapitools:openapi-generator-cli:7.17.0:jar"
PATIENCE_SECONDS = 300


def run(command: list[str | Path], folder: Path) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert ran.returncode == 0, f"{command[:4]}:\n{ran.stdout[-4000:]}\n{ran.stderr[-4000:]}"
    return ran.stdout


def generated(language: str, folder: Path) -> Path:
    """What openapi-generator makes of the document, with no options but the language."""

    def fetch(into: Path) -> None:
        run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={GENERATOR}", f"-DoutputDirectory={into}"], HERE)

    (jar,) = once("openapi-generator-7.17.0", fetch).glob("*.jar")
    document = folder / "openapi.json"
    document.write_text(openapi.as_text(), encoding="utf-8")
    run(["java", "-jar", jar, "generate", "-g", language, "-i", document, "-o", folder / "generated"], folder)
    return folder / "generated"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Where a server is, and who may call it: what the programs are told."""
    with served(tmp_path_factory.mktemp("served")) as running:
        yield [f"http://127.0.0.1:{running.port}", KEY, "crm"]


@pytest.fixture(scope="module")
def modules() -> Path:
    """What the TypeScript clients need, from npm."""
    needed("npm")

    def fetch(into: Path) -> None:
        into.mkdir()
        shutil.copy(HERE / "package.json", into)
        run(["npm", "install", "--silent", "--no-package-lock", "--no-audit", "--no-fund"], into)

    return once(f"npm-{hash_of(HERE / 'package.json')}", fetch)


def hash_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def test_javas_client_registers_is_refused_searches_page_by_page_and_survives_a_new_property(
    server: list[str], tmp_path: Path
) -> None:
    needed("javac", "default-jdk-headless")
    client = generated("java", tmp_path)
    libraries = jars_of(HERE / "pom.xml", f"java-client-{hash_of(HERE / 'pom.xml')}")
    sources = [HERE / "Shop.java", *(client / "src/main/java").rglob("*.java")]
    run(["javac", "-nowarn", "-cp", f"{libraries}/*", "-d", tmp_path / "classes", *sources], tmp_path)
    told = run(["java", "-cp", f"{tmp_path / 'classes'}:{libraries}/*", "Shop", *server], tmp_path)
    assert told.strip() == "5 payments, 1 refusal, 3 pages"


def test_typescripts_client_registers_is_refused_and_searches_page_by_page(
    server: list[str], modules: Path, tmp_path: Path
) -> None:
    shutil.copytree(generated("typescript-fetch", tmp_path), tmp_path / "client" / "generated")
    told = compiled_and_run("shop.ts", tmp_path / "client", modules, server)
    assert told.strip() == "5 payments, 1 refusal, 3 pages"


def test_typescripts_types_with_a_lossless_reader_keep_every_digit(
    server: list[str], modules: Path, tmp_path: Path
) -> None:
    document = tmp_path / "openapi.json"
    document.write_text(openapi.as_text(), encoding="utf-8")
    run([modules / "node_modules/.bin/openapi-typescript", document, "-o", tmp_path / "api.d.ts"], tmp_path)
    told = compiled_and_run("lossless.ts", tmp_path, modules, server)
    assert told.strip() == "kept 9223372036854770000"


def compiled_and_run(program: str, folder: Path, modules: Path, server: list[str]) -> str:
    for file in (program, "tsconfig.json", "package.json"):
        shutil.copy(HERE / file, folder)
    (folder / "node_modules").symlink_to(modules / "node_modules")
    run([folder / "node_modules/.bin/tsc", "-p", folder], folder)
    return run(["node", folder / "compiled" / program.replace(".ts", ".js"), *server], folder)
