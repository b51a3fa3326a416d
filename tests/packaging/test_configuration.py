"""Everything under ``config/`` is what it claims to be: read by the programs it is for, and true of ours."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge import metrics
from bridge.config import Settings
from bridge.service import figures, people
from bridge.store.tables import metadata
from bridge.wiring import Bridge

CONFIG = Path(__file__).parents[2] / "config"
UNITS = sorted((CONFIG / "systemd").glob("*.service"))


def run(*command: str | Path, **environ: str) -> str:
    """What the program says. It must be there, and content."""
    assert shutil.which(str(command[0])), f"{command[0]} is missing: make test sets it up"
    path = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp"}
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env=path | environ,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


# --- our own settings ------------------------------------------------------------------------------


def sample() -> dict[str, object]:
    """``bridge.toml`` with every commented setting taken in."""
    text = (CONFIG / "bridge.toml").read_text()
    return tomllib.loads(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))


def test_the_sample_shows_every_setting_that_is_not_for_tests() -> None:
    stand_ins = {"google_issuer", "google_api_url", "microsoft_issuer", "microsoft_api_url"}
    assert {setting.name for setting in fields(Settings)} - stand_ins == sample().keys()


def test_the_sample_is_valid_and_where_it_says_default_it_is_one(tmp_path: Path) -> None:
    examples = tmp_path / "all.toml"
    examples.write_text(
        re.sub(r"^# (\w+ = )", r"\1", (CONFIG / "bridge.toml").read_text(), flags=re.MULTILINE)
    )
    Settings.load(None, str(examples), {})
    default = Settings(data=tmp_path)
    for name in (
        "log_format",
        "log_level",
        "log_requests",
        "traces",
        "poll_seconds",
        "history_days",
        "changes_days",
        "push",
        "worker_threads",
        "server_threads",
        "server_processes",
    ):
        assert sample()[name] == getattr(default, name), name
    assert sample()["max_resource_bytes"] == default.max_resource_bytes
    assert set(sample()["metrics_allow"]) == default.metrics_allow  # type: ignore[call-overload]
    assert Settings.load(str(tmp_path), str(CONFIG / "bridge.toml"), {}) == default


# --- systemd -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_hardened(unit: Path) -> None:
    """Exposure below 2.0 of 10 (the threshold is in tenths)."""
    said = run("systemd-analyze", "security", "--offline=true", "--threshold=19", "--no-pager", unit)
    assert "Overall exposure level" in said


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_understood_as_a_whole(unit: Path, tmp_path: Path) -> None:
    program = tmp_path / "picsello-bridge"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    text = unit.read_text().replace("/opt/picsello-bridge/bin/picsello-bridge", str(program))
    name = unit.name.replace("@.", "@dav.")
    (tmp_path / name).write_text(text)
    said = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", tmp_path / name)
    assert name not in said, said


# --- proxies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Caddyfile", "docker/Caddyfile.fleet"])
def test_caddy_understands_its_sample(name: str, tmp_path: Path) -> None:
    data = {"XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    said = run("caddy", "adapt", "--validate", "--adapter", "caddyfile", "--config", CONFIG / name, **data)
    adapted = next(json.loads(line) for line in said.splitlines() if line.startswith('{"apps"'))
    assert "/.well-known/caldav" in json.dumps(adapted)


def test_nginx_understands_its_sample(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ("-subj", "/CN=calendar.example.com", "-nodes", "-days", "1")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-keyout", key, "-out", certificate, *subject)
    site = (CONFIG / "nginx.conf").read_text()
    site = re.sub(r"/etc/letsencrypt/\S+fullchain\.pem", str(certificate), site)
    site = re.sub(r"/etc/letsencrypt/\S+privkey\.pem", str(key), site)
    site = re.sub(r"listen (\[::\]:)?(\d+)", lambda m: f"listen {m[1] or ''}5{m[2]:0>4}"[:22], site)
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}}\nhttp {{ access_log off;\n"
        + "".join(
            f"{kind}_temp_path {tmp_path}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + site
        + "}\n"
    )
    assert "test is successful" in run("nginx", "-t", "-c", whole, "-p", tmp_path)


# --- containers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["compose.yaml", "compose.fleet.yaml"])
def test_compose_understands_its_sample(name: str) -> None:
    said = run("docker-compose", "-f", CONFIG / "docker" / name, "config", HOST="calendar.example.com")
    services = yaml.safe_load(said)["services"]
    for service, about in services.items():
        if about.get("image") == "picsello-bridge":
            assert about["read_only"], service
            assert about["cap_drop"] == ["ALL"], service
            assert about["build"]["context"] == str(CONFIG.parent), service
        else:
            assert ":" in about["image"], f"{service}: which version?"
            assert service == "caddy" or "ports" not in about, f"{service} is not for the outside"
        for variable in about.get("environment", {}):
            name_of = variable.removeprefix("PICSELLO_BRIDGE_").removesuffix("_FILE").lower()
            if variable.startswith("PICSELLO_BRIDGE_") and variable != "PICSELLO_BRIDGE_KEY_FILE":
                assert name_of in {setting.name for setting in fields(Settings)}, variable


def test_the_image_runs_as_nobody_in_particular_and_takes_only_what_it_needs() -> None:
    stages = re.split(r"^FROM ", (CONFIG / "docker" / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    assert all(re.match(r"python:3\.\d+-slim-\w+", stage) for stage in stages)
    last = stages[-1]
    assert re.search(r"^USER (?!root)\w+", last, re.MULTILINE)
    assert "npm" not in last
    assert re.search(r"^STOPSIGNAL SIGTERM$", last, re.MULTILINE)
    ignored = (CONFIG / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    for kept in ignored[1:]:
        path = CONFIG.parent / kept.removeprefix("!")
        assert not kept.startswith("!") or path.exists() or kept == "!MANIFEST.in", kept


# --- watching -----------------------------------------------------------------------------------------------


def exported(tmp_path: Path) -> set[str]:
    """The names of every series there can be."""
    bridge = Bridge.open(Settings(data=tmp_path))
    people.add_user(bridge, "anna@studio.example", time_zone="UTC")
    metrics.request("dav", "PUT", "201", 0.1)
    metrics.passed("icloud", "done", 0.1, 1, {"pulled": 1})
    metrics.failed("icloud", "RetryLater")
    text = metrics.exported(figures.gauges(bridge)).decode()
    bridge.db.close()
    samples = set(re.findall(r"^(picsello_bridge_\w+)", text, re.MULTILINE))
    return samples | set(re.findall(r"^# TYPE (picsello_bridge_\w+) gauge", text, re.MULTILINE))


def alert_rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((CONFIG / "monitoring" / "alerts.yaml").read_text())[
        "groups"
    ][0]["rules"]
    return found


def expressions() -> list[str]:
    """Everything that the dashboard and the alerts ask."""
    board = json.loads((CONFIG / "monitoring" / "grafana.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return asked + [rule["expr"] for rule in alert_rules()]


def test_dashboard_and_alerts_ask_for_what_there_is(tmp_path: Path) -> None:
    there, asked, rules = exported(tmp_path), expressions(), alert_rules()
    assert len(asked) >= 20
    for expression in asked:
        names = set(re.findall(r"picsello_bridge_\w+", expression))
        assert names <= there, expression
    for rule in rules:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["action"], "every alert says what to do"


def test_what_every_process_says_alike_is_never_added_up(tmp_path: Path) -> None:
    """Figures of the database are the same on every process of a fleet: the sum of ten is ten times too
    much."""
    bridge = Bridge.open(Settings(data=tmp_path / "data"))
    standing = {family.name for family in figures.gauges(bridge)} - {"picsello_bridge_info"}
    bridge.db.close()
    found = 0
    for expression in expressions():
        for gauge in re.finditer(r"(picsello_bridge_\w+)", expression):
            if gauge[1] in standing:
                found += 1
                around = expression[: gauge.start()]
                assert re.search(r"\bmax( by \([\w, ]+\) )?\($", around), expression
    assert found >= 12


def test_the_states_in_the_alerts_are_states_of_ours() -> None:
    source = Path(__file__).parents[2].joinpath("bridge", "store", "tables.py").read_text()
    comment = re.search(r'Column\("state", Text, nullable=False, default="healthy"\),  # (.*)', source)
    assert comment and "account" in metadata.tables
    states = set(comment[1].replace(" ", "").split("|"))
    rules = (CONFIG / "monitoring" / "alerts.yaml").read_text()
    assert set(re.findall(r'state="([\w-]+)"', rules)) <= states
    ages = set(re.findall(r'than="(\d+)"', rules))
    assert ages <= {str(age) for age in figures.AGES}
