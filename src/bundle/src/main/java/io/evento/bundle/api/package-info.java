/**
 * The words that a bundle is written with: annotations, what handlers are given, what they return.
 *
 * <p>Knows nothing of the rest of the SDK. Start reading at {@link io.evento.bundle.api.Aggregate}
 * and {@link io.evento.bundle.api.Projector}.
 */
@NullMarked
package io.evento.bundle.api;

import org.jspecify.annotations.NullMarked;
