package io.evento.server.routing.command;

import io.evento.protocol.Backoff;
import io.evento.protocol.Correlation;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.Tip;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.EventMeta;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.append.AppendConditions;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.eventstore.follow.SeenPosition;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.eventstore.read.StreamReader;
import io.evento.server.routing.Author;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.Failures;
import io.evento.server.routing.Fingerprint;
import io.evento.server.routing.PayloadLimits;
import io.evento.server.routing.session.Availability;
import io.evento.server.security.Caller;
import io.evento.server.security.Right;
import io.evento.server.security.Shares;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Kind;
import io.evento.server.telemetry.Metrics;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Appends that no handler decides: events as a caller gives them, perhaps on a condition. Its id
 * and what it gives are kept as those of a command are, so a repeat gets the first outcome.
 */
@NodeScoped
public class Appends {
  /** In the place of a command's type, for what is kept to tell a repeat from a reused id. */
  private static final String TYPE = "append";

  private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(5), Duration.ofMillis(200));

  private final Availability availability;
  private final Settings settings;
  private final Catalog catalog;
  private final AppendConditions appendConditions;
  private final OrderReader order;
  private final StreamReader streams;
  private final CommandOutcomes commandOutcomes;
  private final Shares shares;
  private final Threads threads;
  private final ExecutorService readers;

  @Inject
  public Appends(
      Availability availability,
      Settings settings,
      Catalog catalog,
      AppendConditions appendConditions,
      OrderReader order,
      StreamReader streams,
      CommandOutcomes commandOutcomes,
      Shares shares,
      Threads threads,
      Metrics metrics) {
    this.availability = availability;
    this.settings = settings;
    this.catalog = catalog;
    this.appendConditions = appendConditions;
    this.order = order;
    this.streams = streams;
    this.commandOutcomes = commandOutcomes;
    this.shares = shares;
    this.threads = threads;
    readers = threads.pool("appends", 4, 2_000);
    metrics
        .telemetry()
        .handlersBy(Kind.APPEND, new AppendedTypes(catalog::isDeclaredEvent)::handler);
  }

  /**
   * @param caller who appends; its rights are looked at before anything is done
   * @param id made by the caller, the same in every repeat
   * @param body all of what the caller gave, as JSON
   * @param stream that the events go to; null for one of their own
   * @param events one or more
   * @param guard null for none
   */
  public record Append(
      Caller caller,
      UUID id,
      Json body,
      String context,
      DecideMessage.@Nullable Aggregate stream,
      List<NewEvent> events,
      @Nullable Guard guard,
      Deadline deadline,
      @Nullable String trace,
      @Nullable Json meta) {
    public Append {
      meta = Author.sign(caller, meta);
    }

    private DecideMessage.Aggregate target() {
      return stream == null ? new DecideMessage.Aggregate("Events", id.toString()) : stream;
    }
  }

  /**
   * @param after position that the caller had read up to
   * @param failIfMatch an event after it that meets one of these ends the append with {@code
   *     conflict}
   */
  public record Guard(SeenPosition after, List<Alternative> failIfMatch) {}

  /**
   * Stores the events, all or none.
   *
   * @return fails with {@code conflict} if the guard does not hold, and as a command does
   */
  public CompletionStage<Receipt> append(Append append) {
    availability.check();
    for (var event : append.events) {
      append.caller.require(Right.SEND, append.context, event.type());
      PayloadLimits.checkSize(event.payload(), settings.get(Setting.PAYLOAD_BYTES_MAX));
      catalog.refusePlainEvent(append.context, event.type(), event.payload());
    }
    var request = request(append);
    shares.take(Shares.Of.REQUESTS, append.caller);
    var outcome = new CompletableFuture<Receipt>();
    outcome.orTimeout(append.deadline.millisLeft(), TimeUnit.MILLISECONDS);
    isOpen(append)
        .thenCompose(open -> attempt(append, request, null, 0))
        .whenComplete(
            (receipt, failure) -> {
              if (failure == null) {
                outcome.complete(receipt);
              } else {
                outcome.completeExceptionally(failure);
              }
            });
    return outcome.handle(
        (receipt, failure) -> {
          shares.giveBack(Shares.Of.REQUESTS, append.caller);
          if (failure != null) {
            throw Failures.told(failure, request.correlation()).ofCommand(append.id);
          }
          return receipt;
        });
  }

  private static CommandRequest request(Append append) {
    var print = Fingerprint.of(TYPE, append.body, null);
    return new CommandRequest(
        append.id,
        TYPE,
        append.context,
        append.target(),
        null,
        null,
        append.deadline,
        append.trace,
        Correlation.of(append.trace, append.id),
        null,
        append.meta,
        append.body,
        print.hash());
  }

  /** The streams of a component are its own: nobody else knows the rules that they keep. */
  private CompletionStage<Void> isOpen(Append append) {
    var stream = append.stream;
    if (stream == null) {
      return CompletableFuture.completedStage(null);
    }
    return catalog
        .ownsStreams(stream.type())
        .thenAccept(
            owned -> {
              if (owned) {
                throw EventoException.invalid(
                    "/aggregate/type",
                    "must not be a declared aggregate or boundary: those alone write their"
                        + " streams");
              }
            });
  }

  /**
   * @param read the condition of the attempt before, of the epoch that it was read in; null at
   *     first
   */
  private CompletionStage<Receipt> attempt(
      Append append, CommandRequest request, @Nullable AppendCondition read, int tries) {
    if (append.deadline.isOver()) {
      return CompletableFuture.failedStage(request.expired());
    }
    return Threads.supply(() -> proposal(append, request, read), readers)
        .thenCompose(
            appendRequest ->
                appendConditions
                    .append(appendRequest, Duration.ofMillis(append.deadline.millisLeft()))
                    .thenCompose(
                        appendResult ->
                            judged(append, request, appendRequest, appendResult, tries)));
  }

  private AppendRequest proposal(
      Append append, CommandRequest request, @Nullable AppendCondition read) {
    var stream = append.target().stream();
    var guard = append.guard;
    var appendCondition = guard == null || read != null ? read : condition(guard);
    var meta =
        new EventMeta(
                request.correlation(),
                null,
                append.trace,
                append.meta == null ? Json.EMPTY_OBJECT : append.meta)
            .text(append.id);
    var events = new ArrayList<AppendRequest.ProposedEvent>();
    for (var event : append.events) {
      events.add(
          new AppendRequest.ProposedEvent(
              0,
              append.context,
              event.type(),
              event.tags(),
              EventMeta.withPayloadVersion(meta, event.payloadVersion()),
              event.payload().text()));
    }
    // One of its own is empty unless this is a repeat, which is told by the id.
    var tip = append.stream == null ? Tip.EMPTY : streams.tip(stream);
    return new AppendRequest(
        append.id,
        request.hash(),
        DecisionNumbers.next(),
        OutcomeKind.EVENTS,
        null,
        List.of(new AppendRequest.Basis(stream, tip)),
        events,
        appendCondition);
  }

  /**
   * The guard in words of the epoch that is the present one here and now.
   *
   * <p>Invariant: an append whose guard names its epoch is stored only if nothing that the guard
   * matches follows what its caller had read, whatever epochs have passed since. Why: lives of the
   * store are only added. If the last of those that were read here still is the present one under
   * the gate, they are all there are, and the position was found to name in it what the caller saw.
   * If it is not, the gate refuses the condition, as the append names that epoch with it.
   */
  private AppendCondition condition(Guard guard) {
    var head = order.head();
    var epoch = guard.after.epoch();
    var place =
        epoch == null || epoch.equals(head.epoch())
            ? head.at(guard.after.position())
            : guard.after.in(order.epochs());
    if (place.position() > head.position()) {
      var last = "the last position, which is " + head.position();
      throw guard.after.epoch() == null
          ? EventoException.invalid("/condition/after", "must not be above " + last)
          : new EventoException(
              ErrorCode.CONFLICT,
              "the condition's position is above " + last + ": what was read is lost");
    }
    return new AppendCondition(place, guard.failIfMatch);
  }

  private CompletionStage<Receipt> judged(
      Append append,
      CommandRequest request,
      AppendRequest appendRequest,
      AppendResult appendResult,
      int tries) {
    if (appendResult instanceof AppendResult.Appended appended) {
      return CompletableFuture.completedStage(receipt(append, appendRequest, appended));
    }
    if (appendResult instanceof AppendResult.Duplicate first) {
      return commandOutcomes.repeated(request, first);
    }
    if (appendResult instanceof AppendResult.IdReused) {
      return CompletableFuture.failedStage(CommandOutcomes.idReused());
    }
    if (appendResult instanceof AppendResult.ConditionBroken broken) {
      return conflict("the event at position " + broken.by().position() + " matches");
    }
    if (appendResult instanceof AppendResult.EpochChanged) {
      return conflict("the store was restored meanwhile: what was read has to be read again");
    }
    // Stale: somebody else wrote to the same stream, which this append has no opinion about.
    var later = new CompletableFuture<Void>();
    threads
        .timer()
        .schedule(
            () -> later.complete(null),
            BACKOFF.allByChance(tries).toMillis(),
            TimeUnit.MILLISECONDS);
    return later.thenCompose(now -> attempt(append, request, appendRequest.condition(), tries + 1));
  }

  private static CompletionStage<Receipt> conflict(String detail) {
    return CompletableFuture.failedStage(
        new EventoException(ErrorCode.CONFLICT, detail + "; nothing was stored"));
  }

  private static Receipt receipt(
      Append append, AppendRequest appendRequest, AppendResult.Appended appended) {
    var first = appended.first().position();
    var before = appendRequest.bases().get(0).tip().version();
    var stored = new ArrayList<Receipt.Stored>();
    for (var event : append.events) {
      var ordinal = stored.size();
      stored.add(new Receipt.Stored(first + ordinal, before + ordinal + 1, event.type()));
    }
    return new Receipt(
        append.id,
        CommandOutcomes.stream(append.target(), before + stored.size()),
        first + stored.size() - 1,
        appended.first().epoch(),
        stored,
        null,
        false);
  }
}
