"""A custom Mesos executor in Python's standard library: one process that runs every task in a thread.

Speaks the executor API v1 in JSON. A task's data (base64 in TaskInfo.data) is the seconds it takes.
"""

import base64
import http.client
import json
import os
import threading
import time
import uuid

agent = os.environ["MESOS_AGENT_ENDPOINT"]
names = {
    "framework_id": {"value": os.environ["MESOS_FRAMEWORK_ID"]},
    "executor_id": {"value": os.environ["MESOS_EXECUTOR_ID"]},
}
json_only = {"Content-Type": "application/json", "Accept": "application/json"}
tasks = {}
unacknowledged = {}
lock = threading.Lock()


def call(message):
    connection = http.client.HTTPConnection(agent, timeout=10)
    connection.request("POST", "/api/v1/executor", json.dumps({**names, **message}), json_only)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 202:
        raise OSError(f"{answer.status} {text.decode()}")


def tell(task_id, state, message):
    status = {
        "task_id": {"value": task_id},
        "executor_id": names["executor_id"],
        "state": state,
        "message": message,
        "source": "SOURCE_EXECUTOR",
        "timestamp": time.time(),
        "uuid": base64.b64encode(uuid.uuid4().bytes).decode(),
    }
    with lock:
        unacknowledged[status["uuid"]] = {"status": status}
    try:
        call({"type": "UPDATE", "update": {"status": status}})
    except OSError as error:
        print("kept for later:", error, flush=True)


def run(task):
    task_id = task["task_id"]["value"]
    tell(task_id, "TASK_RUNNING", "")
    time.sleep(float(base64.b64decode(task["data"])))
    if tasks.pop(task_id, None):
        tell(task_id, "TASK_FINISHED", f"in process {os.getpid()}")


def records(stream):
    while True:
        length = b""
        while not length.endswith(b"\n"):
            byte = stream.read(1)
            if byte == b"":
                return
            length += byte
        yield json.loads(stream.read(int(length)))


def heed(event):
    kind = event["type"]
    print(kind, flush=True)
    if kind == "LAUNCH":
        task = event["launch"]["task"]
        tasks[task["task_id"]["value"]] = task
        threading.Thread(target=run, args=(task,), daemon=True).start()
    elif kind == "KILL":
        task_id = event["kill"]["task_id"]["value"]
        if tasks.pop(task_id, None):
            tell(task_id, "TASK_KILLED", "as asked")
    elif kind == "ACKNOWLEDGED":
        with lock:
            unacknowledged.pop(event["acknowledged"]["uuid"], None)
    elif kind == "MESSAGE":
        call({"type": "MESSAGE", "message": event["message"]})
    elif kind == "SHUTDOWN":
        os._exit(0)


while True:
    try:
        with lock:
            subscribe = {
                "unacknowledged_tasks": list(tasks.values()),
                "unacknowledged_updates": list(unacknowledged.values()),
            }
        connection = http.client.HTTPConnection(agent)
        body = {**names, "type": "SUBSCRIBE", "subscribe": subscribe}
        connection.request("POST", "/api/v1/executor", json.dumps(body), json_only)
        answer = connection.getresponse()
        if answer.status == 200:
            for event in records(answer):
                heed(event)
    except (OSError, http.client.HTTPException) as error:
        print("disconnected:", error, flush=True)
    time.sleep(0.2)
