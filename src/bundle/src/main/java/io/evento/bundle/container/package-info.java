/**
 * What a bundle takes from the container that it lives in, such as a CDI container or Spring:
 * instances of components, what stands around each call of a handler, transactions.
 *
 * <p>Knows nothing of the rest of the SDK. Start reading at {@link
 * io.evento.bundle.container.ComponentFactory}.
 */
@NullMarked
package io.evento.bundle.container;

import org.jspecify.annotations.NullMarked;
