package io.evento.server.routing.session;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.QueryMessage;
import io.evento.server.security.Caller;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a session could not be given in time it is not given at all. */
@Tag("I8")
class ExpiredRequestsTest {
  private static final int SHORT_MILLIS = 50;

  private final List<Message> given = new CopyOnWriteArrayList<>();
  private final BundleSession session =
      new BundleSession(
          1,
          "bank",
          UUID.randomUUID(),
          Caller.developer("test"),
          (message, lane) -> given.add(message));

  @BeforeEach
  void begin_a_trial() {
    session.inFlight().alone("suspect", () -> {});
  }

  @Test
  void a_command_that_expires_while_another_is_tried_alone_is_not_handed_over() {
    expires(
        message ->
            session.ask(
                message,
                new CommandMessage.Command(
                    message, "Pay", null, SHORT_MILLIS, null, null, Json.EMPTY_OBJECT),
                SHORT_MILLIS,
                false));
  }

  @Test
  void a_query_that_expires_while_another_is_tried_alone_is_not_handed_over() {
    expires(
        message ->
            session.ask(
                message,
                new QueryMessage.Query(
                    message, "FindAccount", SHORT_MILLIS, null, Json.EMPTY_OBJECT),
                SHORT_MILLIS,
                false));
  }

  @Test
  void one_that_expires_before_its_own_trial_is_not_tried() {
    expires(
        message ->
            session.ask(
                message,
                new QueryMessage.Query(
                    message, "FindAccount", SHORT_MILLIS, null, Json.EMPTY_OBJECT),
                SHORT_MILLIS,
                true));
  }

  private interface Asking {
    CompletionStage<Message> of(UUID message);
  }

  private void expires(Asking asking) {
    var late = asking.of(UUID.randomUUID());
    assertThat(late)
        .failsWithin(ofSeconds(5))
        .withThrowableOfType(ExecutionException.class)
        .withCauseInstanceOf(TimeoutException.class);
    session.inFlight().left("suspect");
    assertThat(session.inFlight().isClosedTo("others")).as("the trial is over").isFalse();
    assertThat(given).isEmpty();
    assertThat(session.outstanding()).isZero();
  }
}
