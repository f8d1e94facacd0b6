import static com.mesosphere.mesos.rx.java.SinkOperations.sink;
import static com.mesosphere.mesos.rx.java.util.UserAgentEntries.literal;

import com.mesosphere.mesos.rx.java.SinkOperation;
import com.mesosphere.mesos.rx.java.SinkOperations;
import com.mesosphere.mesos.rx.java.protobuf.ProtobufMesosClientBuilder;
import com.mesosphere.mesos.rx.java.protobuf.SchedulerCalls;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.FrameworkInfo;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.Resource;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.apache.mesos.v1.Protos.Value;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import rx.Observable;

/** A framework over mesos-rxjava, in protobuf, with an id of its own: three tasks, then its end. */
public final class RxTasks {
  private static final FrameworkID ID = FrameworkID.newBuilder().setValue("rx-tasks").build();
  private static final int TASKS = 3;
  private static final Set<String> said = new ConcurrentSkipListSet<>();
  private static final Set<String> finished = new ConcurrentSkipListSet<>();
  private static boolean launched;

  public static void main(String... args) throws Throwable {
    FrameworkInfo info =
        FrameworkInfo.newBuilder().setId(ID).setUser("root").setName("rx").setRole("*").build();
    ProtobufMesosClientBuilder.schedulerUsingProtos()
        .mesosUri(URI.create(args[0]))
        .applicationUserAgentEntry(literal("rx-tasks", "1"))
        .subscribe(SchedulerCalls.subscribe(ID, info))
        .processStream(events -> events.flatMap(RxTasks::answer))
        .build()
        .openStream()
        .await();
    // The stream's end may be here before the answer to the call that ended it.
    end();
  }

  private static Observable<Optional<SinkOperation<Call>>> answer(Event event) {
    List<Optional<SinkOperation<Call>>> calls = new ArrayList<>();
    switch (event.getType()) {
      case SUBSCRIBED:
        said.add("subscribed as " + event.getSubscribed().getFrameworkId().getValue());
        break;
      case OFFERS:
        for (Offer offer : event.getOffers().getOffersList())
          calls.add(Optional.of(SinkOperations.create(taken(offer))));
        break;
      case UPDATE:
        TaskStatus status = event.getUpdate().getStatus();
        said.add(status.getTaskId().getValue() + " " + status.getState());
        calls.add(Optional.of(SinkOperations.create(acknowledged(status))));
        if (status.getState().name().equals("TASK_FINISHED"))
          finished.add(status.getTaskId().getValue());
        if (finished.size() == TASKS) calls.add(Optional.of(sink(torn(), RxTasks::end)));
        break;
      default:
        break;
    }
    return Observable.from(calls);
  }

  private static Call taken(Offer offer) {
    if (launched) return SchedulerCalls.decline(ID, List.of(offer.getId()));
    launched = true;
    Offer.Operation.Launch.Builder launch = Offer.Operation.Launch.newBuilder();
    for (int number = 1; number <= TASKS; number++)
      launch.addTaskInfos(task("task-" + number, offer.getAgentId()));
    Offer.Operation operation =
        Offer.Operation.newBuilder().setType(Offer.Operation.Type.LAUNCH).setLaunch(launch).build();
    Call.Accept accept =
        Call.Accept.newBuilder().addOfferIds(offer.getId()).addOperations(operation).build();
    return call(Call.Type.ACCEPT).setAccept(accept).build();
  }

  private static TaskInfo task(String name, AgentID agent) {
    return TaskInfo.newBuilder()
        .setName(name)
        .setTaskId(TaskID.newBuilder().setValue(name))
        .setAgentId(agent)
        .setCommand(CommandInfo.newBuilder().setValue("test -n \"$MESOS_SANDBOX\""))
        .addResources(scalar("cpus", 0.1))
        .addResources(scalar("mem", 32))
        .build();
  }

  private static Resource.Builder scalar(String name, double value) {
    return Resource.newBuilder()
        .setName(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(value));
  }

  private static Call acknowledged(TaskStatus status) {
    return SchedulerCalls.ackUpdate(
        ID, status.getUuid(), status.getAgentId(), status.getTaskId());
  }

  private static Call torn() {
    return call(Call.Type.TEARDOWN).build();
  }

  private static Call.Builder call(Call.Type type) {
    return Call.newBuilder().setFrameworkId(ID).setType(type);
  }

  private static synchronized void end() {
    said.forEach(System.out::println);
    System.exit(0);
  }
}
