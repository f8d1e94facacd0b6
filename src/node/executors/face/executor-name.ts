import type { TaskInfo } from '#mesos/protocol';

/** Of a text longer than this, so much is shown. */
const lengthMax = 15;
const shownMax = 12;

/** What the executor of a command task is called (slave.cpp, getExecutorInfo). */
export function commandExecutorName({ command = {}, task_id }: TaskInfo): string {
  return `Command Executor (Task: ${task_id.value}) (Command: ${
    command.shell === false
      ? argumentsText(command.value, command.arguments)
      : shellText(command.value)
  })`;
}

function shellText(value: string | undefined): string {
  return value === undefined ? 'NO COMMAND' : `sh -c '${shortened(value)}'`;
}

function argumentsText(value: string | undefined, rest: readonly string[] = []): string {
  return value === undefined ? 'NO EXECUTABLE' : `[${shortened(`${value}, ${rest.join(', ')}`)}]`;
}

function shortened(text: string): string {
  return text.length > lengthMax ? `${text.slice(0, shownMax).toWellFormed()}...` : text;
}
