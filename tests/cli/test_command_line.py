"""The command line itself: usage, JSON that is only JSON, secrets, failures without a traceback."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Call


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense",),
        ("user",),
        ("user", "add"),
        ("user", "set", "anna@studio.example", "--on-delete", "explode"),
        ("user", "list", "--jso"),
        ("booking", "add", "anna@studio.example", "--title", "T", "--start", "2027-01-01T10:00"),
        ("booking", "add", "anna@studio.example", "--title", "T", "--start", "x", "--duration", "long"),
        ("account", "remove", "1"),
        ("account", "remove", "1", "--pushed", "maybe"),
        ("account", "calendars", "one"),
        ("source", "set", "anna@studio.example", "moon"),
        ("serve", "--port", "http"),
    ],
)
def test_wrong_usage_is_exit_code_2(call: Call, words: tuple[str, ...]) -> None:
    answer = call(*words)
    assert answer.code == 2
    assert answer.out == ""
    assert "usage: picsello-bridge" in answer.err


@pytest.mark.parametrize("listing", ["user list", "account list", "device list anna@studio.example"])
def test_an_empty_listing_is_an_empty_json_list(call: Call, anna: str, listing: str) -> None:
    if listing == "user list":
        call("user", "remove", anna)
    answer = call(*listing.split(), "--json")
    assert answer.json == []
    assert answer.err == ""


def test_an_empty_listing_says_so_to_people_on_standard_error(call: Call, anna: str) -> None:
    answer = call("account", "list")
    assert (answer.code, answer.out) == (0, "")
    assert "No account" in answer.err


def test_the_data_folder_may_be_named_before_or_after_the_call(call: Call, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    assert call("user", "add", "anna@studio.example", "--data", other).code == 0
    assert call("user", "list", "--json").json == []
    assert len(call("user", "list", "--json", "--data", other).json) == 1


def test_secrets_are_only_taken_from_standard_input(call: Call, anna: str) -> None:
    add = ("account", "add", anna, "caldav", "--url", "https://calendar.example")
    assert "--password-stdin" in call(*add).refusal
    assert "empty" in call(*add, "--password-stdin", stdin="\n").refusal
    assert call(*add, "--password", "secret").code == 2


def test_what_is_kept_is_kept_from_others(call: Call, anna: str, data: Path) -> None:
    password = call("device", "add", anna, "phone").out.strip()
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for file in data.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        assert password.encode() not in file.read_bytes()


def test_the_environment_chooses_data_folder_and_settings(run: Call, tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text('public_url = "https://calendar.example"\n')
    environ = {"PICSELLO_BRIDGE_CONFIG": str(config)}
    assert run("user", "add", "anna@studio.example", environ=environ).code == 0
    made = run("device", "add", "anna@studio.example", "phone", "--json", environ=environ)
    assert made.json["url"] == "https://calendar.example/dav/anna@studio.example/"


def test_a_wrong_setting_is_named_with_its_place(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    for text, said in (
        ("poll_seconds = 1\n", "poll_seconds"),
        ('public_url = "calendar.example"\n', "public_url"),
        ('public_url = "https://calendar.example/bridge"\n', "without a path"),
        ('database_url = "mysql://localhost"\n', "database_url"),
        ("pol_seconds = 60\n", "unknown setting “pol_seconds”"),
        ("data = 5\n", "must be text"),
        ("data = \n", "not valid TOML"),
    ):
        config.write_text(text)
        refusal = call("user", "list", "--config", str(config)).refusal
        assert said in refusal
        assert str(config) in refusal


def test_a_missing_settings_file_is_said(call: Call, tmp_path: Path) -> None:
    assert "cannot be read" in call("user", "list", "--config", str(tmp_path / "none.toml")).refusal


def test_a_data_folder_that_cannot_be_made_is_said(call: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "data folder" in call("user", "list", "--data", str(tmp_path / "file" / "data")).refusal


@pytest.mark.embedded
def test_a_file_that_is_no_database_is_said(call: Call, data: Path) -> None:
    data.mkdir()
    (data / "bridge.sqlite").write_bytes(b"not a database, but a letter to the studio" * 100)
    assert "database" in call("user", "list").refusal


def test_a_bug_is_one_line_and_a_log(
    call: Call, data: Path, anna: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bridge.service import people

    def broken(_bridge: object) -> None:
        raise RuntimeError("an accident")

    monkeypatch.setattr(people, "list_users", broken)
    refusal = call("user", "list").refusal
    log = data / "errors.log"
    assert "RuntimeError" in refusal and str(log) in refusal
    assert "an accident" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_reader_that_leaves_early_is_no_error(run: Call, data: Path) -> None:
    for number in range(3):
        run("user", "add", f"anna{number}@studio.example")
    with subprocess.Popen(
        [sys.executable, "-m", "bridge.cli", "user", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PICSELLO_BRIDGE_DATA": str(data)},
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_short_call_loads_neither_the_pages_nor_the_plugin(run: Call, data: Path) -> None:
    run("user", "add", "anna@studio.example")
    code = "import sys\nfrom bridge.cli import main\nmain(['sync'])\nprint(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PICSELLO_BRIDGE_DATA": str(data)},
        check=True,
    )
    loaded = set(eval(done.stdout))
    assert "bridge.wiring" in loaded
    assert not loaded & {
        "flask",
        "alembic",
        "radicale",
        "huey",
        "caldav",
        "cryptography",
        "argon2",
        "rich",
        "waitress",
    }


def test_json_is_one_value_even_in_a_process_of_its_own(run: Call) -> None:
    answer = run("user", "add", "anna@studio.example", "--json")
    assert json.loads(answer.out)["email"] == "anna@studio.example"
    assert answer.err == ""
