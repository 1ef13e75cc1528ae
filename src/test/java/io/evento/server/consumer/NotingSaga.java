package io.evento.server.consumer;

import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Receipt;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Stepping;
import io.evento.protocol.Stepping.Happening;
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
  public final List<Message.Command> sent = new CopyOnWriteArrayList<>();

  public final List<String> tried = new CopyOnWriteArrayList<>();

  /** What it fails on, and how. */
  public volatile Predicate<Happening> poisoned = happening -> false;

  public volatile RuntimeException poison = new IllegalStateException("poison");

  /** What a step sends and sets beside what it notes. */
  public volatile Function<Happening, Stepping.Result> decision =
      happening -> Stepping.Result.NOTHING;

  private final ConsumerCluster cluster;

  public NotingSaga(ConsumerCluster cluster) {
    this.cluster = cluster;
  }

  private Stepping.Result step(Happening happening, @Nullable Json state) {
    var what =
        happening.event() != null
            ? "e" + happening.event().position()
            : happening.outcome() != null ? "o" : "d";
    tried.add(happening.key() + " " + what);
    if (poisoned.test(happening)) {
      throw poison;
    }
    var decided = decision.apply(happening);
    var before = state == null ? "" : state.text().replace("\"", "") + " ";
    return new Stepping.Result(
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
                (happening, state) -> {
                  var decided = step(happening, null);
                  return new Stepping.Result(null, false, decided.commands(), List.of());
                })
            .connect());
  }

  // ---- what it decides

  public static Predicate<Happening> of(String key) {
    return happening -> happening.key().equals(key);
  }

  public static boolean isEvent(Happening happening, long position) {
    var event = happening.event();
    return event != null && event.position() == position;
  }

  /** One command for each event. */
  public static Stepping.Result greeting(Happening happening, boolean hear) {
    var event = happening.event();
    return event == null
        ? Stepping.Result.NOTHING
        : new Stepping.Result(
            null,
            false,
            List.of(new Stepping.Send("Greet", new Json("{\"n\":" + event.position() + "}"), hear)),
            List.of());
  }

  public static Receipt receipt(Message.Command command) {
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
