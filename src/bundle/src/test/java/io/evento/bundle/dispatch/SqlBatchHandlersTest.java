package io.evento.bundle.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.sql.SqlBatch;
import io.evento.bundle.payload.PayloadMapper;
import java.sql.Connection;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Which handlers may add statements to a batch. */
class SqlBatchHandlersTest {
  record Built() {}

  record FindDoor(String door) {}

  record DoorView(String door) {}

  @Projector(name = "batching")
  static class Batching {
    @EventHandler
    void on(Built event, SqlBatch rows) {}
  }

  @Projector(name = "both")
  static class Both {
    @EventHandler
    void on(Built event, SqlBatch rows, Connection tx) {}
  }

  @Projector(name = "waiting")
  static class Waiting {
    @EventHandler
    CompletionStage<Void> on(Built event, SqlBatch rows) {
      throw new AssertionError();
    }
  }

  @Projector(name = "asking")
  static class Asking {
    @EventHandler
    void on(Built event, SqlBatch rows) {}

    @QueryHandler
    DoorView find(FindDoor query, SqlBatch rows) {
      throw new AssertionError();
    }
  }

  private static Components of(Object projector, boolean hasDatabase) {
    return Components.of(List.of(projector), new PayloadMapper(), hasDatabase);
  }

  @Test
  void a_projector_that_only_adds_statements_keeps_its_checkpoint_with_them() {
    assertThat(of(new Batching(), true).projectors().get("batching:1"))
        .matches(ProjectorType::transactional);
  }

  @Test
  void without_a_database_it_is_refused() {
    assertThatThrownBy(() -> of(new Batching(), false))
        .hasMessageContaining("Batching.on takes a SqlBatch, but the bundle has no database");
  }

  @Test
  void a_handler_that_would_not_see_what_it_added_is_refused() {
    assertThatThrownBy(() -> of(new Both(), true))
        .hasMessageContaining("Both.on takes a Connection and a SqlBatch");
  }

  @Test
  void a_handler_that_would_go_on_after_its_transaction_is_refused() {
    assertThatThrownBy(() -> of(new Waiting(), true))
        .hasMessageContaining("must not return a CompletionStage");
  }

  @Test
  void who_answers_queries_is_given_none() {
    assertThatThrownBy(() -> of(new Asking(), true))
        .hasMessageContaining("which a @QueryHandler cannot be given");
  }
}
