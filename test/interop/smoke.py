"""What a program with the official client does; prints a word for each step."""

from kubernetes import client, config, watch
from kubernetes.stream import stream

config.load_kube_config()
core = client.CoreV1Api()
space = "default"

core.create_namespaced_config_map(
    space, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="py"), data={"a": "1"})
)
assert "py" in [item.metadata.name for item in core.list_namespaced_config_map(space).items]
print("created")

changed = core.patch_namespaced_config_map("py", space, {"data": {"b": "2"}})
assert changed.data == {"a": "1", "b": "2"}, changed.data
print("patched")

container = client.V1Container(name="main", image="kit:1")
spec = client.V1PodSpec(containers=[container], termination_grace_period_seconds=1)
version = core.list_namespaced_pod(space).metadata.resource_version
core.create_namespaced_pod(space, client.V1Pod(metadata=client.V1ObjectMeta(name="py"), spec=spec))
follower = watch.Watch()
for event in follower.stream(
    core.list_namespaced_pod, space, resource_version=version, timeout_seconds=30
):
    if event["object"].status.phase == "Running":
        follower.stop()
print("running")

words = stream(
    core.connect_get_namespaced_pod_exec,
    "py",
    space,
    command=["echo", "hello"],
    stdin=False,
    stdout=True,
    stderr=True,
    tty=False,
)
print("exec:", words.strip())

version = core.list_namespaced_config_map(space).metadata.resource_version
core.delete_namespaced_config_map("py", space)
for event in follower.stream(
    core.list_namespaced_config_map, space, resource_version=version, timeout_seconds=30
):
    if event["type"] == "DELETED" and event["object"].metadata.name == "py":
        follower.stop()
print("watched")

core.delete_namespaced_pod("py", space)
print("deleted")
