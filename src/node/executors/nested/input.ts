import { CallRejected } from '#mesos/protocol';
import type { AgentCall, AgentCallAttachContainerInput, AgentProcessIO } from '#mesos/protocol';
import type { Process } from '#node/runtime';

/**
 * Puts what comes into a container's input, in the words and order of the reference
 * (containerizer/mesos/io/switchboard.cpp). Ends with the records, or with the container.
 */
export async function feed(
  process: Process,
  calls: AsyncIterable<AgentCall>,
  of: { readonly tty: boolean },
): Promise<void> {
  let closed = false;
  for await (const call of calls) {
    const input = call.attach_container_input;
    const problem = input === undefined ? 'is missing' : inputProblem(input);
    if (problem !== undefined) throw new CallRejected(400, problem);
    const io = input?.process_io;
    if (io?.type === 'CONTROL') await resize(process, io, of.tty);
    if (io?.type !== 'DATA' || closed) continue;
    const data = Buffer.from(io.data?.data ?? '', 'base64');
    if (data.length > 0) {
      // What a process that closed its input is sent is lost, as in any pipe.
      if (process.stdin?.write(data) === false) await process.stdin.drained();
    } else if (!of.tty) {
      // With a terminal the client sends the character for the end of a transmission instead.
      process.stdin?.end();
      closed = true;
    }
  }
}

async function resize(process: Process, { control }: AgentProcessIO, tty: boolean): Promise<void> {
  const size = control?.tty_info?.window_size;
  if (control?.type !== 'TTY_INFO' || size === undefined) return;
  if (!tty)
    throw new CallRejected(400, 'Unable to set the window size: Inappropriate ioctl for device');
  await process.resize(size.columns, size.rows);
}

function inputProblem({ type, process_io: io }: AgentCallAttachContainerInput): string | undefined {
  if (type !== 'PROCESS_IO') return "Expecting 'attach_container_input.type' to be 'PROCESS_IO'";
  if (io === undefined) return "Expecting 'attach_container_input.process_io' to be present";
  if (io.type === undefined) return "Expecting 'process_io.type' to be present";
  if (io.type === 'CONTROL') return controlProblem(io);
  return io.type === 'DATA' ? dataProblem(io) : "'process_io.type' is unknown";
}

function controlProblem({ control }: AgentProcessIO): string | undefined {
  if (control === undefined) return "Expecting 'process_io.control' to be present";
  if (control.type === undefined) return "Expecting 'process_io.control.type' to be present";
  if (control.type === 'TTY_INFO') {
    if (control.tty_info === undefined)
      return "Expecting 'process_io.control.tty_info' to be present";
    if (control.tty_info.window_size === undefined)
      return "Expecting 'tty_info.window_size' to be present";
    return undefined;
  }
  if (control.type !== 'HEARTBEAT') return "'process_io.control.type' is unknown";
  return control.heartbeat === undefined
    ? "Expecting 'process_io.control.heartbeat' to be present"
    : undefined;
}

function dataProblem({ data }: AgentProcessIO): string | undefined {
  if (data === undefined) return "Expecting 'process_io.data' to be present";
  if (data.type === undefined) return "Expecting 'process_io.data.type' to be present";
  if (data.type !== 'STDIN') return "Expecting 'process_io.data.type' to be 'STDIN'";
  return data.data === undefined ? "Expecting 'process_io.data.data' to be present" : undefined;
}
