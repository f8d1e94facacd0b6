"""A framework of pymesos as its users write one; prints a word for each thing that happened."""

import sys
import threading
from os.path import abspath, dirname, join

from addict import Dict
from pymesos import MesosSchedulerDriver, Scheduler, decode_data, encode_data

master = sys.argv[1]
TASKS = ["a", "b", "c"]


def scalar(name, value):
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}}


def executor():
    info = Dict()
    info.executor_id.value = "holder"
    info.command.value = "exec '%s' '%s'" % (
        sys.executable,
        join(dirname(abspath(__file__)), "pymesos_executor.py"),
    )
    info.resources = [scalar("cpus", 0.1), scalar("mem", 64)]
    return info


class Framework(Scheduler):
    def __init__(self):
        self.said = []
        self.heard = threading.Condition()
        self.offer = None
        self.agent = None

    def say(self, word):
        with self.heard:
            self.said.append(word)
            self.heard.notify_all()

    def until(self, *words):
        with self.heard:
            good = self.heard.wait_for(lambda: all(w in self.said for w in words), 30)
        assert good, "waited for %s, heard %s" % (words, self.said)

    def registered(self, driver, framework_id, master_info):
        assert master_info.version == driver.version, master_info
        self.say("registered")

    def reregistered(self, driver, master_info):
        self.say("reregistered")

    def disconnected(self, driver):
        self.say("disconnected")

    def resourceOffers(self, driver, offers):
        for offer in offers:
            if self.offer is not None:
                driver.declineOffer(offer.id, {"refuse_seconds": 1})
                continue
            self.offer = offer
            self.agent = offer.agent_id
            self.say("offer")

    def offerRescinded(self, driver, offer_id):
        self.say("rescinded")

    def statusUpdate(self, driver, update):
        word = "%s %s" % (update.task_id.value, update.state)
        if update.reason == "REASON_RECONCILIATION":
            word += " reconciled"
        if update.data:
            data = decode_data(update.data).decode()
            self.say("data " + data.split(" of ")[0])
            self.say("executor " + data.split(" of ")[1])
        self.say(word)

    def frameworkMessage(self, driver, executor_id, agent_id, message):
        assert executor_id.value == "holder" and agent_id == self.agent
        self.say("message " + decode_data(message).decode())

    def executorLost(self, driver, executor_id, agent_id, code):
        self.say("executor lost %s" % executor_id.value)

    def error(self, driver, message):
        self.say("error " + message)


def task(name, agent_id):
    info = Dict()
    info.task_id.value = name
    info.name = "task " + name
    info.agent_id = agent_id
    info.executor = executor()
    info.data = encode_data(name.encode())
    info.resources = [scalar("cpus", 0.1), scalar("mem", 32)]
    return info


framework = Framework()
driver = MesosSchedulerDriver(
    framework,
    {"user": "root", "name": "pymesos", "hostname": "here", "checkpoint": True},
    master,
    use_addict=True,
)
driver.start()
framework.until("registered", "offer")
offered = {resource.name for resource in framework.offer.resources}
assert offered == {"cpus", "mem", "disk", "ports"}, offered
driver.suppressOffers()
driver.launchTasks(framework.offer.id, [task(name, framework.agent) for name in TASKS])
framework.until(*["%s TASK_RUNNING" % name for name in TASKS])
pids = {word for word in framework.said if word.startswith("executor ")}
assert len(pids) == 1, "tasks ran in several processes: %s" % pids

driver.reconcileTasks([{"task_id": {"value": "a"}}, {"task_id": {"value": "nobody"}}])
framework.until("a TASK_RUNNING reconciled", "nobody TASK_LOST reconciled")

driver.sendFrameworkMessage({"value": "holder"}, framework.agent, encode_data(b"a"))
framework.until("message finishing a", "a TASK_FINISHED")
driver.killTask({"value": "b"})
framework.until("b TASK_KILLED")

driver.change_master("localhost:" + master.split(":")[1])
framework.until("disconnected", "reregistered")
framework.offer = None
driver.reviveOffers()
with framework.heard:
    assert framework.heard.wait_for(lambda: framework.offer is not None, 30)
driver.acceptOffers(
    framework.offer.id,
    [{"type": "LAUNCH", "launch": {"task_infos": [{**task("d", framework.agent)}]}}],
    {"refuse_seconds": 1},
)
framework.until("d TASK_RUNNING")
driver.suppressOffers()
driver.killTask({"value": "c"})
framework.until("c TASK_KILLED")
driver.stop()
driver.join()
ignored = ("executor ", "disconnected", "rescinded", "offer")
print("\n".join(sorted(w for w in framework.said if not w.startswith(ignored))))
