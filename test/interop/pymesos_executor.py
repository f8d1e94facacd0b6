"""An executor of pymesos: holds all its tasks in one process until it is told what becomes of them."""

import os
from threading import Thread

from addict import Dict
from pymesos import Executor, MesosExecutorDriver, decode_data, encode_data


def status(task_id, state, **more):
    update = Dict(more)
    update.task_id.value = task_id
    update.state = state
    return update


class Holder(Executor):
    def registered(self, driver, executor_info, framework_info, agent_info):
        assert executor_info.executor_id.value == "holder", executor_info
        assert framework_info.name == "pymesos", framework_info
        assert agent_info.id.value, agent_info

    def launchTask(self, driver, task):
        word = decode_data(task.data)
        data = encode_data(b"%s of %d" % (word, os.getpid()))
        driver.sendStatusUpdate(status(task.task_id.value, "TASK_RUNNING", data=data))

    def killTask(self, driver, task_id):
        driver.sendStatusUpdate(status(task_id.value, "TASK_KILLED"))

    def frameworkMessage(self, driver, message):
        task_id = decode_data(message).decode()
        driver.sendFrameworkMessage(encode_data(b"finishing " + task_id.encode()))
        driver.sendStatusUpdate(status(task_id, "TASK_FINISHED", message="as asked"))

    def shutdown(self, driver):
        print("shut down", flush=True)


if __name__ == "__main__":
    runner = Thread(target=MesosExecutorDriver(Holder(), use_addict=True).run)
    runner.start()
    runner.join()
