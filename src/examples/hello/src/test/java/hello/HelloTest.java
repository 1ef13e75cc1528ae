package hello;

import io.evento.testkit.*;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import org.junit.jupiter.api.Test;

class HelloTest {
  @Test
  void a_visitor_is_greeted_twice() throws Exception {
    AggregateFixture.of(Hello.Visitor.class)
        .given(new Hello.Greeted(1))
        .when(new Hello.Greet("Ada"))
        .thenEvents(new Hello.Greeted(2));
    try (var postgres = EmbeddedPostgres.start()) {
      var database = postgres.getPostgresDatabase();
      ProjectorFixture.of(new Hello.Greetings(database), database)
          .given(Hello.Visitor.class, "Ada", new Hello.Greeted(1), new Hello.Greeted(2))
          .thenAnswers(new Hello.TimesGreeted("Ada"), 2);
    }
  }
}
