package io.evento.bundle.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.personal.Subjects;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.PersonalMessage.Given;
import io.evento.protocol.PersonalMessage.SubjectKey;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How long keys are held, and that none is used once a node has told of the erasure. */
class FetchedKeysTest {
  private static final String ADA = Subjects.hash("ada");
  private static final String BOB = Subjects.hash("bob");
  private static final String TYPE = "AccountOpened";

  private record Asked(
      List<String> subjects, @Nullable String type, CompletableFuture<Given> answer) {
    void give(String... known) {
      answer.complete(
          new Given(
              List.of(known).stream().map(one -> new SubjectKey(one, 1, new byte[32])).toList(),
              List.of()));
    }
  }

  private final AtomicLong now = new AtomicLong(5);
  private final FetchedKeys keys = new FetchedKeys(now::get);
  private final List<Asked> asked = new ArrayList<>();

  /** Of the next questions, each that is asked while it is true. */
  private boolean isAnswered = true;

  @BeforeEach
  void askByNode() {
    keys.askBy(
        (subjects, type) -> {
          var question = new Asked(List.copyOf(subjects), type, new CompletableFuture<>());
          asked.add(question);
          if (isAnswered) {
            question.give(subjects.toArray(String[]::new));
          }
          return question.answer;
        });
  }

  private void pass(long seconds) {
    now.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
  }

  @Test
  void a_key_is_asked_for_once_a_minute() {
    assertThat(keys.find(ADA, 1).isEmpty()).isFalse();
    pass(59);
    assertThat(keys.find(ADA, 1).isEmpty()).isFalse();
    assertThat(asked).hasSize(1);
    pass(1);
    keys.find(ADA, 1);
    assertThat(asked).hasSize(2);
  }

  @Test
  void a_key_is_made_only_where_something_is_written() {
    isAnswered = false;
    keys.prepare(List.of(ADA));
    asked.get(0).give();
    isAnswered = true;
    assertThat(keys.findOrMake(ADA, TYPE).isEmpty()).isFalse();
    assertThat(asked).extracting(Asked::type).containsExactly(null, TYPE);
    assertThat(keys.find(ADA, 1).has(1)).as("what was made since").isTrue();
    keys.find(ADA, 1);
    assertThat(asked).hasSize(3);
  }

  @Test
  void each_context_has_its_own_key_to_write_by_so_each_type_asks() {
    keys.findOrMake(ADA, TYPE);
    keys.findOrMake(ADA, "MailSent");
    keys.findOrMake(ADA, TYPE);
    assertThat(asked).extracting(Asked::type).containsExactly(TYPE, "MailSent");
  }

  @Test
  void a_key_of_a_later_version_is_asked_for_though_others_are_held() {
    keys.find(ADA, 1);
    isAnswered = false;
    keys.prepare(List.of(ADA));
    assertThat(asked).hasSize(1);
    isAnswered = true;
    assertThat(keys.find(ADA, 2).has(2)).isFalse();
    assertThat(asked).hasSize(2);
  }

  @Test
  void many_are_asked_for_with_one_question() {
    keys.prepare(List.of(ADA, BOB));
    keys.find(ADA, 1);
    keys.find(BOB, 1);
    assertThat(asked).singleElement().satisfies(one -> assertThat(one.subjects).contains(ADA, BOB));
  }

  @Test
  void no_key_is_used_once_a_node_told_of_the_erasure() {
    keys.find(ADA, 1);
    keys.find(BOB, 1);
    keys.erased(List.of(ADA));
    assertThat(keys.find(ADA, 1).isErased()).isTrue();
    assertThat(keys.findOrMake(ADA, TYPE).isErased()).isTrue();
    assertThat(keys.find(BOB, 1).isErased()).isFalse();
    assertThat(asked).hasSize(2);
  }

  @Test
  void an_answer_of_before_the_erasure_that_comes_after_it_is_not_used() {
    isAnswered = false;
    keys.prepare(List.of(ADA));
    keys.erased(List.of(ADA));
    asked.get(0).give(ADA);
    assertThat(keys.find(ADA, 1).isErased()).isTrue();
    pass(61);
    isAnswered = true;
    assertThat(keys.find(ADA, 1).isErased()).as("whatever a node says later").isTrue();
  }

  @Test
  void with_the_last_session_all_is_forgotten() {
    assertThat(keys.forget()).isFalse();
    keys.find(ADA, 1);
    assertThat(keys.forget()).isTrue();
    keys.find(ADA, 1);
    assertThat(asked).hasSize(2);
  }

  @Test
  void a_failure_passes_and_is_not_held() {
    isAnswered = false;
    keys.prepare(List.of(ADA));
    asked
        .get(0)
        .answer
        .completeExceptionally(new EventoException(ErrorCode.UNAVAILABLE, "no master key"));
    isAnswered = true;
    assertThat(keys.find(ADA, 1).isEmpty()).isFalse();

    isAnswered = false;
    keys.askBy(
        (subjects, type) ->
            CompletableFuture.failedFuture(
                new EventoException(ErrorCode.DEADLINE_EXCEEDED, "too late")));
    assertThatThrownBy(() -> keys.find(BOB, 1))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> assertThat(told.code()).isEqualTo(ErrorCode.UNAVAILABLE));
  }
}
