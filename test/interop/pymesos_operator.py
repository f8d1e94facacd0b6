"""Both operators' APIs with pymesos' drivers; prints a word for each part."""

import sys
import threading
import time
from urllib.request import urlopen

from pymesos import (
    MesosOperatorAgentDriver,
    MesosOperatorMasterDriver,
    MesosSchedulerDriver,
    OperatorMaster,
    Scheduler,
    decode_data,
)

master_at, agent_at = sys.argv[1:3]


def scalar(name, value, **more):
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}, **more}


class Watcher(OperatorMaster):
    def __init__(self):
        self.said = []
        self.heard = threading.Condition()

    def say(self, word):
        with self.heard:
            self.said.append(word)
            self.heard.notify_all()

    def until(self, word):
        with self.heard:
            good = self.heard.wait_for(lambda: word in self.said, 30)
        assert good, "waited for %s, heard %s" % (word, self.said)

    def taskAdded(self, task_info):
        self.say("added %s" % task_info["name"])

    def taskUpdated(self, task_info):
        self.say(task_info["state"])

    def frameworkAdded(self, framework_info):
        assert framework_info["active"] and framework_info["connected"], framework_info
        self.say("framework %s" % framework_info["framework_info"]["name"])

    def frameworkUpdated(self, framework_info):
        self.say("framework updated")

    def frameworkRemoved(self, framework_info):
        self.say("framework gone %s" % framework_info["name"])

    def agentAdded(self, agent_info):
        self.say("agent added")

    def agentRemoved(self, agent_info):
        self.say("agent removed")


def refused(code, call, *args):
    try:
        call(*args)
    except RuntimeError as error:
        assert "code=%d" % code in str(error), error
    else:
        raise AssertionError("%s was not refused" % call)


def both(driver):
    assert driver.getHealth()["get_health"]["healthy"] is True
    flags = {flag["name"]: flag.get("value") for flag in driver.getFlags()["get_flags"]["flags"]}
    assert "port" in flags, flags
    assert driver.getVersion()["get_version"]["version_info"]["version"] == "1.11.0"
    metrics = driver.getMetrics(5_000_000_000)["get_metrics"]["metrics"]
    assert all(isinstance(metric["value"], float) for metric in metrics), metrics
    assert driver.getLoggingLevel()["get_logging_level"]["level"] == 0
    driver.setLoggingLevel(1, 1_000_000_000)
    assert driver.getLoggingLevel()["get_logging_level"]["level"] == 1
    return {metric["name"] for metric in metrics}


def state(driver):
    whole = driver.getState()["get_state"]
    assert {"get_tasks", "get_executors", "get_frameworks"} <= set(whole), whole
    assert "get_frameworks" in driver.getFrameworks()
    assert "get_executors" in driver.getExecutors()
    return driver.getTasks()["get_tasks"]


watcher = Watcher()
master = MesosOperatorMasterDriver(master_at, watcher)
assert "master/uptime_secs" in both(master)
assert state(master).get("tasks", []) == []
print("master")

master.start()
while not master.connected:
    time.sleep(0.01)
framework = MesosSchedulerDriver(Scheduler(), {"user": "root", "name": "seen"}, master_at)
framework.start()
watcher.until("framework seen")
while framework.framework_id is None:
    time.sleep(0.01)
framework.stop()
framework.join()
watcher.until("framework gone seen")
master.stop()
print("events")

[agent_info] = master.getAgents()["get_agents"]["agents"]
agent_id = agent_info["agent_info"]["id"]["value"]
assert agent_info["active"] is True
print("agents")

held = {"type": "DYNAMIC", "role": "kept", "principal": "me"}
disk = scalar("disk", 64, reservations=[held])
volume = {**disk, "disk": {
    "persistence": {"id": "v1", "principal": "me"},
    "volume": {"container_path": "data", "mode": "RW"},
}}
master.reserveResources(agent_id, [disk])
master.createVolumes(agent_id, [volume])
assert "v1" in str(master.getAgents()), master.getAgents()
master.destroyVolumes(agent_id, [volume])
master.unreserveResources(agent_id, [disk])
assert "v1" not in str(master.getAgents())
print("reservations")

master.updateWeights([{"role": "heavy", "weight": 2.5}])
weights = {info["role"]: info["weight"] for info in master.getWeights()["get_weights"]["weight_infos"]}
assert weights["heavy"] == 2.5, weights
assert "heavy" in {role["name"] for role in master.getRoles()["get_roles"]["roles"]}
master.setQuota({"role": "heavy", "guarantee": [scalar("cpus", 0.5)]})
[quota] = master.getQuota()["get_quota"]["status"]["infos"]
assert quota["role"] == "heavy", quota
master.removeQuota("heavy")
assert master.getQuota()["get_quota"]["status"].get("infos", []) == []
print("roles")

machine = {"hostname": "elsewhere", "ip": "10.0.0.9"}
window = {
    "machine_ids": [machine],
    "unavailability": {"start": {"nanoseconds": 4_000_000_000_000_000_000}},
}
master.updateMaintenanceSchedule([window])
schedule = master.getMaintenanceSchedule()["get_maintenance_schedule"]["schedule"]
assert schedule["windows"][0]["machine_ids"] == [machine], schedule
status = master.getMaintenanceStatus()["get_maintenance_status"]["status"]
assert status["draining_machines"][0]["id"] == machine, status
master.startMaintenance([machine])
master.stopMaintenance([machine])
assert master.getMaintenanceSchedule()["get_maintenance_schedule"]["schedule"].get("windows", []) == []
print("maintenance")

log = master.readFile("/master/log", 100, 0)["read_file"]
assert log["size"] > 0 and b'"time"' in decode_data(log["data"]), log
refused(404, master.listFiles, "/nobody")
print("files")

agent = MesosOperatorAgentDriver(agent_at)
assert "slave/uptime_secs" in both(agent)
state(agent)
assert agent.getContainers(show_nested=True)["type"] == "GET_CONTAINERS"
refused(404, agent.waitNestedContainer, "nobody", "noone")
print("agent")

assert urlopen("http://%s/health" % master_at).status == 200
