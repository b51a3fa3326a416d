"""Evolution's data server asked by lines of JSON: run with Debian's Python in a D-Bus session of its own.

Arguments: host, port, path of the calendar, user. The first line of standard input is the password, every
other one ``[word, argument]``: ``list`` (after looking for news), ``add`` and ``change`` (a VEVENT),
``remove`` (a UID). Each is answered by one line: summaries by UID for ``list``, else null.
"""

import json
import sys
import time
from typing import Any

import gi

gi.require_version("ECal", "2.0")
gi.require_version("EDataServer", "1.2")
from gi.repository import ECal, EDataServer, GLib, ICalGLib  # noqa: E402

CONNECTED = EDataServer.SourceConnectionStatus.CONNECTED
WAITING = EDataServer.SourceConnectionStatus.AWAITING_CREDENTIALS
NO_FLAGS = ECal.OperationFlags.NONE
ALL = ECal.ObjModType.ALL


def until(source: Any, status: Any) -> None:
    """Signals come only while the main loop turns."""
    deadline = time.monotonic() + 30
    while source.get_connection_status() != status:
        if time.monotonic() > deadline:
            raise SystemExit(f"Evolution stays {source.get_connection_status()}")
        GLib.MainContext.default().iteration(False)
        time.sleep(0.01)


def connected(host: str, port: str, path: str, user: str, password: str) -> Any:
    registry = EDataServer.SourceRegistry.new_sync(None)
    source = EDataServer.Source.new_with_uid("studio", None)
    source.set_display_name("Studio")
    source.set_parent("caldav-stub")
    source.get_extension("Calendar").set_backend_name("caldav")
    signing_in = source.get_extension("Authentication")
    signing_in.set_host(host)
    signing_in.set_port(int(port))
    signing_in.set_user(user)
    signing_in.set_method("plain/password")
    source.get_extension("WebDAV Backend").set_resource_path(path)
    source.get_extension("Security").set_method("none")
    registry.commit_source_sync(source, None)
    source = registry.ref_source("studio")
    client = ECal.Client.connect_sync(source, ECal.ClientSourceType.EVENTS, 0xFFFFFFFF, None)
    until(source, WAITING)
    credentials = EDataServer.NamedParameters.new()
    credentials.set("username", user)
    credentials.set("password", password)
    source.invoke_authenticate_sync(credentials, None)
    until(source, CONNECTED)
    return client


def answer(client: Any, word: str, argument: str) -> Any:
    if word == "list":
        client.refresh_sync(None)
        _, found = client.get_object_list_sync("#t", None)
        return {component.get_uid(): component.get_summary() for component in found}
    if word == "remove":
        client.remove_object_sync(argument, None, ALL, NO_FLAGS, None)
        return None
    component = ICalGLib.Component.new_from_string(argument)
    if word == "add":
        client.create_object_sync(component, NO_FLAGS, None)
    else:
        client.modify_object_sync(component, ALL, NO_FLAGS, None)
    return None


def main() -> None:
    client = connected(*sys.argv[1:5], sys.stdin.readline().strip())
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(client, *json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
