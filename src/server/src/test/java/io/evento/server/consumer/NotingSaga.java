package io.evento.server.consumer;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.protocol.StepMessage.Input;
import io.evento.server.consumer.operation.Operations;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A saga or observer that notes in its state what it was given, and fails as its test says. */
public final class NotingSaga {
  /** What nodes sent for it, and what it was given: key, and event, outcome or deadline. */
  public final List<CommandMessage.Command> sent = new CopyOnWriteArrayList<>();

  public final List<String> tried = new CopyOnWriteArrayList<>();

  /** What it fails on, and how. */
  public volatile Predicate<Input> poisoned = input -> false;

  public volatile RuntimeException poison = new IllegalStateException("poison");

  /** What a step sends and sets beside what it notes. */
  public volatile Function<Input, StepMessage.Result> decision =
      input -> StepMessage.Result.NOTHING;

  private final ConsumerCluster cluster;

  public NotingSaga(ConsumerCluster cluster) {
    this.cluster = cluster;
  }

  private StepMessage.Result step(Input input, @Nullable Json state) {
    var what =
        input.event() != null
            ? "e" + input.event().position()
            : input.outcome() != null ? "o" : "d";
    tried.add(input.key() + " " + what);
    if (poisoned.test(input)) {
      throw poison;
    }
    var decided = decision.apply(input);
    var before = state == null ? "" : state.text().replace("\"", "") + " ";
    return new StepMessage.Result(
        new Json("\"" + before + what + "\""), false, decided.commands(), decided.deadlines());
  }

  // ---- where it runs

  /** A node whose commands are all done, and noted. */
  public ConsumerNode node(String name) {
    var node = cluster.node(name);
    node.router =
        command -> {
          sent.add(command);
          return CompletableFuture.completedStage(receipt(command));
        };
    return node;
  }

  /** Connects a bundle that hosts it as a saga. */
  public void host(ConsumerNode node, int segments) {
    cluster.opened(new SteppingBundle(node, SteppingBundle.saga(segments), this::step).connect());
  }

  /** Connects a bundle that hosts it as an observer, which has no state. */
  public void observe(ConsumerNode node) {
    cluster.opened(
        new SteppingBundle(
                node,
                SteppingBundle.observer(1),
                (input, state) -> {
                  var decided = step(input, null);
                  return new StepMessage.Result(null, false, decided.commands(), List.of());
                })
            .connect());
  }

  // ---- what it decides

  public static Predicate<Input> of(String key) {
    return input -> input.key().equals(key);
  }

  public static boolean isEvent(Input input, long position) {
    var event = input.event();
    return event != null && event.position() == position;
  }

  /** One command for each event. */
  public static StepMessage.Result greeting(Input input, boolean hear) {
    var event = input.event();
    return event == null
        ? StepMessage.Result.NOTHING
        : new StepMessage.Result(
            null,
            false,
            List.of(
                new StepMessage.Send("Greet", new Json("{\"n\":" + event.position() + "}"), hear)),
            List.of());
  }

  public static Receipt receipt(CommandMessage.Command command) {
    return receipt(command.id());
  }

  public static Receipt receipt(UUID command) {
    return new Receipt(command, null, null, false);
  }

  // ---- what is known of it

  /** What each key has noted. */
  public Map<String, String> states() {
    var found = new TreeMap<String, String>();
    for (var row :
        cluster.texts("select key || '=' || replace(state, '\"', '') from evento.saga_state")) {
      found.put(row.substring(0, row.indexOf('=')), row.substring(row.indexOf('=') + 1));
    }
    return found;
  }

  /** What a key has noted, one by one. */
  public List<String> noted(String key) {
    return List.of(states().getOrDefault(key, "").split(" "));
  }

  /** As a key notes these events. */
  public static String noted(List<Long> positions) {
    return positions.stream().map(position -> "e" + position).collect(Collectors.joining(" "));
  }

  /** Ids of its commands that are not done with. */
  public List<String> commands() {
    return cluster.texts("select id::text from evento.consumer_command");
  }

  public static List<Long> positions(List<RecordedEvent> events, String account) {
    return events.stream()
        .filter(event -> event.aggregate().id().equals(account))
        .map(RecordedEvent::position)
        .toList();
  }

  /** An operator asks something of the whole consumer. */
  public static Operations.Asked asked() {
    return asked(null);
  }

  public static Operations.Asked asked(@Nullable Integer segment) {
    return new Operations.Asked("greeting", 1, segment, "test", null, false);
  }
}
