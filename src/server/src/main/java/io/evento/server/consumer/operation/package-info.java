/**
 * What operators do to consumers, each in one transaction with its row of the audit. Start reading
 * at {@link io.evento.server.consumer.operation.Operations}.
 */
@NullMarked
package io.evento.server.consumer.operation;

import org.jspecify.annotations.NullMarked;
