package io.evento.server.console.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.cluster.Node;
import io.evento.server.cluster.NodeState;
import io.evento.server.console.NodeFigures.Figures;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Which nodes can be drained at all. */
class DrainResourceTest {
  private static Node of(String release) {
    return new Node("a", UUID.randomUUID(), "ws://a", release, NodeState.UP, false);
  }

  private static Figures figures(@Nullable Integer commands) {
    return new Figures(null, 2, 0.0, 1, 2, 3, 0, 0, commands, commands, commands, commands, null);
  }

  @Test
  void a_node_that_does_not_know_drains_is_refused_whether_or_not_its_figures_came() {
    refused("0.9", figures(null), "a is of a release that cannot be drained; stop it");
    refused("1.0", figures(null), "a is of a release that cannot be drained; stop it");
    refused("0.9", null, "a has another release, and does not say whether it can be drained");
  }

  private static void refused(String release, @Nullable Figures figures, String why) {
    assertThatThrownBy(() -> DrainResource.checkKnowsDrains(of(release), "1.0", figures))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> {
              assertThat(told.code()).isEqualTo(ErrorCode.CONFLICT);
              assertThat(told.detail()).isEqualTo(why);
            });
  }

  @Test
  void one_that_knows_them_is_drained_though_it_is_of_another_release_or_silent() {
    assertThatCode(() -> DrainResource.checkKnowsDrains(of("1.1"), "1.0", figures(0)))
        .doesNotThrowAnyException();
    assertThatCode(() -> DrainResource.checkKnowsDrains(of("1.0"), "1.0", null))
        .doesNotThrowAnyException();
  }
}
