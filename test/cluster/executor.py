"""A custom executor in plain Python: its tasks are entries of one process. Usage: executor.py FOLDER"""

import base64
import http.client
import json
import os
import sys
import uuid

IDS = {
    "framework_id": {"value": os.environ["MESOS_FRAMEWORK_ID"]},
    "executor_id": {"value": os.environ["MESOS_EXECUTOR_ID"]},
}
JSON = {"Content-Type": "application/json", "Accept": "application/json"}


def call(body):
    agent = http.client.HTTPConnection(os.environ["MESOS_AGENT_ENDPOINT"])
    agent.request("POST", "/api/v1/executor", json.dumps({**IDS, **body}), JSON)
    reply = agent.getresponse()
    if reply.status > 202:
        sys.exit(f"{body['type']}: {reply.status} {reply.read().decode()}")
    return reply


def launch(task):
    name = task["task_id"]["value"]
    with open(os.path.join(sys.argv[1], name), "a") as ran:
        ran.write("ran\n")
    status = {
        "task_id": {"value": name},
        "state": "TASK_RUNNING",
        "source": "SOURCE_EXECUTOR",
        "uuid": base64.b64encode(uuid.uuid4().bytes).decode(),
    }
    call({"type": "UPDATE", "update": {"status": status}}).read()


stream = call({"type": "SUBSCRIBE", "subscribe": {}})
while length := stream.readline():
    event = json.loads(stream.read(int(length)))
    if event["type"] == "LAUNCH":
        launch(event["launch"]["task"])
    if event["type"] == "SHUTDOWN":
        break
