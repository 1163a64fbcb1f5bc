"""Processes that are started, measured and ended; ports; tables. Knows nothing of what is measured."""

import os
import pathlib
import signal
import socket
import statistics
import struct
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BENCHES = ROOT / "benches"
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.child.poll() is not None:
            raise RuntimeError(f"{process.name} ended early, see {process.log}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{process.name} does not listen, see {process.log}")


class Process:
    """A child with its log; ended with the `with` block, and nobody else's."""

    def __init__(self, name, command, folder, stdin=None, stdout=None):
        self.name, self.log = name, folder / f"{name}.log"
        with open(self.log, "a") as log:
            self.child = subprocess.Popen(
                [str(word) for word in command], stdout=stdout or log, stderr=log, stdin=stdin, cwd=folder, text=True
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.child.wait()

    def cpu_s(self):
        """User and system time so far, of all threads."""
        with open(f"/proc/{self.child.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def rss_mb(self):
        with open(f"/proc/{self.child.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


class Observer:
    """Subscribes (QoS 0) and counts what comes by topic."""

    def __init__(self, port, name="observer", filters=("out/#",)):
        self.stream = socket.create_connection(("127.0.0.1", port))
        body = b"\0\4MQTT\4\2\0\0" + struct.pack(">H", len(name)) + name.encode()
        self.stream.sendall(bytes([0x10, len(body)]) + body)
        self.stream.recv(4)
        for topic in filters:
            body = b"\0\1" + struct.pack(">H", len(topic)) + topic.encode() + b"\0"
            self.stream.sendall(bytes([0x82, len(body)]) + body)
            self.stream.recv(5)
        self.counts, self.rest = {}, b""

    def hear(self, seconds):
        """Takes what comes; false when nothing came for so long."""
        self.stream.settimeout(seconds)
        try:
            got = self.stream.recv(1 << 16)
        except TimeoutError:
            return False
        if not got:
            raise RuntimeError("the broker hung up on the observer")
        self.rest += got
        while (length := self._packet_length()) is not None:
            head = 2 if self.rest[1] < 128 else 3 if self.rest[2] < 128 else 4
            if self.rest[0] & 0xF0 == 0x30:
                size = struct.unpack(">H", self.rest[head : head + 2])[0]
                topic = self.rest[head + 2 : head + 2 + size].decode()
                self.counts[topic] = self.counts.get(topic, 0) + 1
            self.rest = self.rest[length:]
        return True

    def _packet_length(self):
        length, shift = 0, 0
        for at in range(1, min(len(self.rest), 5)):
            length |= (self.rest[at] & 127) << shift
            shift += 7
            if self.rest[at] < 128:
                return at + 1 + length if len(self.rest) >= at + 1 + length else None
        return None

    def close(self):
        self.stream.close()


def start_mosquitto(folder):
    port = free_port()
    conf = folder / "mosquitto.conf"
    conf.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_inflight_messages 1000\n"
        "max_queued_messages 0\nset_tcp_nodelay true\nlog_type error\n"
    )
    broker = Process("mosquitto", ["mosquitto", "-c", conf], folder)
    wait_for_port(port, broker)
    return broker, port


def start_gateway(folder, configuration, port, binary=None):
    file = folder / "outpost.toml"
    file.write_text(configuration)
    gateway = Process("outpost", [binary or target("outpost"), "run", "-c", file], folder)
    wait_for_port(port, gateway)
    return gateway


def metrics(port):
    """Sums over labels, by name."""
    sums = {}
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            name = series.split("{")[0]
            sums[name] = sums.get(name, 0.0) + float(value)
    return sums


def target(name):
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / name


def load():
    return os.getloadavg()[0]


def spread(values, digits=2):
    """`median (min–max)`"""
    values = list(values)
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def table(head, rows):
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in [head, *rows]]
    lines.insert(1, "|" + "---|" * len(head))
    return "\n".join(lines)
