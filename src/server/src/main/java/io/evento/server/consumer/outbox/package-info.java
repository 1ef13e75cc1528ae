/**
 * Commands that are sent from rows until their outcome is final, and messages for later. Start
 * reading at {@link io.evento.server.consumer.outbox.OutboxSender}. Owns the tables {@code
 * consumer_command} and {@code scheduled_message}.
 */
@NullMarked
package io.evento.server.consumer.outbox;

import org.jspecify.annotations.NullMarked;
