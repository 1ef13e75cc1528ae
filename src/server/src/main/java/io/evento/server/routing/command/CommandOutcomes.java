package io.evento.server.routing.command;

import io.evento.protocol.Codec;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.Rejection;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.eventstore.read.OutcomeReader;
import io.evento.server.eventstore.read.StoredOutcome;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.Fingerprint;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * Tells the kept outcome of a command, as its first caller was told it. That a command is a repeat
 * is found by {@code append_4}, before it writes anything (migration {@code
 * V38__chains_of_commands.sql}, its third step), and here for commands that write nothing.
 */
@NodeScoped
public class CommandOutcomes {
  private final OutcomeReader reader;
  private final ExecutorService readers;

  @Inject
  public CommandOutcomes(OutcomeReader reader, Threads threads) {
    this.reader = reader;
    readers = threads.pool("outcomes", 4, 10_000);
  }

  /**
   * What the store found to be the first outcome of a repeated command.
   *
   * @return the first receipt; fails with the first rejection
   */
  public CompletionStage<Receipt> repeated(CommandRequest request, AppendResult.Duplicate first) {
    if (first.kind() != OutcomeKind.EVENTS) {
      return kept(request, first.kind(), first.stream(), first.body());
    }
    return Threads.supply(() -> stored(request.id(), first.position(), first.body()), readers);
  }

  /**
   * The outcome of a command, if it has one.
   *
   * @return empty if it has none yet; fails with the first rejection, or with {@code id-reused}
   */
  public CompletionStage<Optional<Receipt>> find(CommandRequest request) {
    return Threads.supply(() -> reader.outcome(request.id()), readers)
        .thenCompose(
            found -> {
              if (found.isEmpty()) {
                return CompletableFuture.completedStage(Optional.empty());
              }
              var outcome = found.get();
              if (outcome.hash() != request.hash()) {
                return CompletableFuture.failedStage(idReused());
              }
              CompletionStage<Receipt> receipt =
                  outcome.kind() == OutcomeKind.EVENTS
                      ? Threads.supply(
                          () -> stored(request.id(), outcome.position(), outcome.body()), readers)
                      : kept(request, outcome.kind(), outcome.stream(), outcome.body());
              return receipt.thenApply(Optional::of);
            });
  }

  /**
   * The outcome that is kept under an id.
   *
   * @param isSame whether it is that of the command that was asked for, and not of another one
   *     under the same id
   * @param at when it was kept
   * @param receipt if it was done; else null
   * @param refusal if it was not; else null
   */
  public record Known(
      boolean isSame, Instant at, @Nullable Receipt receipt, @Nullable EventoException refusal) {}

  /** The outcome under an id, whichever command has it. Blocks on the database. */
  public Optional<Known> known(UUID id, String type, Json payload) {
    return reader.outcome(id).map(outcome -> known(id, isSame(outcome, type, payload), outcome));
  }

  private static boolean isSame(StoredOutcome outcome, String type, Json payload) {
    try {
      return Fingerprint.of(type, payload, null).hash() == outcome.hash();
    } catch (EventoException malformed) {
      return false;
    }
  }

  private Known known(UUID id, boolean isSame, StoredOutcome outcome) {
    var at = outcome.recordedAt();
    var body = outcome.body();
    return switch (outcome.kind()) {
      case EVENTS -> new Known(isSame, at, stored(id, outcome.position(), body), null);
      case REJECTED -> new Known(isSame, at, null, rejected(id, body));
      case UNKNOWN -> new Known(isSame, at, null, unknown().ofCommand(id));
      default ->
          new Known(isSame, at, withoutEvents(id, about(outcome), outcome.stream(), body), null);
    };
  }

  private static DecideMessage.@Nullable Aggregate about(StoredOutcome outcome) {
    var stream = outcome.stream();
    var colon = stream == null ? -1 : stream.indexOf(':');
    return stream == null || colon < 0
        ? null
        : new DecideMessage.Aggregate(stream.substring(0, colon), stream.substring(colon + 1));
  }

  /** The id was used for another command before. */
  public static EventoException idReused() {
    return new EventoException(
        ErrorCode.ID_REUSED,
        "this command id was used with another type or payload; nothing was done");
  }

  /**
   * The command was run, nobody can know how it ended, and it is not to be run again. Unlike other
   * failures of a handler it is kept, which its rejection tells programs.
   */
  static EventoException unknown() {
    var told = "the service was started and nobody can know how it ended; it is not run again";
    return new EventoException(
        ErrorCode.HANDLER_FAILED,
        told,
        List.of(),
        new Rejection("outcome-unknown", told, null),
        null,
        null);
  }

  private Receipt stored(UUID command, StorePosition first, @Nullable String value) {
    var events = reader.eventsOf(command, first.position());
    var last = events.get(events.size() - 1);
    return new Receipt(
        command,
        new Receipt.Stream(last.aggregate().type(), last.aggregate().id(), last.version()),
        last.position(),
        first.epoch(),
        events.stream().map(e -> new Receipt.Stored(e.position(), e.version(), e.type())).toList(),
        json(value),
        true);
  }

  private static CompletionStage<Receipt> kept(
      CommandRequest request, OutcomeKind kind, @Nullable String stream, @Nullable String body) {
    return switch (kind) {
      case REJECTED -> CompletableFuture.failedStage(rejected(request.id(), body));
      case UNKNOWN -> CompletableFuture.failedStage(unknown());
      default ->
          CompletableFuture.completedStage(
              withoutEvents(request.id(), request.aggregate(), stream, body));
    };
  }

  private static EventoException rejected(UUID id, @Nullable String body) {
    return EventoException.rejected(Codec.read(Rejection.class, body == null ? "{}" : body), id);
  }

  /** The version then is not kept with an outcome that wrote nothing. */
  private static Receipt withoutEvents(
      UUID id,
      DecideMessage.@Nullable Aggregate about,
      @Nullable String stream,
      @Nullable String body) {
    var kept = body == null || stream == null ? null : Codec.read(Nothing.class, body);
    return new Receipt(
        id,
        about == null || kept == null
            ? null
            : new Receipt.Stream(about.type(), about.id(), kept.version()),
        stream == null ? json(body) : kept == null ? null : kept.value(),
        true);
  }

  /**
   * The kept body of a domain command that had nothing to do.
   *
   * @param version of the aggregate that it was decided on
   * @param value for the caller, or null
   */
  public record Nothing(long version, @Nullable Json value) {}

  private static @Nullable Json json(@Nullable String text) {
    return text == null ? null : new Json(text);
  }

  /** Where a fresh outcome's aggregate stands. */
  public static Receipt.Stream stream(DecideMessage.Aggregate aggregate, long version) {
    return new Receipt.Stream(aggregate.type(), aggregate.id(), version);
  }
}
