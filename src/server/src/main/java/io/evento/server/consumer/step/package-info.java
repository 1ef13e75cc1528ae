/**
 * Steps of sagas and observers: asked one batch at a time, stored with the checkpoint in one
 * statement. Start reading at {@link io.evento.server.consumer.step.StepSender}. Owns the table
 * {@code saga_state}.
 */
@NullMarked
package io.evento.server.consumer.step;

import org.jspecify.annotations.NullMarked;
