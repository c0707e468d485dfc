"""The page about Kafka and compose.yaml, as far as they can be checked without Docker."""

import re
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml

from ocs_adapters.serial import asyncapi
from ocs_adapters.settings import Settings
from ocs_core.messages import PAYLOADS, Family, headers_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "streaming.md").read_text(encoding="utf-8")
COMPOSE: Any = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
KAFKA: dict[str, str] = COMPOSE["services"]["kafka"]["environment"]


def test_the_page_has_every_header_and_no_other() -> None:
    sent = {*asyncapi.PARTICULAR, *(header for code in PAYLOADS for header in headers_of(code))}
    assert {*re.findall(r"^\| `([A-Za-z-]+|ce_\w+)` \|", PAGE, re.MULTILINE)} - {*_variables()} == sent


def test_every_variable_on_the_page_is_a_setting_and_all_of_kafkas_are_there() -> None:
    settings = {f"OCS_{field.name.upper()}" for field in attrs.fields(Settings)}
    assert {*_variables()} <= settings
    assert {name for name in settings if "KAFKA" in name or "TOPIC" in name} <= {*_variables()}


def test_the_page_names_the_topics_as_they_are() -> None:
    assert all(f"`{family.topic}`" in PAGE for family in Family)


def test_the_page_reaches_the_services_where_they_listen() -> None:
    postgres = COMPOSE["services"]["postgres"]["environment"]
    user, password, name = (postgres[f"POSTGRES_{what}"] for what in ("USER", "PASSWORD", "DB"))
    assert f"OCS_DATABASE_URL=postgresql://{user}:{password}@127.0.0.1:5432/{name}\n" in PAGE
    assert "OCS_KAFKA_SERVERS=127.0.0.1:9092\n" in PAGE
    assert KAFKA["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://127.0.0.1:9092"


@pytest.mark.parametrize("service", COMPOSE["services"].values(), ids=COMPOSE["services"])
def test_a_service_is_pinned_is_told_healthy_and_keeps_to_this_machine(service: Any) -> None:
    assert not service["image"].endswith(":latest")
    assert ":" in service["image"]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert all(volume.partition(":")[0] in COMPOSE["volumes"] for volume in service["volumes"])
    assert all(isinstance(value, str) for value in service["environment"].values())


def test_kafka_is_the_version_of_the_contract_tests_and_makes_no_topics_by_itself() -> None:
    pom = (ROOT / "tests" / "contract" / "kafka" / "pom.xml").read_text(encoding="utf-8")
    (version,) = re.findall(r"kafka_2\.13</artifactId>\s*<version>([\d.]+)<", pom)
    assert COMPOSE["services"]["kafka"]["image"] == f"apache/kafka:{version}"
    assert KAFKA["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def _variables() -> list[str]:
    return re.findall(r"OCS_[A-Z_]+", PAGE)
