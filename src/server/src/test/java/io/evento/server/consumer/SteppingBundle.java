package io.evento.server.consumer;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.StepMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** A session of a bundle that hosts a saga which is a function of a test. */
public final class SteppingBundle extends RecordingBundle implements AutoCloseable {
  /** What a saga does; fails by throwing. */
  public interface Saga {
    StepMessage.Result step(StepMessage.Input input, @Nullable Json state);
  }

  private final ConsumerNode node;
  private final Component component;
  private final Saga saga;
  private final ExecutorService worker = Executors.newSingleThreadExecutor();

  public SteppingBundle(ConsumerNode node, Saga saga) {
    this(node, saga(), saga);
  }

  public SteppingBundle(ConsumerNode node, int version, Saga saga) {
    this(node, sagaOfVersion(version), saga);
  }

  public SteppingBundle(ConsumerNode node, Component component, Saga saga) {
    super(UUID.randomUUID());
    this.node = node;
    this.component = component;
    this.saga = saga;
  }

  /** A saga of accounts: its key is in {@code /account} of opened, else the aggregate's id. */
  public static Component saga() {
    return saga(4);
  }

  public static Component saga(int segments) {
    return component("saga", 1, segments, Map.of("MoneyDeposited", ""));
  }

  public static Component sagaOfVersion(int version) {
    return component("saga", version, 4, Map.of("MoneyDeposited", ""));
  }

  public static Component observer(int segments) {
    return component("observer", 1, segments, Map.of());
  }

  private static Component component(
      String kind, int version, int segments, Map<String, String> associations) {
    return new Component(
        ComponentKind.of(kind),
        "greeting",
        version,
        "bank",
        List.of(),
        List.of(),
        List.of(),
        new Consumption(List.of(), List.of("MoneyDeposited"), "beginning", segments, associations),
        null);
  }

  public SteppingBundle connect() {
    connect(node.sessions, component);
    return this;
  }

  @Override
  public boolean send(Message message, Lane lane) {
    super.send(message, lane);
    if (!worker.isShutdown()) {
      worker.execute(() -> take(message));
    }
    return true;
  }

  private void take(Message message) {
    if (message instanceof ConsumerMessage.Enable enabled) {
      node.consumers.credit(session, credit(enabled, 0));
    } else if (message instanceof StepMessage.Steps asked) {
      var decided = decide(asked);
      if (!session.endedUnasked()) {
        node.consumers.stepped(session, decided);
      }
    }
  }

  StepMessage.Stepped decide(StepMessage.Steps asked) {
    var states = new HashMap<String, Json>();
    asked.states().forEach(state -> states.put(state.key(), state.state()));
    var results = new ArrayList<StepMessage.Result>();
    Failure failure = null;
    try {
      for (var input : asked.inputs()) {
        var result = saga.step(input, states.get(input.key()));
        results.add(result);
        if (result.ended()) {
          states.remove(input.key());
        } else if (result.state() != null) {
          states.put(input.key(), result.state());
        }
      }
    } catch (RuntimeException thrown) {
      var code = thrown instanceof EventoException told ? told.code() : ErrorCode.HANDLER_FAILED;
      failure = new Failure(code, thrown.toString(), List.of());
    }
    return new StepMessage.Stepped(
        asked.consumer(), asked.segment(), asked.fence(), asked.batch(), results, failure);
  }

  public static StepMessage.Result to(String state, StepMessage.Send... commands) {
    return new StepMessage.Result(new Json(state), false, List.of(commands), List.of());
  }

  public static StepMessage.Send command(String type, String payload) {
    return new StepMessage.Send(type, new Json(payload), true);
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }
}
