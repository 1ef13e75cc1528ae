package io.evento.server.routing.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.BoundaryDecided;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.security.Caller;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What a session decides is of the context that this very session declared. */
class DecidedContextTest {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final BundleSession session =
      new BundleSession(
          1,
          "shop",
          UUID.randomUUID(),
          Caller.developer("test"),
          new BundleSession.Door() {
            @Override
            public boolean send(Message message, Lane lane) {
              answer(message);
              return true;
            }
          });

  private void answer(Message message) {
    if (message instanceof Decide asked) {
      session.answered(
          asked.attempt(),
          new Decided(
              asked.id(),
              asked.attempt(),
              null,
              List.of(),
              null,
              null,
              true,
              null,
              null,
              0,
              "forged"));
    } else if (message instanceof DecideMessage.DecideBoundary asked) {
      session.answered(
          asked.attempt(),
          new BoundaryDecided(
              asked.id(),
              asked.attempt(),
              List.of(new DecideMessage.Criterion(List.of(), List.of("a:b"))),
              "s",
              true,
              List.of(),
              null,
              null,
              null,
              "forged"));
    }
  }

  @Test
  void an_aggregates_decision_has_the_context_of_its_session_whatever_the_bundle_says() {
    session.hosts(List.of(component("aggregate", "sales")));
    assertThat(decide()).succeedsWithin(PATIENCE).extracting(Decided::context).isEqualTo("sales");
    session.hosts(List.of(component("aggregate", "shop")));
    assertThat(decide()).succeedsWithin(PATIENCE).extracting(Decided::context).isEqualTo("shop");
  }

  @Test
  void a_boundarys_decision_has_the_context_of_its_session_whatever_the_bundle_says() {
    session.hosts(List.of(component("boundary", "sales")));
    var asked =
        new DecideMessage.DecideBoundary(
            UUID.randomUUID(),
            "PlaceOrder",
            7,
            "Order",
            "o-1",
            List.of(),
            0,
            List.of(),
            false,
            5_000,
            null,
            null,
            Json.EMPTY_OBJECT);
    assertThat(session.decideBoundary(List.of(asked), false))
        .succeedsWithin(PATIENCE)
        .extracting(BoundaryDecided::context)
        .isEqualTo("sales");
  }

  private java.util.concurrent.CompletionStage<Decided> decide() {
    return session.decide(
        List.of(
            new Decide(
                UUID.randomUUID(),
                "PlaceOrder",
                7,
                new DecideMessage.Aggregate("Order", "o-1"),
                null,
                null,
                false,
                5_000,
                null,
                null,
                Json.EMPTY_OBJECT)),
        false);
  }

  private static DeclareMessage.Component component(String kind, String context) {
    return new DeclareMessage.Component(
        ComponentKind.of(kind),
        "Order",
        0,
        context,
        List.of(new DeclareMessage.CommandType("PlaceOrder", "orderId", null)),
        List.of(),
        List.of(),
        null,
        null);
  }
}
