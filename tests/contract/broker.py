"""A private Apache Kafka for tests: one node of its own on free ports, gone afterwards."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs

from tests.contract.maven import jars_of

POM = Path(__file__).parent / "kafka" / "pom.xml"
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
USER, PASSWORD = "ocs", "correct-horse"
"""Whom the broker knows where it asks for a name."""
CLUSTER = "b2NzLXJtLWNsdXN0ZXIwMQ"
START_SECONDS = 90
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""For Java: start in half the time, and be slower later."""
STOP_SECONDS = 30
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://{host}:{port},SASL://127.0.0.1:{sasl},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://{host}:{port},SASL://127.0.0.1:{sasl}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config={login} required user_{user}="{password}";
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""


@attrs.define
class Broker:
    """A running broker that keeps its data and its address when it is killed and started again."""

    folder: Path
    libs: Path
    port: int
    sasl: int
    host: str = "127.0.0.1"
    options: tuple[str, ...] = ()
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def server(self) -> str:
        """`HOST:PORT`"""
        return f"{self.host}:{self.port}"

    @property
    def sasl_server(self) -> str:
        """The same of the listener that asks for a name and a password, with SASL/PLAIN."""
        return f"127.0.0.1:{self.sasl}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with (self.folder / "log").open("ab") as log:
            command = [*_java(self.libs, "-Xmx512m", *self.options), "kafka.Kafka", self.folder / "server.properties"]
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        ends = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()[-4000:]
            assert time.monotonic() < ends, "the broker does not start"
            time.sleep(0.1)

    def kill(self) -> None:
        """As a machine dies."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True


@contextmanager
def broker(host: str = "127.0.0.1", *, measured: bool = False) -> Iterator[Broker]:
    """Start a broker, and stop it at the end; `host`: the address at which it is reached. One that is `measured` takes longer to
    start, since Java compiles it as well as it can."""
    libs = jars_of(POM, "kafka-3.9.1")
    folder = Path(tempfile.mkdtemp(prefix="ocs-kafka-"))
    port, sasl, controller = _free_ports(3)
    properties = folder / "server.properties"
    told = {"port": port, "sasl": sasl, "controller": controller, "folder": folder, "host": host}
    properties.write_text(PROPERTIES.format(**told, login=LOGIN, user=USER, password=PASSWORD))
    format_disk = [*_java(libs, *QUICK), "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", properties]
    subprocess.run(format_disk, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made = Broker(folder, libs, port, sasl, host, () if measured else QUICK)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _java(libs: Path, *options: str) -> list[str]:
    return ["java", *options, "-cp", f"{libs}/*"]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        return [held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]
