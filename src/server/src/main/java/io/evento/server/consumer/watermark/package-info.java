/** Waiting until a consumer has seen a position. */
@NullMarked
package io.evento.server.consumer.watermark;

import org.jspecify.annotations.NullMarked;
