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
import io.evento.server.telemetry.Telemetry;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import jakarta.inject.Inject;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
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
  private final OwnedCommands owner;
  private final ServiceCommands services;
  private final CommandAdmission admission;
  private final Shares shares;
  private final Timer latency;
  private final Telemetry telemetry;
  private final Counter forwarded;

  @Inject
  public Router(
      Settings settings,
      Catalog catalog,
      Membership membership,
      Availability availability,
      Links links,
      OwnedCommands owner,
      ServiceCommands services,
      Shares shares,
      Metrics metrics) {
    this.settings = settings;
    this.catalog = catalog;
    this.membership = membership;
    this.availability = availability;
    this.links = links;
    this.owner = owner;
    this.services = services;
    this.shares = shares;
    latency = metrics.timer("evento_command_seconds", "from a command's arrival to its answer");
    forwarded = metrics.counter("evento_commands_forwarded", "commands sent on to their owner");
    admission = new CommandAdmission(settings, metrics);
    telemetry = metrics.telemetry();
    telemetry.handlersBy(
        Kind.COMMAND,
        type -> {
          var known = catalog.command(type);
          return known == null ? null : known.component();
        });
    links.answer(COMMAND, this::onForward);
  }

  /**
   * Takes a command to its outcome.
   *
   * @param caller who sends it; its rights are looked at before anything is done
   * @return fails with an {@link EventoException} that names the command, at its deadline at the
   *     latest
   */
  public CompletionStage<Receipt> dispatch(Caller caller, CommandMessage.Command command) {
    try {
      shares.take(Shares.Of.REQUESTS, caller);
    } catch (EventoException refused) {
      return CompletableFuture.failedStage(refused.ofCommand(command.id()));
    }
    return take(caller, command)
        .whenComplete((receipt, failure) -> shares.giveBack(Shares.Of.REQUESTS, caller));
  }

  private CompletionStage<Receipt> take(Caller caller, CommandMessage.Command command) {
    var refused = admission.enter();
    if (refused.isPresent()) {
      return CompletableFuture.failedStage(refused.get().ofCommand(command.id()));
    }
    var arrived = System.nanoTime();
    var deadline = Deadline.in(command.deadline());
    var outcome = new CompletableFuture<Receipt>();
    outcome.orTimeout(deadline.millisLeft(), TimeUnit.MILLISECONDS);
    permitted(caller, command.type())
        .thenCompose(type -> route(request(caller, command, type, deadline), type))
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
          admission.over();
          var took = System.nanoTime() - arrived;
          latency.record(took, TimeUnit.NANOSECONDS);
          if (failure != null) {
            var told = Failures.told(failure, Correlation.of(command)).ofCommand(command.id());
            telemetry.failed(Kind.COMMAND, command.type(), told.code().wire(), took);
            throw told;
          }
          telemetry.done(Kind.COMMAND, command.type(), took);
          return receipt;
        });
  }

  /**
   * Looks at a command without sending it.
   *
   * @return the hash of its type and payload; fails as {@link #dispatch} would for a type that
   *     nobody declared or that the caller may not send, or a payload that breaks a rule
   */
  public CompletionStage<Long> check(Caller caller, CommandMessage.Command command) {
    return permitted(caller, command.type())
        .thenApply(type -> request(caller, command, type, Deadline.in(command.deadline())).hash());
  }

  /**
   * Whether somebody may send commands of a type.
   *
   * @return fails with {@code forbidden}, or as {@link #dispatch} does for a type that nobody
   *     declared
   */
  public CompletionStage<PayloadType> permitted(Caller caller, String type) {
    return declared(type)
        .thenApply(
            found -> {
              caller.require(Right.SEND, found.context(), type);
              return found;
            });
  }

  /** Commands that came in here and have no answer yet. */
  public int underWay() {
    return admission.underWay();
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
            found -> found.orElseThrow(() -> catalog.unknown(PayloadType.Kind.COMMAND, type)));
  }

  private CommandRequest request(
      Caller caller, CommandMessage.Command command, PayloadType type, Deadline deadline) {
    PayloadLimits.checkSize(command.payload(), settings.get(Setting.PAYLOAD_BYTES_MAX));
    catalog.refusePlainCommand(command.type(), command.payload());
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
        Author.sign(caller, command.meta()),
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
