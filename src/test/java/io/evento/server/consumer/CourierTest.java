package io.evento.server.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Rejection;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which ends of a command its sender is told. */
class CourierTest {

  @Test
  void a_failure_is_tried_again_unless_it_is_kept() {
    assertThat(Courier.isFinal(new EventoException(ErrorCode.HANDLER_FAILED, "bug"))).isFalse();
    assertThat(Courier.isFinal(new EventoException(ErrorCode.UNKNOWN_TYPE, "soon"))).isFalse();
    assertThat(Courier.isFinal(new EventoException(ErrorCode.OVERLOADED, "full"))).isFalse();
    assertThat(Courier.isFinal(EventoException.rejected(new Rejection("no-money", "", null), null)))
        .isTrue();
    assertThat(
            Courier.isFinal(
                new EventoException(
                    ErrorCode.HANDLER_FAILED,
                    "nobody can know",
                    List.of(),
                    new Rejection("outcome-unknown", "", null),
                    null,
                    null)))
        .isTrue();
  }
}
