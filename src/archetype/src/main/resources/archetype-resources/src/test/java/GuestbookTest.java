package ${package};

import ${package}.Guestbook.GuestbookSigned;
import ${package}.Guestbook.SignGuestbook;
import ${package}.Signatures.FindGuests;
import io.evento.testkit.AggregateFixture;
import io.evento.testkit.ProjectorFixture;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Needs no node; the projector has a real PostgreSQL. */
class GuestbookTest {
  @Test
  void aGuestSigns() {
    AggregateFixture.of(Guestbook.class)
        .given(new GuestbookSigned("Ada"))
        .when(new SignGuestbook("lobby", "Grace"))
        .thenEvents(new GuestbookSigned("Grace"));
  }

  @Test
  void nobodySignsTwiceInARow() {
    AggregateFixture.of(Guestbook.class)
        .given(new GuestbookSigned("Ada"))
        .when(new SignGuestbook("lobby", "Ada"))
        .thenRejected("just-signed", "guest", "Ada");
  }

  @Test
  void signaturesAreListed() throws Exception {
    try (var postgres = EmbeddedPostgres.start()) {
      var database = postgres.getPostgresDatabase();
      ProjectorFixture.of(new Signatures(database), database)
          .given(Guestbook.class, "lobby", new GuestbookSigned("Ada"), new GuestbookSigned("Grace"))
          .thenAnswers(new FindGuests("lobby"), List.of("Ada", "Grace"));
    }
  }
}
