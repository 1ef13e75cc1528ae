package io.evento.server.aggregate;

import io.evento.protocol.DecideMessage.Aggregate;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.History;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.DecideMessage.Snapshot;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Tip;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.read.SnapshotTable;
import io.evento.server.eventstore.read.StreamReader;
import io.evento.server.routing.Failures;
import io.evento.server.routing.command.CommandHandlers;
import io.evento.server.routing.command.CommandHandlers.Host;
import io.evento.server.routing.command.DecisionNumbers;
import io.evento.server.routing.session.SnapshotRule;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The state that an aggregate had at a version, as its own handlers of events make it. A bundle
 * that hosts it is told the history up to there as the first leg of a longer one ({@link
 * History#partial}): then it decides nothing, keeps nothing, and answers with the state. So no
 * message of its own is needed, and releases that know long histories know this.
 *
 * <p>What is personal in a state comes encrypted, as it does in a snapshot.
 */
@NodeScoped
public class PastStates {
  private static final int PART_EVENTS = 500;
  private static final int PART_BYTES = 256 << 10;

  /** Beside what a session takes for commands, a leg is small. */
  private static final int LEG_PARTS = 8;

  /** What a person looks at must not keep a bundle from its work. */
  private static final long EVENTS_MAX = 100_000;

  /** So many instances are asked at most, one after another. */
  private static final int HOSTS_MAX = 3;

  private static final int LEG_MILLIS = 10_000;

  /** For all instances that are asked together. */
  private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final StreamReader reader;
  private final SnapshotTable snapshots;
  private final CommandHandlers commandHandlers;
  private final ExecutorService readers;

  @Inject
  public PastStates(
      StreamReader reader,
      SnapshotTable snapshots,
      CommandHandlers commandHandlers,
      Threads threads) {
    this.reader = reader;
    this.snapshots = snapshots;
    this.commandHandlers = commandHandlers;
    readers = threads.pool("past-states", 2, 100);
  }

  /**
   * @param state JSON; null where no event has made one
   * @param instance of the bundle that made it
   * @param events how many were applied for it
   */
  public record Past(long version, Json state, UUID instance, long events) {}

  /**
   * Asks for a state, of whichever instance hosts the aggregate: the one that decides on this
   * stream has its own work. Blocks nobody.
   *
   * @param commands that the aggregate decides: by those that are hosted, its hosts are known
   * @param version 1 and up
   * @return fails with {@code no-handler} if nobody hosts one of them, with {@code handler-failed}
   *     if its handlers cannot apply an event, or its state cannot be written, with {@code
   *     deadline-exceeded} after half a minute, whoever was asked; where none of several could, as
   *     the last one did
   */
  public CompletionStage<Past> at(Aggregate aggregate, List<String> commands, long version) {
    var ask =
        new Ask(
            aggregate,
            List.copyOf(commands),
            version,
            System.nanoTime() + DEADLINE_NANOS,
            Work::begin);
    return ask(ask, Set.of(), commandHandlers.nobodyOf(aggregate.type()));
  }

  /**
   * The same made of all events from the first one on, whatever snapshot is kept.
   *
   * @param schema of the wanted state: a host whose states have another one is not asked
   * @param within after so long no further leg is told
   * @return fails as {@link #at} does, with {@code no-handler} also where no host has that schema
   */
  public CompletionStage<Past> replay(
      Aggregate aggregate, String command, long version, String schema, Duration within) {
    var ask =
        new Ask(
            aggregate,
            List.of(command),
            version,
            System.nanoTime() + within.toNanos(),
            work -> work.replay(schema));
    return ask(ask, Set.of(), commandHandlers.nobody(command));
  }

  /**
   * @param endsAt by {@link System#nanoTime}
   * @param begin how its first leg is told
   */
  private record Ask(
      Aggregate aggregate,
      List<String> commands,
      long version,
      long endsAt,
      Function<Work, CompletionStage<Past>> begin) {
    /** 0 and less when it is over. */
    long millisLeft() {
      return TimeUnit.NANOSECONDS.toMillis(endsAt - System.nanoTime());
    }
  }

  /**
   * @param last why those before failed, or what is said where there is nobody
   */
  private CompletionStage<Past> ask(Ask ask, Set<Host> without, Throwable last) {
    var any = UUID.randomUUID().toString();
    for (var command : ask.commands) {
      var host = commandHandlers.choose(command, any, without).orElse(null);
      if (host != null) {
        return Threads.supply(() -> ask.begin.apply(new Work(ask, command, host)), readers)
            .thenCompose(past -> past)
            .handle(
                (past, failure) ->
                    failure == null
                        ? CompletableFuture.<Past>completedStage(past)
                        : ask.millisLeft() > 0 && mayAskAnother(failure, without)
                            ? ask(ask, and(without, host), failure)
                            : CompletableFuture.<Past>failedStage(failure))
            .thenCompose(past -> past);
      }
    }
    return CompletableFuture.failedStage(last);
  }

  /** Its session ended, or it is of an older release that does not know what is stored by now. */
  private static boolean mayAskAnother(Throwable failure, Set<Host> without) {
    return without.size() < HOSTS_MAX - 1
        && (Failures.isLost(failure)
            || (Failures.cause(failure) instanceof EventoException told
                && told.code() == ErrorCode.NO_HANDLER));
  }

  private static Set<Host> and(Set<Host> hosts, Host one) {
    return Stream.concat(hosts.stream(), Stream.of(one)).collect(Collectors.toUnmodifiableSet());
  }

  /** One state that is asked for, leg by leg. */
  private final class Work {
    private final Ask ask;
    private final Aggregate aggregate;
    private final String command;
    private final long version;
    private final Host host;
    private long applied;

    Work(Ask ask, String command, Host host) {
      this.ask = ask;
      aggregate = ask.aggregate;
      this.command = command;
      version = ask.version;
      this.host = host;
    }

    private @Nullable String schema() {
      return commandHandlers
          .snapshots(host, command, aggregate.type())
          .map(SnapshotRule::schema)
          .orElse(null);
    }

    CompletionStage<Past> replay(String wanted) {
      return wanted.equals(schema())
          ? leg(Tip.EMPTY, null)
          : CompletableFuture.failedStage(commandHandlers.nobody(command));
    }

    CompletionStage<Past> begin() {
      var schema = schema();
      var kept = schema == null ? null : snapshots.load(aggregate.stream(), schema).orElse(null);
      return schema == null || kept == null || kept.tip().version() > version
          ? leg(Tip.EMPTY, null)
          : kept.tip().version() == version
              ? CompletableFuture.completedStage(
                  new Past(version, new Json(kept.state()), host.instance(), 0))
              : leg(kept.tip(), new Snapshot(schema, new Json(kept.state())));
    }

    private CompletionStage<Past> leg(Tip from, @Nullable Snapshot snapshot) {
      var left = (int) Math.min(LEG_MILLIS, ask.millisLeft());
      if (left <= 0) {
        throw new EventoException(
            ErrorCode.DEADLINE_EXCEEDED,
            "no state of " + aggregate.stream() + " in time; a snapshot nearer to it helps");
      }
      var told = new ArrayList<List<HistoryEvent>>();
      var at = from;
      while (told.size() < LEG_PARTS && at.version() < version) {
        var wanted = (int) Math.min(PART_EVENTS, version - at.version());
        var part = reader.history(aggregate.stream(), at, wanted, PART_BYTES);
        if (part.isEmpty() || part.get().events().isEmpty()) {
          throw new EventoException(
              ErrorCode.NOT_FOUND,
              aggregate.stream() + " has no version " + version + ", its last is " + at.version());
        }
        told.add(part.get().events());
        at = part.get().tip();
      }
      var attempt = DecisionNumbers.next();
      var id = UUID.randomUUID();
      var parts = new ArrayList<Decide>();
      var version0 = from.version();
      for (var part = 0; part < told.size(); part++) {
        var isLast = part == told.size() - 1;
        var history =
            new History(version0, part == 0 ? snapshot : null, told.get(part), !isLast, isLast);
        version0 += told.get(part).size();
        parts.add(
            new Decide(
                id,
                command,
                attempt,
                aggregate,
                at,
                history,
                false,
                left,
                null,
                null,
                Json.EMPTY_OBJECT));
      }
      applied += version0 - from.version();
      var reached = at;
      return commandHandlers
          .decide(host, parts)
          .thenComposeAsync(said -> answered(reached, said), readers);
    }

    private CompletionStage<Past> answered(Tip reached, Decided said) {
      var failure = said.failure();
      if (failure != null) {
        throw new EventoException(failure.code(), failure.detail());
      }
      var state = said.state();
      if (said.stale() || state == null) {
        throw new EventoException(
            ErrorCode.HANDLER_FAILED,
            "the bundle made no state of "
                + aggregate.stream()
                + " that can be shown: it cannot be written as JSON, or was told something else"
                + " meanwhile");
      }
      if (reached.version() < version && applied >= EVENTS_MAX) {
        throw new EventoException(
            ErrorCode.OVERLOADED,
            "more than "
                + EVENTS_MAX
                + " events would have to be told for one look; a snapshot nearer to it helps");
      }
      return reached.version() == version
          ? CompletableFuture.completedStage(
              new Past(version, state.state(), host.instance(), applied))
          : leg(reached, state);
    }
  }
}
