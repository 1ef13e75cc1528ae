package io.evento.bundle.consumer;

import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.Message;
import java.util.function.Consumer;

/**
 * A segment as it was given to us, and over which link.
 *
 * @param answer takes what is said about the segment
 * @param origin identifies the link
 */
record Lease(Enable enabled, Consumer<Message> answer, Object origin) {
  long fence() {
    return enabled.fence();
  }
}
