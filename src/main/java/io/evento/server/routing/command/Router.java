package io.evento.server.routing.command;

import io.evento.protocol.Codec;
import io.evento.protocol.CommandMessage;
import io.evento.protocol.Correlation;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Names;
import io.evento.protocol.Receipt;
import io.evento.protocol.Rendezvous;
import io.evento.protocol.ReplyMessage;
import io.evento.server.NodeScoped;
import io.evento.server.catalog.Catalog;
import io.evento.server.catalog.PayloadType;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.Failures;
import io.evento.server.routing.Fingerprint;
import io.evento.server.routing.PayloadLimits;
import io.evento.server.routing.session.Availability;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import jakarta.inject.Inject;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Brings a command from whichever door it came in to the node that owns it, and the outcome back.
 *
 * <p>The owner is the first in rendezvous order over the nodes that are up. A node whose link is
 * down or silent is gone round, to the next one and at last to this node itself: ownership only
 * keeps conflicts rare.
 *
 * <p>Keeps invariant I8.
 */
@NodeScoped
public class Router {
  private static final String COMMAND = "command";

  private final Settings settings;
  private final Catalog catalog;
  private final Membership membership;
  private final Availability availability;
  private final Links links;
  private final CommandOwner owner;
  private final ServiceCommands services;
  private final AtomicInteger underWay = new AtomicInteger();
  private final Timer latency;
  private final Counter forwarded;
  private final Counter overloaded;

  @Inject
  public Router(
      Settings settings,
      Catalog catalog,
      Membership membership,
      Availability availability,
      Links links,
      CommandOwner owner,
      ServiceCommands services,
      Metrics metrics) {
    this.settings = settings;
    this.catalog = catalog;
    this.membership = membership;
    this.availability = availability;
    this.links = links;
    this.owner = owner;
    this.services = services;
    latency = metrics.timer("evento_command_seconds", "from a command's arrival to its answer");
    forwarded = metrics.counter("evento_commands_forwarded", "commands sent on to their owner");
    overloaded = metrics.counter("evento_commands_overloaded", "commands refused early");
    metrics.gauge("evento_commands_under_way", "commands without an answer yet", underWay::get);
    links.answer(COMMAND, this::onForward);
  }

  /**
   * Takes a command to its outcome.
   *
   * @return fails with an {@link EventoException} that names the command, at its deadline at the
   *     latest
   */
  public CompletionStage<Receipt> dispatch(CommandMessage.Command command) {
    if (underWay.incrementAndGet() > settings.get(Setting.COMMANDS_WAITING_MAX)) {
      underWay.decrementAndGet();
      overloaded.increment();
      return CompletableFuture.failedStage(
          new EventoException(ErrorCode.OVERLOADED, "this node has too many commands under way")
              .ofCommand(command.id()));
    }
    var arrived = System.nanoTime();
    var deadline = Deadline.in(command.deadline());
    var outcome = new CompletableFuture<Receipt>();
    outcome.orTimeout(deadline.millisLeft(), TimeUnit.MILLISECONDS);
    declared(command.type())
        .thenCompose(type -> route(request(command, type, deadline), type))
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
          underWay.decrementAndGet();
          latency.record(System.nanoTime() - arrived, TimeUnit.NANOSECONDS);
          if (failure != null) {
            throw Failures.told(failure, Correlation.of(command)).ofCommand(command.id());
          }
          return receipt;
        });
  }

  /**
   * Looks at a command without sending it.
   *
   * @return the hash of its type and payload; fails as {@link #dispatch} would for a type that
   *     nobody declared, or a payload that breaks a rule
   */
  public CompletionStage<Long> check(CommandMessage.Command command) {
    return declared(command.type())
        .thenApply(type -> request(command, type, Deadline.in(command.deadline())).hash());
  }

  /** Commands that came in here and have no answer yet. */
  public int underWay() {
    return underWay.get();
  }

  private CompletionStage<PayloadType> declared(String type) {
    try {
      availability.check();
    } catch (EventoException unavailable) {
      return CompletableFuture.failedStage(unavailable);
    }
    var known = catalog.command(type);
    if (known != null) {
      return CompletableFuture.completedStage(known);
    }
    return catalog
        .find(PayloadType.Kind.COMMAND, type)
        .thenApply(
            found ->
                found.orElseThrow(
                    () ->
                        new EventoException(
                            ErrorCode.UNKNOWN_TYPE, "no bundle ever declared a command " + type)));
  }

  private CommandRequest request(
      CommandMessage.Command command, PayloadType type, Deadline deadline) {
    PayloadLimits.checkSize(command.payload(), settings.get(Setting.PAYLOAD_BYTES_MAX));
    var print = Fingerprint.of(command.type(), command.payload(), type.idProperty());
    return new CommandRequest(
        command.id(),
        command.type(),
        type.context(),
        aggregate(type, print.subject()),
        boundary(type, print.subject(), command.id()),
        command.ifVersion(),
        deadline,
        command.trace(),
        Correlation.of(command),
        command.cause(),
        command.meta(),
        print.payload(),
        print.hash());
  }

  private static DecideMessage.@Nullable Aggregate aggregate(
      PayloadType type, @Nullable String id) {
    if (type.aggregateType() == null || id == null) {
      return null;
    }
    Names.checkAggregateId("/" + type.idProperty(), id);
    return new DecideMessage.Aggregate(type.aggregateType(), id);
  }

  private static CommandRequest.@Nullable Boundary boundary(
      PayloadType type, @Nullable String subject, UUID commandId) {
    return type.isOfBoundary()
        ? new CommandRequest.Boundary(
            type.component(), subject == null ? commandId.toString() : subject)
        : null;
  }

  private CompletionStage<Receipt> route(CommandRequest request, PayloadType type) {
    if (request.aggregate() == null && request.ifVersion() != null) {
      throw EventoException.invalid("If-Match", "needs a command of an aggregate");
    }
    return send(request, Rendezvous.rank(request.ownerKey(), membership.members().owners()), 0);
  }

  private CompletionStage<Receipt> send(CommandRequest request, List<String> ranked, int choice) {
    if (request.deadline().isOver()) {
      return CompletableFuture.failedStage(request.expired());
    }
    if (choice >= ranked.size() || ranked.get(choice).equals(membership.self())) {
      return handle(request);
    }
    var node = ranked.get(choice);
    if (!links.reaches(node)) {
      return send(request, ranked, choice + 1);
    }
    forwarded.increment();
    var body = Long.toHexString(request.hash()) + ' ' + Codec.write(request.toMessage());
    return links
        .ask(node, COMMAND, body, request.deadline().millisLeft())
        .thenApply(Router::receipt)
        .exceptionallyCompose(
            failure ->
                mayGoOn(failure)
                    ? send(request, ranked, choice + 1)
                    : CompletableFuture.failedStage(failure));
  }

  /** A lost link says nothing; a node that drains or lost its database did nothing. */
  private static boolean mayGoOn(Throwable failure) {
    return Failures.isLost(failure)
        || (Failures.cause(failure) instanceof EventoException told
            && told.code() == ErrorCode.UNAVAILABLE);
  }

  private CompletionStage<Receipt> handle(CommandRequest request) {
    return request.isForService() ? services.handle(request) : owner.handle(request);
  }

  private static Receipt receipt(String answer) {
    var message = Codec.read(answer);
    if (message instanceof ReplyMessage.Result done && done.receipt() != null) {
      return done.receipt();
    }
    if (message instanceof ReplyMessage.Fault fault) {
      throw fault.toException(fault.id());
    }
    throw new IllegalStateException("a node answered a command with " + message.getClass());
  }

  /** A peer holds this node for the owner. It goes no further, so commands never wander. */
  private CompletionStage<String> onForward(String peer, String body) {
    var space = body.indexOf(' ');
    var hash = Long.parseUnsignedLong(body.substring(0, space), 16);
    var command = (CommandMessage.Command) Codec.read(body.substring(space + 1));
    var deadline = Deadline.in(command.deadline());
    return declared(command.type())
        .thenCompose(
            type -> {
              var subject =
                  type.idProperty() == null
                      ? null
                      : Codec.field(command.payload().text(), type.idProperty());
              return handle(
                  new CommandRequest(
                      command.id(),
                      command.type(),
                      type.context(),
                      aggregate(type, subject),
                      boundary(type, subject, command.id()),
                      command.ifVersion(),
                      deadline,
                      command.trace(),
                      Correlation.of(command),
                      command.cause(),
                      command.meta(),
                      command.payload(),
                      hash));
            })
        .handle(
            (receipt, failure) ->
                Codec.write(
                    failure == null
                        ? new ReplyMessage.Result(command.id(), receipt, null)
                        : ReplyMessage.Fault.of(
                            command.id(), Failures.told(failure, Correlation.of(command)))));
  }
}
