"""What users of Marathon's Python client do in a day; prints a word for each part."""

import collections
import collections.abc
import json
import sys
import threading
import time
from urllib.request import urlopen

# The client was written for Pythons that still had this name.
collections.Iterable = collections.abc.Iterable

from marathon import MarathonApp, MarathonClient
from marathon.exceptions import ConflictError, MarathonHttpError, NotFoundError
from marathon.models.app import MarathonHealthCheck
from marathon.models.constraint import MarathonConstraint
from marathon.models.group import MarathonGroup

url = sys.argv[1]
client = MarathonClient(url)
heard = []


def listen(raw, types):
    for event in MarathonClient(url).event_stream(raw=raw, event_types=types):
        heard.append(json.loads(event)["eventType"] if raw else event)


for how in [(True, None), (False, ["status_update_event", "instance_changed_event"])]:
    threading.Thread(target=listen, args=how, daemon=True).start()


def until(what, check, seconds=30):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "waited for %s: %s" % (what, heard[-5:])
        time.sleep(0.05)


def quiet():
    until("an end of the deployments", lambda: not client.list_deployments())


def refused(kind, status, call, *args, **more):
    try:
        call(*args, **more)
    except MarathonHttpError as error:
        assert isinstance(error, kind) and error.status_code == status, error
        return error
    raise AssertionError("%s was not refused" % call)


def small(cmd="sleep 1000", **more):
    return MarathonApp(cmd=cmd, cpus=0.01, mem=16, **more)


until("the event streams", lambda: "event_stream_attached" in heard)
assert client.ping() == b"pong" or client.ping() == b'"pong"'
info = client.get_info()
assert info.name == "marathon" and info.elected and info.leader, vars(info)
assert client.get_leader()["leader"] == info.leader
assert "gauges" in client.get_metrics()
print("server")

WEB = "/py/web"
check = MarathonHealthCheck(protocol="HTTP", path="/", port_index=0, interval_seconds=1)
web = MarathonApp(
    cmd="exec python3 -m http.server $PORT0",
    cpus=0.05,
    mem=32,
    instances=1,
    health_checks=[check],
    labels={"made": "here"},
    constraints=[MarathonConstraint("hostname", "LIKE", ".*")],
)
created = client.create_app(WEB, web)
assert created.id == WEB and created.instances == 1 and created.deployments, vars(created)
[deployment] = client.list_deployments()
assert deployment.affected_apps == [WEB] and deployment.total_steps == 2, vars(deployment)
until("health", lambda: client.get_app(WEB).tasks_healthy == 1)
quiet()
[endpoint] = client.list_endpoints()
assert urlopen("http://%s:%d/" % (endpoint.host, endpoint.task_port)).status == 200
print("app")

whole = client.get_app(
    WEB,
    embed_tasks=True,
    embed_counts=True,
    embed_deployments=True,
    embed_readiness=True,
    embed_last_task_failure=True,
    embed_failures=True,
)
assert whole.tasks[0].health_check_results[0].alive, whole.tasks
assert whole.constraints[0].operator == "LIKE" and whole.health_checks[0].path == "/"
for more in [{"label": "made==here"}, {"cmd": "http.server"}, {"app_id": "web"}, {"embed_tasks": True}]:
    assert [app.id for app in client.list_apps(**more)] == [WEB], more
assert client.list_apps(label="made==there") == []
assert [task.app_id for task in client.list_tasks()] == [WEB]
print("lists")

client.scale_app(WEB, instances=2)
until("two tasks", lambda: client.get_app(WEB).tasks_healthy == 2)
quiet()
print("scaled")

first = client.list_tasks(WEB)[0]
assert "deploymentId" in client.kill_task(WEB, first.id, scale=True)
quiet()
[other] = client.list_tasks(WEB)
assert other.id != first.id
[killed] = client.kill_tasks(WEB)
assert killed.id == other.id
until("a new task", lambda: client.get_app(WEB).tasks_healthy == 1)
assert client.kill_given_tasks([task.id for task in client.list_tasks(WEB)])
until("a new task", lambda: [t.id for t in client.list_tasks(WEB)] not in ([], [other.id]))
until("its health", lambda: client.get_app(WEB).tasks_healthy == 1)
print("killed")

versions = client.list_versions(WEB)
assert len(versions) == 3 and versions == sorted(versions, reverse=True), versions
assert client.get_version(WEB, versions[-1]).instances == 1
print("versions")

client.update_app(WEB, MarathonApp(env={"X": "1"}))
conflict = refused(ConflictError, 409, client.update_app, WEB, MarathonApp(env={"X": "2"}))
assert "locked" in conflict.error_message, conflict
quiet()
assert client.get_app(WEB).env["X"] == "1"
print("conflict")

client.rollback_app(WEB, versions[-1])
quiet()
assert "X" not in client.get_app(WEB).env
client.restart_app(WEB)
quiet()
client.update_apps([MarathonApp(id=WEB, instances=0), small(id="/py/two")])
quiet()
assert sorted(app.id for app in client.list_apps()) == ["/py/two", WEB]
print("rolled back")


def group(path):
    """A newer Marathon says `enforceRole`, which the client's own groups do not know."""
    return json.load(urlopen("%s/v2/groups%s" % (url, path)))


inner = MarathonGroup(id="sub", apps=[small(id="b")], dependencies=["/g/a"])
client.create_group(MarathonGroup(id="/g", apps=[small(id="a")], groups=[inner]))
quiet()
made = group("/g")
assert made["apps"][0]["id"] == "/g/a" and made["groups"][0]["apps"][0]["id"] == "/g/sub/b", made
print("group")

client.scale_group("/g", 2)
quiet()
assert client.get_app("/g/sub/b").tasks_running == 2
print("group scaled")

client.update_group("/g", MarathonGroup(id="/g", apps=[small("sleep 2000", id="a")]))
quiet()
assert client.get_app("/g/a").cmd == "sleep 2000"
assert len(group("/g/versions")) == 3
print("group updated")

client.create_app("/big", MarathonApp(cmd="sleep 1", cpus=1000, mem=16))
[entry] = json.load(urlopen(url + "/v2/queue"))["queue"]
assert entry["app"]["id"] == "/big" and entry["count"] == 1, entry
client.reset_delay("/big")
[under_way] = client.list_deployments()
client.delete_deployment(under_way.id)
quiet()
refused(NotFoundError, 404, client.get_app, "/big")
print("queue")

refused(NotFoundError, 404, client.list_versions, "/nope")
bad = refused(MarathonHttpError, 422, client.create_app, "/bad", small(instances=-1))
assert bad.error_message == "Invalid JSON" and bad.error_details, bad
refused(ConflictError, 409, client.create_app, WEB, small())
refused(NotFoundError, 404, client.delete_deployment, "nobody")
print("errors")

client.delete_app(WEB)
client.delete_group("/g", force=True)
client.delete_group("/py", force=True)
quiet()
assert client.list_apps() == [] and client.list_tasks() == []
print("gone")

names = {event for event in heard if isinstance(event, str)}
assert names >= {
    "api_post_event",
    "group_change_success",
    "deployment_info",
    "deployment_step_success",
    "deployment_success",
    "deployment_failed",
    "status_update_event",
    "instance_changed_event",
    "instance_health_changed_event",
    "health_status_changed_event",
    "add_health_check_event",
    "app_terminated_event",
}, names
typed = [event for event in heard if not isinstance(event, str)]
states = {event.task_status for event in typed if event.event_type == "status_update_event"}
assert {"TASK_RUNNING", "TASK_KILLED"} <= states, states
print("events")
