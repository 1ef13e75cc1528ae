package io.evento.scenario;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.gateway.CommandOptions;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.time.Duration;
import java.util.Objects;

/** How a caller reaches the cluster. Safe for use by several threads. */
interface Way {

  /**
   * An answer to one try.
   *
   * @param code the problem's code, empty for a final outcome, {@code silence} without any answer
   */
  record Reply(String code, Outcome outcome) {
    private static final Outcome NONE = Outcome.rejected("none yet");

    static Reply of(Outcome outcome) {
      return new Reply("", outcome);
    }

    static Reply problem(String code) {
      return new Reply(code, NONE);
    }

    boolean isFinal() {
      return code.isEmpty();
    }

    /** Whether the contract says that the same command may be tried again elsewhere. */
    boolean mayPass() {
      return code.equals("silence")
          || ErrorCode.ofWire(code).orElseThrow().retry() == ErrorCode.Retry.LATER;
    }
  }

  /** Tries once and waits at most as long as said. */
  Reply send(Movement movement, Duration patience) throws InterruptedException;

  /** The HTTP door of a node or of the balancer. */
  record Http(Door door) implements Way {
    @Override
    public Reply send(Movement movement, Duration patience) throws InterruptedException {
      var answer =
          door.command(movement.kind().command(), movement.id(), movement.payload(), patience);
      if (answer.isSuccess()) {
        return Reply.of(
            Outcome.stored(
                answer.body().path("position").asLong(),
                answer.body().path("aggregate").path("version").asLong()));
      }
      if (answer.status() == 0) {
        return Reply.problem("silence");
      }
      if (answer.code().equals("rejected")) {
        return Reply.of(Outcome.rejected(answer.body().path("rejection").path("code").asText()));
      }
      // Without a code nobody of ours spoke: the balancer, or a server that has yet to deploy us.
      return Reply.problem(answer.code().isEmpty() ? ErrorCode.UNAVAILABLE.wire() : answer.code());
    }

    @Override
    public String toString() {
      return door.toString();
    }
  }

  /** A bundle without components, which itself goes from session to session. */
  record Sdk(EventoBundle bundle) implements Way {
    record OpenAccount(@AggregateId String accountId, String owner) {}

    record Deposit(@AggregateId String accountId, long amount, String reference) {}

    record Withdraw(@AggregateId String accountId, long amount, String reference) {}

    @Override
    public Reply send(Movement movement, Duration patience) {
      try {
        var receipt =
            bundle
                .commands()
                .send(
                    command(movement),
                    CommandOptions.options().withId(movement.id()).within(patience));
        return Reply.of(
            Outcome.stored(
                Objects.requireNonNull(receipt.position()),
                Objects.requireNonNull(receipt.aggregate()).version()));
      } catch (EventoException told) {
        var rejection = told.rejection();
        return told.code() == ErrorCode.REJECTED && rejection != null
            ? Reply.of(Outcome.rejected(rejection.code()))
            : Reply.problem(told.code().wire());
      }
    }

    private static Object command(Movement movement) {
      return switch (movement.kind()) {
        case OPEN -> new OpenAccount(movement.account(), "Ada");
        case DEPOSIT -> new Deposit(movement.account(), movement.amount(), "load");
        case WITHDRAW -> new Withdraw(movement.account(), movement.amount(), "load");
      };
    }

    @Override
    public String toString() {
      return "sdk";
    }
  }
}
