package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.ConsumerDoor;
import io.evento.scenario.workload.SheetBundles;
import io.evento.scenario.workload.SheetBundles.Sum;
import io.evento.scenario.workload.SheetBundles.WriteSheet;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is written is read back: by the next release too, and with every digit. */
@NullUnmarked
class PayloadIT {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final BigDecimal EXACT = new BigDecimal("12345678901234567890.12300");

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private final String sheet = "s-" + UUID.randomUUID();

  private Answer post(String type, String body, String... headers) throws InterruptedException {
    return cluster.doors().get(1).post("commands/" + type, body, LIMIT, headers);
  }

  private String body(String rest) {
    return "{\"sheet_id\":\"" + sheet + "\"" + rest + "}";
  }

  @Test
  void text_that_cannot_be_said_fails_the_one_who_says_it_and_nobody_else() throws Exception {
    try (var bundle = SheetBundles.Old.start(cluster)) {
      var before = SheetBundles.Old.CUTS.get();
      var cut = post("CutSheet", body(""));
      assertThat(cut.code()).as("%s", cut.body()).isEqualTo("handler-failed");
      assertThat(cut.body().path("detail").asText()).contains("a SheetWritten", "/text");
      assertThat(SheetBundles.Old.CUTS.get() - before).as("runs of the handler").isEqualTo(1);

      var escaped = post("WriteSheet", body(",\"text\":\"a\\ud800b\""));
      assertThat(escaped.code()).as("%s", escaped.body()).isIn("invalid-request", "handler-failed");

      var started = System.nanoTime();
      assertThatThrownBy(
              () -> bundle.commands().send(new WriteSheet(sheet, "a\udc00b", BigDecimal.ONE)))
          .isInstanceOfSatisfying(
              EventoException.class,
              told -> {
                assertThat(told.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
                assertThat(told.violations().get(0).pointer()).isEqualTo("/text");
              });
      assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(1));

      var good = bundle.commands().send(new WriteSheet(sheet, "good", BigDecimal.ONE));
      assertThat(good.aggregate().version()).as("nothing else was stored").isEqualTo(1);
      assertThat(post("WriteSheet", body(",\"text\":\"good too\"")).status()).isEqualTo(200);
    }
  }

  @Test
  void a_raised_revision_and_an_upcaster_read_all_that_an_old_release_wrote() throws Exception {
    try (var old = SheetBundles.Old.start(cluster)) {
      for (var i = 0; i < 7; i++) {
        var told = old.commands().send(new WriteSheet(sheet, "four", EXACT));
        assertThat(old.commands().value(told, Sum.class))
            .isEqualTo(new Sum(4L * i, i == 0 ? null : EXACT));
      }
      var metadata = post("ReadMetadata", body(""), "Evento-Metadata", "{\"n\":" + EXACT + "}");
      assertThat(metadata.body().path("result").asText()).isEqualTo(EXACT.toString());
    }
    try (var released = SheetBundles.New.start(cluster)) {
      var told = released.commands().send(new WriteSheet(sheet, "four", EXACT));
      assertThat(released.commands().value(told, Sum.class)).isEqualTo(new Sum(7, EXACT));
    }
  }

  @Test
  void a_saga_whose_state_cannot_be_read_is_parked_alone_and_says_why() throws Exception {
    var word = "w-" + UUID.randomUUID();
    var other = "o-" + UUID.randomUUID();
    try (var old = SheetBundles.Old.startWatching(cluster)) {
      old.commands().send(new WriteSheet(sheet, word, null));
      await("kept")
          .atMost(LIMIT)
          .until(() -> saga(word).at("/saga/state/seen").asText().equals("once"));
    }
    try (var released = SheetBundles.New.startWatching(cluster)) {
      released.commands().send(new WriteSheet(sheet, word, null));
      released.commands().send(new WriteSheet(sheet, other, null));
      released.commands().send(new WriteSheet(sheet, other, null));
      var watch = ConsumerDoor.at(cluster, cluster.node(3), "sheet-watch", 1);
      await("parked").atMost(PATIENCE).until(() -> letters(watch, word).size() == 1);
      assertThat(letters(watch, word).get(0))
          .contains("the stored state of the saga sheet-watch:1 under " + word + " cannot be read");
      await("told").atMost(PATIENCE).until(() -> saga(other).at("/saga/state/seen").asInt() == 2);
    }
  }

  private static List<String> letters(ConsumerDoor watch, String key) {
    return watch.letters().stream()
        .map(JsonNode::toString)
        .filter(letter -> letter.contains(key))
        .toList();
  }

  private static JsonNode saga(String key) throws InterruptedException {
    return cluster.doors().get(0).get("sagas/sheet-watch/1/" + key).body();
  }
}
